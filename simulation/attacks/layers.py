"""What adversaries are made of: layers around a node's core, each of which changes one thing.

Layers compose: the first behaviour of a scenario's list stands next to the core, the next one around it, and so on. A
layer sees what goes in, what comes out, and what any node knows: its own keys, rules, blocks and time.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, Self

import msgspec
import numpy as np

from protocol.chain import BlockTree
from protocol.codec import DecodeError
from protocol.crypto import KeyPair
from protocol.events import Event, MessageReceived
from protocol.ledger import LedgerState
from protocol.mechanism import Mechanism, NodeView, Proposer
from protocol.messages import AnyBlock, Message, Transaction
from protocol.rules import Rules
from protocol.types import AccountId, Nanoseconds
from simulation.attacks.behaviour import Action, Core
from simulation.attacks.coalition import Coalition
from simulation.attacks.traits import Parameters, Traits


class Adversary:
    """A behaviour that changes nothing; others override what they change.

    All that is known of a behaviour stands in its class: a docstring with its goal, what it knows and what is expected,
    and the attributes below. Scenarios, invariants, `soak`, closed forms and the tables of `configs/README.md` take it
    from there. `simulation.attacks.catalogue` lists the classes.
    """

    kind: ClassVar[str]
    """The name that a scenario gives it."""
    does: ClassVar[str]
    """What it does, in a few words for a table."""
    expected: ClassVar[str]
    """What should happen then, in a few words for a table."""
    traits: ClassVar[Traits]
    parameters: ClassVar[type[Parameters]] = Parameters
    """What a scenario may write below its kind."""
    drawn: ClassVar[tuple[Parameters, ...]] = (Parameters(),)
    """How `soak` draws it: one of these."""

    mechanism: ClassVar[str | None] = None
    """The only consensus mechanism that it makes sense under; None for any."""
    proposer: type[Proposer] | None = None
    """What the behaviour replaces of its mechanism's proposer, as a subclass of it; None for nothing."""

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Take what every adversary has.

        Args:
            generator: Owner of the behaviour's random draws.
            coalition: Whom it attacks with.
        """
        self.rng: Final = generator
        self.coalition: Final = coalition

    @classmethod
    def build(cls, generator: np.random.Generator, coalition: Coalition, parameters: Parameters) -> Self:
        """Return one with the parameters of a scenario, each as the argument of its name."""
        given: dict[str, Any] = msgspec.structs.asdict(parameters)
        return cls(generator, coalition, **given)

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Return what the core is told in place of an event."""
        return (event,)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Return what is done in place of one of the core's commands."""
        return (action,)

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Return what is done besides."""
        return ()

    def choose(self, transactions: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        """Return which of the transfers that a block on the head may carry it would put in."""
        return transactions

    def react(self, core: Core, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return what should happen because of an event."""
        actions: list[Action] = []
        for heard in self.hear(core, event, now):
            for action in core.handle(heard, now):
                actions.extend(self.speak(core, action, now))
        actions.extend(self.act(core, event, now))
        return actions


def read_message(core: Core, event: Event) -> Message | None:
    """Return the message that an event brings; None where it brings none."""
    if not isinstance(event, MessageReceived):
        return None
    try:
        return core.rules.decode(event.frame)
    except DecodeError:
        return None


def list_victims(core: Core) -> list[AccountId]:
    """Return who else takes part: owners of bonds or, where there are none, those that the chain began with."""
    owners = core.tree.head.state.stakes.owners or tuple(line.account for line in core.rules.genesis.accounts)
    return [owner for owner in owners if owner != core.keys.public]


class Layer:
    """A core with a behaviour around it: the `Core` of the next one."""

    def __init__(self, behaviour: Adversary, core: Core) -> None:
        """Put a behaviour around a core."""
        self._behaviour = behaviour
        self._core = core
        self.rules: Rules = core.rules
        self.keys: KeyPair = core.keys

    @property
    def tree(self) -> BlockTree[AnyBlock, LedgerState]:
        """The blocks the node knows."""
        return self._core.tree

    def handle(self, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return what the node does under this behaviour."""
        return self._behaviour.react(self._core, event, now)


class Layered:
    """Several behaviours of one node, as one."""

    def __init__(self, behaviours: Sequence[Adversary]) -> None:
        """Take them in order, the innermost first."""
        self._behaviours = tuple(behaviours)

    def react(self, core: Core, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return what should happen because of an event."""
        for behaviour in self._behaviours:
            core = Layer(behaviour, core)
        return core.handle(event, now)


def build_proposer_type(behaviours: Iterable[Adversary]) -> Callable[[Mechanism, NodeView], Proposer] | None:
    """Return the kind of proposer that behaviours need, with all that they replace; None for the mechanism's own.

    One that another of them builds on is part of that one already.
    """
    needed: dict[Any, None] = dict.fromkeys(item.proposer for item in behaviours if item.proposer is not None)
    parts = [part for part in needed if not any(part is not item and issubclass(item, part) for item in needed)]
    return type("AdversaryProposer", tuple(reversed(parts)), {}) if parts else None

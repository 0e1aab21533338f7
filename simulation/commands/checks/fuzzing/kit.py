"""What firing at a node has to know of its mechanism: its part `fuzz`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from protocol.crypto import KeyPair
from protocol.events import ChainRecord, Command
from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock, BlockRequest, HeadAnnouncement, Message, Transaction
from protocol.node import Node
from protocol.rules import Rules
from simulation.commands.checks.fuzzing.forge import Forge
from simulation.commands.checks.fuzzing.mutations import is_readable
from simulation.engines import ChargingWorker, EngineSetup, VirtualTools
from simulation.foundation import Interruption, find_part
from simulation.records import Tally
from simulation.scenario.world import World
from simulation.training import MADE_UP_DATA


class Way(NamedTuple):
    """A way to make a message that nobody honest sends."""

    name: str
    weight: float
    """How often it is chosen, beside the weights of others."""
    make: Callable[[], msgspec.Struct]


class FuzzKit:
    """Belongs to one run; a mechanism that has no part `fuzz` has these."""

    def __init__(self, mechanism: str) -> None:
        """Take the mechanism's name."""
        self.mechanism: Final = mechanism

    # ---- the undisturbed run ----

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return the sections of a small scenario that are about how blocks come about, and what else is its own."""
        rules = {"slot_ms": rng.choice([100.0, 500.0]), "max_transactions": 3}
        return {"mechanism": {"name": self.mechanism, "length": rng.randint(2, 4)}, "protocol": rules}

    def prepare(self, rng: Random, world: World) -> None:
        """Draw what else is the run's own, once it is known who takes part."""

    def build_workers(self, world: World) -> Mapping[str, ChargingWorker]:
        """Return what does the nodes' slow work, by label: that of the virtual engine."""
        kind: type[VirtualTools[EngineSetup]] | None = find_part(self.mechanism, "virtual_tools")
        if kind is None:
            return {}
        tools = kind(_build_setup(world))
        workers = {spec.label: tools.build_worker(spec) for spec in world.nodes}
        return {label: worker for label, worker in workers.items() if worker is not None}

    def may_be_repeated(self, message: Message) -> bool:
        """Return whether a message of the undisturbed run may be heard in the one under fire.

        That is another history of the same keys: where blocks are final, owners who sign both have signed two.
        """
        return True

    def can_go_on(self, head: ChainRecord) -> bool:
        """Return whether somebody may still make a block on one that is everybody's head."""
        return True

    # ---- the fire ----

    def choose_keys(self, rng: Random, rules: Rules, keys: Sequence[KeyPair]) -> Sequence[KeyPair]:
        """Return the keys that frames are signed with, out of those of all parties and some strangers: all of them.

        A mechanism that is only safe from a part of the stake gives away no more than that.
        """
        return keys

    def weigh(self, node: Node) -> int:
        """Return how much fire there is before the next event of a node; 2 is as much as the run is long."""
        return 2

    def list_named(self, mechanism: Mechanism) -> tuple[type[Message], ...]:
        """Return the types of messages that others refer to by their hash: all that are the mechanism's own."""
        neutral = (Transaction, HeadAnnouncement, BlockRequest)
        return tuple(kind for kind in mechanism.messages if isinstance(kind, type) and kind not in neutral)

    def list_ways(self, forge: Forge) -> Sequence[Way]:
        """Return ways to make messages, blocks first of all, that only who knows the mechanism can go."""
        return (
            Way("block with other transfers", 4, lambda: self._rewrap(forge)),
            Way("block made good again", 5, lambda: self._remake(forge)),
        )

    def complete(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block with all made right that its author can make right: coinbase and signature.

        Args:
            forge: Has the keys.
            parent: The block below.
            block: What it says else; each field has a value that its type allows.
        """
        return self.pay(forge, parent, block)

    def pay(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block with a right coinbase and its author's signature; arguments are as for `complete`."""
        coinbase = forge.rules.mechanism.compute_coinbase(forge.rules, parent, block)
        return forge.sign_as_author(msgspec.structs.replace(block, coinbase=coinbase))

    def _rewrap(self, forge: Forge) -> msgspec.Struct:
        """Return a block with other transfers, of whoever may choose them."""
        blocks = forge.seen.find(forge.rules.mechanism.block)
        if not blocks:
            return forge.seen.pick()
        block = msgspec.structs.replace(forge.rng.choice(blocks), transactions=forge.draw_transfers())
        return self._complete(forge, block)

    def _remake(self, forge: Forge) -> msgspec.Struct:
        """Return a block with another field changed, to which all the rest has been made to fit."""
        blocks = forge.seen.find(forge.rules.mechanism.block)
        return self._complete(forge, forge.alter(forge.rng.choice(blocks))) if blocks else forge.seen.pick()

    def _complete(self, forge: Forge, block: AnyBlock) -> AnyBlock:
        parent = forge.find_parent(block.parent) if is_readable(block) else None
        return block if parent is None else self.complete(forge, parent, block)

    # ---- what is looked for ----

    def is_fetching(self, command: Command) -> bool:
        """Return whether a command starts what a message waits for that was put aside."""
        return False

    def is_remark(self, command: Command) -> bool:
        """Return whether a command only puts on record why a message was refused."""
        return False

    def find_fault(self, record: ChainRecord) -> str | None:
        """Return what is wrong with a block that a node has taken though the rules allow it, or None."""
        return None


def find_kit(mechanism: str) -> FuzzKit:
    """Return what firing at the nodes of a mechanism takes."""
    kind: type[FuzzKit] = find_part(mechanism, "fuzz") or FuzzKit
    return kind(mechanism)


def _build_setup(world: World) -> EngineSetup:
    """Return what tools are given in a run that leaves no file and no record."""
    nowhere = Path()
    return EngineSetup(
        world=world,
        images=MADE_UP_DATA,
        scratch=nowhere,
        weights_folder=nowhere,
        model_path=nowhere,
        journal_folder=None,
        interruption=Interruption(),
        started_at=0,
        tally=Tally(),
        sink=lambda record: None,
        on_tick=lambda phase: None,
        sample=lambda pids: None,
        is_stuck=lambda: False,
    )

"""Adversaries that want blocks or payments undone: the same coins twice, a chain in private."""

from collections.abc import Iterable
from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.events import Broadcast, Event, MessageReceived, Relay, Send, TimerFired
from protocol.messages import HeadAnnouncement, Transaction
from protocol.types import AccountId, Nanoseconds
from simulation.attacks.behaviour import Action, Core, SendBytes, SendFragment
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary, list_victims
from simulation.attacks.traits import Parameters, Traits


class DoubleSpender(Adversary):
    """Goal: spend the same coins twice.

    It knows what any node knows. Once it has earned something it signs two transfers of the same coins and nonce, to
    two members of its coalition (alone, to itself and to another owner), and sends both. Expected: a pool keeps the
    first it sees, and a block with both is refused; the chain never holds more than one of them.
    """

    kind = "double_spender"
    does = "signs two transfers of the same coins"
    expected = "one of them at most is in the chain"
    traits = Traits(passes_on=True, does_its_part=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing spent."""
        super().__init__(generator, coalition)
        self._next_nonce = 0

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Spend twice what has been earned since."""
        own = core.tree.head.state.accounts.get(core.keys.public)
        if own is None or own.balance == 0 or own.nonce < self._next_nonce:
            return
        self._next_nonce = own.nonce + 1
        for recipient in self._choose_recipients(core):
            transfer = Transaction(
                author=core.keys.public, nonce=own.nonce, recipient=recipient, amount=own.balance, fee=0
            )
            yield Broadcast(core.rules.sign(core.keys, transfer))

    def _choose_recipients(self, core: Core) -> tuple[AccountId, AccountId]:
        accounts = self.coalition.accounts
        if len(accounts) > 1:
            return accounts[0], accounts[-1]
        own = core.keys.public
        return own, next(iter(list_victims(core)), own)


class PrivateChainParameters(Parameters, frozen=True, kw_only=True):
    """What members of a private chain are told."""

    release_s: Annotated[
        float, Meta(ge=0, le=1e8, description="when the coalition shows its chain", extra={"unit": "seconds"})
    ]


class PrivateChain(Adversary):
    """Goal: replace blocks that others hold for settled (long-range rewriting; the basis of a double spend).

    It knows what any node knows, and who its coalition is. Until a time it hears and tells only members, who build
    their own chain from the block they were on; then it tells everybody. Expected: with the smaller part of the stake
    its chain is shorter and nobody follows it; with the larger part everybody who trusts the longest chain does, as
    deep as the coalition likes. A job ends, though: under a rule of numbers a small coalition has time to complete it
    as well, and of two whole chains the lowest hash wins. Poisoned blocks in it are refused at any length.
    """

    kind = "private_chain"
    does = "builds a chain with its coalition alone, shows it later (long-range rewriting)"
    expected = "followed only where the coalition holds most of the stake, or has time to complete a job that is over"
    traits = Traits(passes_on=False, does_its_part=False, is_private=True)
    parameters = PrivateChainParameters
    drawn = (PrivateChainParameters(release_s=5.0),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, release_s: float) -> None:
        """Take when the chain is shown."""
        super().__init__(generator, coalition)
        self._release_ns: Final[Nanoseconds] = round(release_s * 1e9)
        self._is_shown = False

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Hear only members, until the chain is shown."""
        if now >= self._release_ns or not isinstance(event, MessageReceived):
            return (event,)
        return (event,) if event.peer in self.coalition.list_others(core.keys.public) else ()

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Tell only members, until the chain is shown."""
        if now >= self._release_ns or not isinstance(action, (Broadcast, Relay, SendBytes, SendFragment)):
            yield action
        elif isinstance(action, Broadcast):
            for label in self.coalition.list_others(core.keys.public):
                yield Send(label, action.message)

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Show the chain once, at the first timer after its time; whoever lacks its blocks asks for them."""
        if self._is_shown or now < self._release_ns or not isinstance(event, TimerFired):
            return
        self._is_shown = True
        head = core.tree.head
        announcement = HeadAnnouncement(height=head.height, head=head.hash, author=core.keys.public)
        yield Broadcast(core.keys.sign(core.rules.chain_id, announcement))

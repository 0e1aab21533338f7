"""Adversaries that send only what is valid, but not to whom or when they should."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from protocol.events import Broadcast, Event, MessageReceived, Relay, Send, TimerFired
from protocol.mechanism import MessageT
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.messages import HeadAnnouncement, Message, Transaction
from protocol.turn import Turn
from protocol.types import AccountId, Nanoseconds
from simulation.attacks.behaviour import Action, Core, SendBytes
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary


def _make_withholding(kind: type[Message]) -> type[TrainingProposer]:
    """Return a proposer that does not write messages of a kind."""

    class Withholding(TrainingProposer):
        def publish(self, turn: Turn, message: MessageT) -> MessageT:
            """Keep messages of one kind to itself."""
            return message if isinstance(message, kind) else super().publish(turn, message)

    return Withholding


_WITHHOLDING: Final = {
    "declaration": _make_withholding(TrainingDeclaration),
    "header": _make_withholding(BlockHeader),
    "signature": _make_withholding(StakeholderSignature),
    "block": _make_withholding(WrappedBlock),
}
"""Proposers of withholders, by the name that a scenario gives to what they withhold."""


class Withholder(Adversary):
    """Goal: slow the chain down without ever being refused (selective abort).

    It knows what any node knows. It does everything but one thing: declare, propose, sign as a stakeholder, or wrap the
    block it should wrap. Expected: a header that drew it dies and another is proposed in a later slot; with a share w
    of the stake withholding signatures or blocks, a header completes with about (1 - w)^(K-1) or (1 - w).
    """

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, what: str) -> None:
        """Take what it keeps to itself."""
        super().__init__(generator, coalition)
        self.proposer = _WITHHOLDING[what]


class _Censoring(TrainingProposer):
    """A proposer that wraps empty blocks."""

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Choose none."""
        return ()


class CensoringWrapper(Adversary):
    """Goal: keep users' transfers out of the chain.

    It knows what any node knows. Blocks that it wraps carry no transfers. Expected: such a block is valid, so nobody
    refuses it; a transfer waits for the next honest wrapper, 1 / (1 - c) blocks on average for a share c of the stake.
    """

    proposer = _Censoring


class DoubleSpender(Adversary):
    """Goal: spend the same coins twice.

    It knows what any node knows. Once it has earned something it signs two transfers of the same coins and nonce, to
    two members of its coalition (alone, to itself and to another owner), and sends both. Expected: a pool keeps the
    first it sees, and a block with both is refused; the chain never holds more than one of them.
    """

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
            yield Broadcast(core.keys.sign(core.rules.chain_id, transfer))

    def _choose_recipients(self, core: Core) -> tuple[AccountId, AccountId]:
        accounts = self.coalition.accounts
        if len(accounts) > 1:
            return accounts[0], accounts[-1]
        own = core.keys.public
        return own, next((owner for owner in core.tree.head.state.stakes.owners if owner != own), own)


class PrivateChain(Adversary):
    """Goal: replace blocks that others hold for settled (long-range rewriting; the basis of a double spend).

    It knows what any node knows, and who its coalition is. Until a time it hears and tells only members, who build
    their own chain from the block they were on; then it tells everybody. Expected: with the smaller part of the stake
    its chain is shorter and nobody follows it; with the larger part everybody who trusts the longest chain does, as
    deep as the coalition likes. A job ends, though: under a rule of numbers a small coalition has time to complete it
    as well, and of two whole chains the lowest hash wins. Poisoned blocks in it are refused at any length.
    """

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, release_ns: Nanoseconds) -> None:
        """Take when the chain is shown."""
        super().__init__(generator, coalition)
        self._release_ns = release_ns
        self._is_shown = False

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Hear only members, until the chain is shown."""
        if now >= self._release_ns or not isinstance(event, MessageReceived):
            return (event,)
        return (event,) if event.peer in self.coalition.list_others(core.keys.public) else ()

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Tell only members, until the chain is shown."""
        if now >= self._release_ns or not isinstance(action, (Broadcast, Relay, SendBytes)):
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

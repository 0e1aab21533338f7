"""Adversaries that hold up rounds by what they may choose: whom they tell what, which of many blocks they show."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np
from msgspec import Meta

from protocol.codec import DecodeError, encode_frame
from protocol.events import Broadcast, Event, MessageReceived, Relay, Send, Timer
from protocol.mechanism import MessageT
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.building import NOTHING, build_block
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.mechanisms.proof_of_training.round import has_confidence
from protocol.messages import Message, Transaction
from protocol.slots import compute_slot
from protocol.turn import SELF, Turn
from protocol.types import AccountId, Hash32, Nanoseconds
from simulation.attacks import Action, Adversary, Coalition, Core, Parameters, Traits, read_message

MAX_SLOTS_BACK: Final = 1_000
"""Slots that are searched for one that was won."""


class _Closing(TrainingProposer):
    """A proposer that ends a round with a header that must die, once honest declarations alone are too few for ever."""

    members: ClassVar[frozenset[AccountId]] = frozenset()

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Sign and wrap nothing."""
        return message if isinstance(message, StakeholderSignature | WrappedBlock) else super().publish(turn, message)

    def propose(self, turn: Turn, slot: int) -> None:
        """Propose nothing at the time that a right is for."""

    def apply(self, turn: Turn, message: Message) -> None:
        """Look at each new declaration whether it is time."""
        super().apply(turn, message)
        if isinstance(message, TrainingDeclaration):
            self._close(turn)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Look at each right whether it helps."""
        super().ring(turn, timer)
        self._close(turn)

    def _close(self, turn: Turn) -> None:
        head, round_ = self.head, self.read_round(self.head.hash)
        if not self.work.has_trained(self.work.get_task(head)):
            return  # one that also saves itself the training has nothing to propose
        authors = frozenset(round_.declarations)
        if self.phase is not Phase.DECLARING or self._is_enough(authors - self.members) or not self._is_enough(authors):
            return
        last = compute_slot(turn.now, self.node.rules.chain.slot_ns)
        for slot in range(max(head.slot, last - MAX_SLOTS_BACK), last + 1):
            if self.wins_slot(Right.PROPOSE, slot):
                header = next(filter(self._must_die, self._list_headers(slot)), None)
                if header is not None:
                    self.publish(turn, header)
                    return

    def _is_enough(self, authors: frozenset[AccountId]) -> bool:
        return has_confidence(self.judging.genesis.parameters.confidence, self.head.state.stakes, authors)

    def _list_headers(self, slot: int) -> Iterator[BlockHeader]:
        """Yield headers of a slot: with all declarations, then with one left out."""
        head, own = self.head, self.work.get_own(self.head)
        every = self.read_round(head.hash).choose_declarations(head.state.stakes, slot, own.weights_digest)
        for included in (every, *(tuple(item for item in every if item is not left) for left in every)):
            if self._is_enough(frozenset(item.author for item in included)):
                yield self.build_header(included, slot)

    def _must_die(self, header: BlockHeader) -> bool:
        """Return whether a member is among the stakeholders, and so the header gets no block."""
        return not self.members.isdisjoint(self.judging.draw_stakeholders(self.node.rules, self.head, header))


class PrivateDeclarer(Adversary):
    """Goal: stop the chain for ever with a small part of the stake.

    It knows what any node knows, and what its coalition declares. Members declare to one another only. As soon as the
    declarations of others are too few for a header but enough together with theirs, they propose one that a member
    has to sign or wrap, and never do. Expected: where a header ends the time for declarations, and those inside one
    count for nothing by themselves, nobody can ever propose again; where they count and declaring goes on (version
    2), the header dies, the others propose with what it has shown, and a round takes some slots longer.
    """

    kind = "private_declarer"
    mechanism = "proof_of_training"
    does = "declares to its coalition alone, closes the round with a header that it lets die"
    expected = "version 1: the chain may stand still for ever; version 2: some slots are lost"
    traits = Traits(passes_on=True, does_its_part=False, is_telling=True, is_stalling=True, is_strategic=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Take whom it attacks with."""
        super().__init__(generator, coalition)
        self._members: Final = frozenset(coalition.accounts)
        self.proposer = type("Closing", (_Closing,), {"members": self._members})

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Tell members alone what members declare."""
        if isinstance(action, Broadcast) and isinstance(action.message, TrainingDeclaration):
            return tuple(Send(label, action.message) for label in self.coalition.list_others(core.keys.public))
        is_own = isinstance(action, Relay) and self._is_private(core, action.frame)
        return () if is_own else (action,)

    def _is_private(self, core: Core, frame: bytes) -> bool:
        try:
            message = core.rules.decode(frame)
        except DecodeError:
            return False
        return isinstance(message, TrainingDeclaration) and message.author in self._members


class SiblingStallerParameters(Parameters, frozen=True, kw_only=True):
    """What a staller with siblings is told."""

    versions: Annotated[
        int, Meta(ge=1, le=1_000, description="versions it makes of a block at most", extra={"unit": "blocks"})
    ] = 20


class SiblingStaller(Adversary):
    """Goal: have others start a round over and over.

    It knows what any node knows, and its coalition's keys. A header that it wraps it wraps many times, with a transfer
    of nothing that differs. It shows one version, and the next one whenever others have declared on the last for half
    of a round. Expected: where the lowest hash wins, each version with a lower one undoes the round on the last: as
    many reorganisations as it has versions. Under version 2 of the rules a header is one block. So it proposes a second
    one with the same right where a member has proposed and all stakeholders are members (a chance of q^(K+1) a block
    for a share q of the stake): all go back once, and the right is lost.
    """

    kind = "sibling_staller"
    mechanism = "proof_of_training"
    does = "wraps one header many times, and shows the next block when a round on the last is half done"
    expected = "version 1: as many reorganisations as it has blocks; version 2: seldom one, and its right is lost"
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)
    parameters = SiblingStallerParameters
    drawn = (SiblingStallerParameters(versions=5),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, versions: int) -> None:
        """Take how many versions it makes."""
        super().__init__(generator, coalition)
        self._count: Final = versions
        self._versions: list[WrappedBlock] = []
        """Those that have yet to be shown, in their order."""
        self._shown: Hash32 = b""
        """Hash of the version that was shown last."""
        self._declarers: set[AccountId] = set()
        """Who has declared on it."""

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Make versions of each block that it has wrapped, if it follows the chain that the block is on."""
        block = action.message if isinstance(action, Broadcast) else None
        if isinstance(block, WrappedBlock) and block.author == core.keys.public and block.parent in core.tree:
            self._make_versions(core, block)
        return (action,)

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Show the next version when a round on the last is half done."""
        message = read_message(core, event)
        if isinstance(message, TrainingDeclaration) and message.parent == self._shown:
            self._declarers.add(message.author)
        if not self._versions or core.tree.head.hash != self._shown or not self._is_half_done(core):
            return
        block = self._versions.pop(0)
        self._show(core, block)
        yield Broadcast(block)
        yield from core.handle(MessageReceived(SELF, encode_frame(core.rules.chain_id, block)), now)

    def _show(self, core: Core, block: WrappedBlock) -> None:
        self._shown = core.rules.hash_message(block)
        self._declarers.clear()

    def _is_half_done(self, core: Core) -> bool:
        rule = get_training(core.rules).genesis.parameters.confidence
        half = msgspec.structs.replace(rule, value=rule.value // 2)
        return has_confidence(half, core.tree.head.state.stakes, frozenset(self._declarers))

    def _make_versions(self, core: Core, block: WrappedBlock) -> None:
        """Make other blocks of the same header, and sort them so that each takes the place of the one before."""
        self._show(core, block)
        if isinstance(block, TrainedBlock):
            self._versions = self._propose_again(core, block)
            return
        made = [
            self._wrap(core, block.header, block.signatures, self._add_to(core, block, transfer))
            for transfer in self._list_transfers(core, block)
        ]
        by_hash = {core.rules.hash_message(item): item for item in made}
        self._versions = [by_hash[key] for key in sorted(by_hash, reverse=True) if key < self._shown]

    def _list_transfers(self, core: Core, block: WrappedBlock) -> list[Transaction]:
        """Return different transfers to accounts that there are, which cost it nothing or next to it."""
        state, own = core.tree.require(block.parent).state, core.keys.public
        account = state.get_account(own)
        nonce = account.nonce + sum(item.author == own for item in block.transactions)
        is_rich = nonce == account.nonce and account.balance - account.reserve > self._count
        choices = product(range(self._count if is_rich else 1), state.accounts)
        transfers = (
            Transaction(author=own, nonce=nonce, recipient=recipient, amount=amount, fee=0)
            for amount, recipient in choices
        )
        return [core.rules.sign(core.keys, item) for item in islice(transfers, self._count)]

    def _propose_again(self, core: Core, block: TrainedBlock) -> list[WrappedBlock]:
        """Return another block of the same right, if all who have to sign one are members."""
        header, keys, chain_id = block.header, self.coalition.keys, core.rules.chain_id
        needed = {header.author, block.author, *(item.author for item in block.signatures)}
        if not needed <= keys.keys() or not get_training(core.rules).has_seeded_draws:  # else a header draws its own
            return []
        carried = self._add_to(core, block, self._list_transfers(core, block)[0])
        again = msgspec.structs.replace(header, transactions=carried, body=compute_body_digest(carried))
        again = keys[header.author].sign(chain_id, again)
        named = core.rules.hash_message(again)
        signatures = [
            keys[item.author].sign(chain_id, msgspec.structs.replace(item, header=named)) for item in block.signatures
        ]
        return [self._wrap(core, again, signatures, (), secret=block.training_secret)]

    def _add_to(self, core: Core, block: WrappedBlock, transfer: Transaction) -> tuple[Transaction, ...]:
        return (*block.transactions[: core.rules.chain.max_transactions - 1], transfer)

    def _wrap(
        self,
        core: Core,
        header: BlockHeader,
        signatures: Sequence[StakeholderSignature],
        carried: tuple[Transaction, ...],
        *,
        secret: Hash32 = NOTHING,
    ) -> WrappedBlock:
        pot, parent = get_training(core.rules), core.tree.require(header.parent)
        seats, stakes = pot.draw_stakeholders(core.rules, parent, header), parent.state.stakes
        version = build_block(pot, header, seats, signatures, carried, stakes=stakes, secret=secret)
        return self.coalition.keys[seats[-1]].sign(core.rules.chain_id, version)

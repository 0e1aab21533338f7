"""Proof of training as a mechanism: what the core asks of it."""

from collections.abc import Hashable
from typing import Any, ClassVar, Final

import msgspec

from protocol.events import ChainRecord
from protocol.lottery import compute_ticket
from protocol.mechanism import Mechanism, NodeView, RulesView
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, encode_genesis
from protocol.mechanisms.proof_of_training.judging import SEEDED_HEADER_LOTTERY, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import (
    MESSAGES,
    TRAINED_MESSAGES,
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.messages import AnyBlock, Message, Payout
from protocol.types import AccountId, Hash32
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reason, Verdict

DETACHED_REASONS: Final[frozenset[Reason]] = frozenset(
    {
        ChainReason.NOT_BONDED,
        TrainingReason.WRONG_SIGNATURE_COUNT,
        TrainingReason.HEADER_MISMATCH,
        TrainingReason.NOT_A_STAKEHOLDER,
        TrainingReason.UNTRAINED_STAKEHOLDER,
        TrainingReason.WRONG_WRAPPER,
        LedgerReason.WRONG_COINBASE,
    }
)
"""What may be wrong of a block of version 2 besides its header, by which alone it is named."""


class ProofOfTraining(TrainingJudge):
    """A block attests a stage of a training job, which every node has trained for itself."""

    name: ClassVar = "proof_of_training"
    summary: ClassVar = "nodes train a model together; a block attests a stage that every node has trained for itself"
    messages: tuple[Any, ...] = MESSAGES
    block: type[WrappedBlock] = WrappedBlock
    reasons: ClassVar = TrainingReason
    waits: ClassVar = TrainingMissing
    timers: ClassVar = Right

    def __init__(self, genesis: TrainingGenesis) -> None:
        """Take what all parties agreed on."""
        super().__init__(genesis)
        if self.has_repairs:
            self.messages, self.block, self.detached_reasons = TRAINED_MESSAGES, TrainedBlock, DETACHED_REASONS

    def encode_genesis(self) -> bytes:
        """Return the canonical bytes of the genesis."""
        return encode_genesis(self.genesis)

    @classmethod
    def decode_genesis(cls, agreed: bytes) -> "ProofOfTraining":
        """Return the mechanism of the chain with these canonical bytes."""
        return cls(msgspec.msgpack.decode(agreed, type=TrainingGenesis))

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: WrappedBlock) -> tuple[Payout, ...]:
        """Return the one coinbase that is right for a block."""
        stakeholders = self.draw_stakeholders(rules, parent, block.header)
        return self.build_coinbase(block.header, stakeholders, block.transactions, parent.state.stakes)

    def is_whole(self, block: WrappedBlock) -> bool:
        """Return whether a block has the transfers that its header commits to, once."""
        if not isinstance(block, TrainedBlock):
            return True
        return not block.header.transactions and block.header.body == compute_body_digest(block.transactions)

    def rank(self, rules: RulesView, block: WrappedBlock) -> bytes:
        """Return what decides between branches of one length: the earlier slot, then the lower ticket; or the hash."""
        if not self.has_ranked_ties:
            return rules.hash_message(block)
        slot, author = block.header.slot, block.header.author
        return slot.to_bytes(8, "big") + compute_ticket(SEEDED_HEADER_LOTTERY, seed=self.seed, slot=slot, author=author)

    def find_right(self, block: WrappedBlock) -> Hashable:
        """Return the right to propose that a block was made with, where it is good for one block."""
        return (block.header.author, block.header.slot) if self.has_single_rights else None

    def find_double_user(self, first: WrappedBlock, second: WrappedBlock) -> AccountId:
        """Return who used a right twice: who has proposed two headers, since a header is one block."""
        return second.header.author

    def find_proposal(self, rules: RulesView, message: Message) -> Hash32 | None:
        """Return the hash of the header that a header, a stakeholder's signature or a block is about."""
        if isinstance(message, StakeholderSignature):
            return message.header
        if isinstance(message, WrappedBlock):
            return rules.hash_message(message.header)
        return rules.hash_message(message) if isinstance(message, BlockHeader) else None

    def shows_majority(self, rules: RulesView, block: WrappedBlock) -> bool:
        """Return whether owners of more than half of all stake have signed declarations on its parent in its header."""
        declared = {item.author for item in block.header.declarations if item.parent == block.parent}
        stakes = {line.account: line.stake for line in self.genesis.accounts}
        if 2 * sum(stakes.get(author, 0) for author in declared) <= sum(stakes.values()):
            return False
        return all(rules.is_signed(item) for item in block.header.declarations)

    def judge_after_last(self, last: AnyBlock, block: WrappedBlock) -> Verdict:
        """Let an employer that has its model follow only blocks with the same final weights.

        Another version of the last block would take it back to the one below, so it is left out as well.
        """
        if not isinstance(last, WrappedBlock):
            return ACCEPT
        is_other = block.header.weights_digest != last.header.weights_digest
        is_version = self.has_single_rights and self.find_right(block) == self.find_right(last)
        return Ignore(TrainingReason.JOB_DELIVERED) if is_other or is_version else ACCEPT

    def make_proposer(self, node: NodeView) -> TrainingProposer:
        """Return what a training node does to earn blocks."""
        return TrainingProposer(self, node)


def as_training(mechanism: Mechanism) -> ProofOfTraining:
    """Return a mechanism that must be proof of training.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(mechanism, ProofOfTraining):
        raise TypeError(f"this chain's mechanism is {mechanism.name}")
    return mechanism


def get_training(rules: RulesView) -> ProofOfTraining:
    """Return the mechanism of a chain that is agreed on by training.

    Raises:
        TypeError: The chain has another mechanism.
    """
    return as_training(rules.mechanism)

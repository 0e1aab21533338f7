"""Proof of training as a mechanism: what the core asks of it."""

from typing import ClassVar

import msgspec

from protocol.events import ChainRecord
from protocol.mechanism import Mechanism, NodeView, RulesView
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, encode_genesis
from protocol.mechanisms.proof_of_training.judging import TrainingJudge
from protocol.mechanisms.proof_of_training.messages import MESSAGES, BlockHeader, StakeholderSignature, WrappedBlock
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.messages import AnyBlock, Message, Payout
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, Ignore, Verdict


class ProofOfTraining(TrainingJudge):
    """A block attests a stage of a training job, which every node has trained for itself."""

    name: ClassVar = "proof_of_training"
    summary: ClassVar = "nodes train a model together; a block attests a stage that every node has trained for itself"
    messages: ClassVar = MESSAGES
    block: ClassVar = WrappedBlock
    reasons: ClassVar = TrainingReason
    waits: ClassVar = TrainingMissing
    timers: ClassVar = Right

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
        return self.build_coinbase(block.header, stakeholders, block.transactions)

    def find_proposal(self, rules: RulesView, message: Message) -> Hash32 | None:
        """Return the hash of the header that a header, a stakeholder's signature or a block is about."""
        if isinstance(message, StakeholderSignature):
            return message.header
        if isinstance(message, WrappedBlock):
            return rules.hash_message(message.header)
        return rules.hash_message(message) if isinstance(message, BlockHeader) else None

    def judge_after_last(self, last: AnyBlock, block: WrappedBlock) -> Verdict:
        """Let an employer that has its model follow only blocks with the same final weights."""
        if isinstance(last, WrappedBlock) and block.header.weights_digest != last.header.weights_digest:
            return Ignore(TrainingReason.JOB_DELIVERED)
        return ACCEPT

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

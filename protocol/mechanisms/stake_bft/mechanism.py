"""Votes of stake as a mechanism: a block carries the pre-commits that make it final, and no branch replaces it."""

from typing import Any, ClassVar

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.events import ChainRecord
from protocol.mechanism import Context, Mechanism, NodeView, RulesView
from protocol.mechanisms.stake_bft.genesis import BftGenesis
from protocol.mechanisms.stake_bft.messages import (
    MESSAGES,
    NIL,
    NO_CERTIFICATE,
    NO_ROUND,
    Certificate,
    CertifiedBlock,
    Precommit,
    Prevote,
    Proposal,
    Vote,
)
from protocol.mechanisms.stake_bft.quorum import draw_proposer, judge_certificate, leaves_room
from protocol.mechanisms.stake_bft.reasons import BftReason, BftTimer
from protocol.mechanisms.stake_bft.rewards import build_coinbase
from protocol.mechanisms.stake_bft.validator import Validator
from protocol.messages import Message, Payout, Transaction
from protocol.types import AccountId, Hash32
from protocol.verdicts import ACCEPT, ChainReason, FrameReason, LedgerReason, Reject, Verdict

BODY = Domain(b"pot/bft/body/1")


class StakeBft(Mechanism):
    """Owners of stake vote on one block after the other; what more than two thirds have signed is final."""

    name: ClassVar = "stake_bft"
    summary: ClassVar = "owners of stake vote on each block; more than two thirds of all stake make it final at once"
    messages = MESSAGES
    block = CertifiedBlock
    reasons: ClassVar = BftReason
    timers: ClassVar = BftTimer
    genesis_type: ClassVar = BftGenesis
    detached_reasons = frozenset({BftReason.BAD_CERTIFICATE, BftReason.NO_QUORUM})
    final_depth = 0

    genesis: BftGenesis

    # ---- judging: reads only ----

    def find_proposer(self, chain_id: Hash32, parent: ChainRecord, round_: int) -> AccountId:
        """Return who may propose the block after a parent in a round."""
        return draw_proposer(chain_id, parent.state.stakes, parent.height + 1, round_)

    def judge_proof(self, context: Context[Any], block: CertifiedBlock) -> Verdict:
        """Judge who built a block and when, and its certificate."""
        verdict = self._judge_builder(context, block)
        if verdict is not ACCEPT:
            return verdict
        if block.certificate.round < block.round:
            return Reject(BftReason.BAD_CERTIFICATE)
        return judge_certificate(
            context.rules,
            context.parent.state.stakes,
            Precommit,
            block.certificate,
            height=block.height,
            parent=block.parent,
            block=context.rules.hash_message(block),
        )

    def _judge_builder(self, context: Context[Any], block: CertifiedBlock) -> Verdict:
        if block.author != self.find_proposer(context.rules.chain_id, context.parent, block.round):
            return Reject(BftReason.WRONG_PROPOSER)
        is_early = block.slot < context.parent.slot + self.genesis.pace.pause
        return Reject(BftReason.TOO_EARLY) if is_early else ACCEPT

    def judge_proposal(self, context: Context[Any], proposal: Proposal) -> Verdict:
        """Judge whether a round's proposal is its proposer's, and its block could be final."""
        rules, block, stakes = context.rules, proposal.block, context.parent.state.stakes
        if proposal.author != self.find_proposer(rules.chain_id, context.parent, proposal.round):
            return Reject(BftReason.WRONG_PROPOSER)
        is_new = proposal.valid_round == NO_ROUND
        is_in_order = block.round == proposal.round if is_new else block.round <= proposal.valid_round < proposal.round
        if not is_in_order:
            return Reject(BftReason.BAD_VALID_ROUND)
        verdict = self._judge_new_block(context, block)
        if verdict is not ACCEPT:
            return verdict
        if is_new:
            return Reject(BftReason.BAD_CERTIFICATE) if proposal.prevotes else ACCEPT
        return judge_certificate(
            rules,
            stakes,
            Prevote,
            Certificate(round=proposal.valid_round, signatures=proposal.prevotes),
            height=block.height,
            parent=block.parent,
            block=rules.hash_message(block),
        )

    def _judge_new_block(self, context: Context[Any], block: CertifiedBlock) -> Verdict:
        """Judge a block that nobody has voted on, as it would be judged with a certificate."""
        rules = context.rules
        verdict = rules.judge_position(context, block.height, block.slot)
        if verdict is not ACCEPT:
            return verdict
        verdict = self._judge_builder(context, block)
        if verdict is not ACCEPT:
            return verdict
        if block.certificate != NO_CERTIFICATE:
            return Reject(BftReason.BAD_CERTIFICATE)
        if not leaves_room(block, len(context.parent.state.stakes.owners)):
            return Reject(FrameReason.OVERSIZED)
        if not self.is_whole(block):
            return Reject(ChainReason.WRONG_BODY)
        if not rules.is_signed(block):
            return Reject(ChainReason.BAD_SIGNATURE)
        verdict = rules.judge_transfers(context.parent, block.transactions)
        if verdict is not ACCEPT:
            return verdict
        is_paid_right = block.coinbase == self.compute_coinbase(rules, context.parent, block)
        return ACCEPT if is_paid_right else Reject(LedgerReason.WRONG_COINBASE)

    def is_whole(self, block: CertifiedBlock) -> bool:
        """Return whether a block's transfers are those it commits to."""
        return block.body == compute_body_digest(block.transactions)

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: CertifiedBlock) -> tuple[Payout, ...]:
        """Return the only coinbase that is right for a block."""
        return build_coinbase(self.genesis.reward, block.author, block.height, block.transactions, parent.state.stakes)

    def find_proposal(self, rules: RulesView, message: Message) -> Hash32 | None:
        """Return the hash of the block that a proposal, a vote or a block is about."""
        if isinstance(message, Vote):
            return message.block if message.block != NIL else None
        if isinstance(message, Proposal):
            return rules.hash_message(message.block)
        return rules.hash_message(message) if isinstance(message, CertifiedBlock) else None

    # ---- acting ----

    def build_block(
        self, head: ChainRecord, author: AccountId, *, slot: int, round_: int, transactions: tuple[Transaction, ...]
    ) -> CertifiedBlock:
        """Return the block on a head that its author has yet to sign, and others to vote on."""
        height = head.height + 1
        return CertifiedBlock(
            height=height,
            parent=head.hash,
            slot=slot,
            round=round_,
            body=compute_body_digest(transactions),
            author=author,
            transactions=transactions,
            coinbase=build_coinbase(self.genesis.reward, author, height, transactions, head.state.stakes),
            certificate=NO_CERTIFICATE,
        )

    def make_proposer(self, node: NodeView) -> Validator:
        """Return a validator."""
        return Validator(self, node)


def compute_body_digest(transactions: tuple[Transaction, ...]) -> Hash32:
    """Return what a block's hash has in place of its transfers."""
    return compute_hash(BODY, encode(transactions))


def as_bft(mechanism: Mechanism) -> StakeBft:
    """Return a mechanism that must be by votes of stake.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(mechanism, StakeBft):
        raise TypeError(f"not by votes: {mechanism.name}")
    return mechanism

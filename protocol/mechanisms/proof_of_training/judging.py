"""The rules of proof of training. Every function reads and returns; the first write comes after the verdict.

A message is judged in a `Context`: the parent it names, the time, and what the judge's own training gave. A light
client has no training; it checks everything else. Whoever calls has judged the author of the message itself.
"""

from functools import cached_property
from itertools import pairwise
from typing import Final

import msgspec

from protocol.cosigning import follow_the_coin
from protocol.crypto import Domain, compute_hash
from protocol.events import ChainRecord
from protocol.lottery import has_winning_ticket, is_slot_won
from protocol.mechanism import Context, Mechanism, RulesView
from protocol.mechanisms.proof_of_training.job import TrainingGenesis
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainedHeader,
    TrainedSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.mechanisms.proof_of_training.repairs import Repair
from protocol.mechanisms.proof_of_training.rewards import compute_coinbase
from protocol.mechanisms.proof_of_training.round import MAX_DECLARATIONS, has_confidence
from protocol.mechanisms.proof_of_training.secret import (
    compute_own_secret,
    compute_training_secret,
    is_commitment_to,
)
from protocol.mechanisms.proof_of_training.work import CompareWeights
from protocol.messages import Payout, Transaction
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32
from protocol.verdicts import ACCEPT, ChainReason, Reject, Verdict, Wait

DECLARATION_LOTTERY: Final = Domain(b"pot/declaration-lottery/1")
HEADER_LOTTERY: Final = Domain(b"pot/header-lottery/1")
SEEDED_DECLARATION_LOTTERY: Final = Domain(b"pot/declaration-lottery/2")
SEEDED_HEADER_LOTTERY: Final = Domain(b"pot/header-lottery/2")
SEEDED_STAKEHOLDERS: Final = Domain(b"pot/stakeholders/2")


class OwnTraining(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge itself got for the stage on this parent."""

    weights_digest: Hash32
    secret: Hash32
    """The training secret, from which that of each author follows where secrets belong to their authors."""
    is_near: bool | None = None
    """Whether the weights the message names lie within the tolerance of the judge's own; None if that is not known."""


TrainingContext = Context[OwnTraining]


class TrainingJudge(Mechanism):
    """The judging half of the mechanism: declarations, headers, stakeholders' signatures and blocks of one chain."""

    genesis: TrainingGenesis

    def __init__(self, genesis: TrainingGenesis) -> None:
        """Take what all parties agreed on."""
        self.genesis = genesis
        self.has_repairs: Final = bool(genesis.repairs)
        self.has_seeded_draws: Final = Repair.SEEDED_DRAWS in genesis.repairs
        self.has_single_rights: Final = Repair.SINGLE_RIGHTS in genesis.repairs
        self.has_ranked_ties: Final = Repair.RANKED_TIES in genesis.repairs
        self.has_open_rounds: Final = Repair.OPEN_ROUNDS in genesis.repairs
        self.has_own_secrets: Final = Repair.OWN_SECRETS in genesis.repairs
        self.pays_by_stake: Final = Repair.PAY_BY_STAKE in genesis.repairs

    # ---- who may speak when ----

    def has_won(self, right: Right, parent: ChainRecord, slot: int, author: AccountId) -> bool:
        """Return whether the author's stake after a parent won it a slot for declaring or proposing on it."""
        parameters, stakes = self.genesis.parameters, parent.state.stakes
        is_declaring = right is Right.DECLARE
        per_slot = parameters.declarations_per_slot if is_declaring else parameters.headers_per_slot
        if self.has_seeded_draws:
            lottery = SEEDED_DECLARATION_LOTTERY if is_declaring else SEEDED_HEADER_LOTTERY
            return has_winning_ticket(lottery, stakes, per_slot, seed=self.seed, slot=slot, author=author)
        return is_slot_won(
            DECLARATION_LOTTERY if is_declaring else HEADER_LOTTERY,
            stakes,
            per_slot,
            parent=parent.hash,
            height=parent.height + 1,
            slot=slot,
            author=author,
        )

    @cached_property
    def seed(self) -> Hash32:
        """What draws are made from where nobody may choose: the chain id."""
        return self.compute_chain_id()

    def draw_stakeholders(self, rules: RulesView, parent: ChainRecord, header: BlockHeader) -> tuple[AccountId, ...]:
        """Return the K stakeholders of a header, in order of the draw."""
        if self.has_seeded_draws:
            drawn_by = compute_hash(SEEDED_STAKEHOLDERS, self.seed, header.slot.to_bytes(8, "big"), header.author)
        else:
            drawn_by = rules.hash_message(header)
        stakeholders = self.genesis.parameters.stakeholders
        return rules.recall(("stakeholders", drawn_by), follow_the_coin, drawn_by, parent.state.stakes, stakeholders)

    def compute_secret(self, rules: RulesView, parent: ChainRecord, losses: bytes) -> Hash32:
        """Return the training secret on a parent."""
        key = ("secret", parent.hash, losses)
        return rules.recall(key, compute_training_secret, rules.chain_id, parent.height + 1, parent.hash, losses)

    def judge_right(self, context: TrainingContext, right: Right, author: AccountId, slot: int) -> Verdict:
        """Judge whether the author's stake in the parent state won it the slot."""
        return ACCEPT if self.has_won(right, context.parent, slot, author) else Reject(ChainReason.LOTTERY_LOST)

    def judge_slot(self, context: TrainingContext, header: BlockHeader) -> Verdict:
        """Judge the height and slot of a header, whose right may be good for later slots than the parent's only."""
        if self.has_single_rights and header.slot <= context.parent.slot and header.height == context.parent.height + 1:
            return Reject(ChainReason.SLOT_BEFORE_PARENT)
        return context.rules.judge_position(context, header.height, header.slot)

    # ---- training ----

    def find_secret(self, own: OwnTraining, author: AccountId) -> Hash32:
        """Return what an author that has trained knows."""
        return compute_own_secret(own.secret, author) if self.has_own_secrets else own.secret

    def judge_weights(self, context: TrainingContext, weights_digest: Hash32) -> Verdict:
        """Judge weights against the judge's own: equal bit by bit or, where the chain has a tolerance, near enough."""
        own = context.own
        if own is None or weights_digest == own.weights_digest:
            return ACCEPT
        if not self.genesis.tolerance or own.is_near is False:
            return Reject(TrainingReason.DIFFERENT_WEIGHTS)
        if own.is_near is None:
            return Wait(TrainingMissing.COMPARISON, CompareWeights(own.weights_digest, weights_digest))
        return ACCEPT

    def is_committed(self, rules: RulesView, declaration: TrainingDeclaration, secret: Hash32) -> bool:
        """Return whether a declaration commits its author to a secret."""
        return is_commitment_to(
            secret,
            declaration.commitment,
            declaration.author,
            chain_id=rules.chain_id,
            height=declaration.height,
            parent=declaration.parent,
            verify_signature=rules.verify,
        )

    # ---- money ----

    def build_coinbase(
        self,
        header: BlockHeader,
        stakeholders: tuple[AccountId, ...],
        transactions: tuple[Transaction, ...],
        stakes: StakeTable,
    ) -> tuple[Payout, ...]:
        """Return the one coinbase that is right for a block on a parent with these stakes."""
        return compute_coinbase(
            header.height,
            sum(transaction.fee for transaction in transactions),
            self.genesis.parameters.rewards,
            proposer=header.author,
            declarers=tuple(declaration.author for declaration in header.declarations),
            stakeholders=stakeholders,
            stakes=stakes if self.pays_by_stake else None,
            fees_to=header.author if self.has_repairs else None,
        )

    # ---- messages ----

    def judge_declaration(self, context: TrainingContext, declaration: TrainingDeclaration) -> Verdict:
        """Judge a declaration by itself.

        The commitment is checked against the judge's own secret, if the weights are the judge's own: losses have no
        distance, so other weights have another secret.
        """
        return self._judge_declaration(context, declaration, self._find_known_secret(context.own, declaration))

    def _find_known_secret(self, own: OwnTraining | None, message: TrainingDeclaration | BlockHeader) -> Hash32 | None:
        """Return the secret that the author of weights must know; None if the judge cannot know it."""
        if own is None or message.weights_digest != own.weights_digest:
            return None
        return self.find_secret(own, message.author)

    def _judge_declaration(
        self, context: TrainingContext, declaration: TrainingDeclaration, secret: Hash32 | None
    ) -> Verdict:
        verdict = context.rules.judge_position(context, declaration.height, declaration.slot)
        if verdict is not ACCEPT:
            return verdict
        verdict = self.judge_right(context, Right.DECLARE, declaration.author, declaration.slot)
        if verdict is not ACCEPT:
            return verdict
        if declaration.profile != self.genesis.job.profile:
            return Reject(TrainingReason.WRONG_PROFILE)
        verdict = self.judge_weights(context, declaration.weights_digest)
        if verdict is not ACCEPT:
            return verdict
        if secret is not None and not self.is_committed(context.rules, declaration, secret):
            return Reject(TrainingReason.BAD_COMMITMENT)
        return ACCEPT

    def judge_proposal(self, context: TrainingContext, header: BlockHeader) -> Verdict:
        """Judge a header that comes by itself: under version 2 of the rules with the transfers of its block."""
        verdict = self.judge_header(context, header)
        if verdict is not ACCEPT or not isinstance(header, TrainedHeader):
            return verdict
        return context.rules.judge_transfers(context.parent, header.transactions)

    def judge_header(self, context: TrainingContext, header: BlockHeader) -> Verdict:
        """Judge a header, each of its declarations in full, but for the transfers that it may commit to."""
        verdict = self.judge_slot(context, header)
        if verdict is not ACCEPT:
            return verdict
        verdict = self.judge_right(context, Right.PROPOSE, header.author, header.slot)
        if verdict is not ACCEPT:
            return verdict
        verdict = self.judge_weights(context, header.weights_digest)
        if verdict is not ACCEPT:
            return verdict
        secret = self._find_known_secret(context.own, header)
        if secret is not None and header.training_secret != secret:
            return Reject(TrainingReason.DIFFERENT_SECRET)
        return self._judge_declarations(context, header)

    def _judge_declarations(self, context: TrainingContext, header: BlockHeader) -> Verdict:
        if len(header.declarations) > MAX_DECLARATIONS:
            return Reject(TrainingReason.TOO_MANY_DECLARATIONS)
        authors = [declaration.author for declaration in header.declarations]
        if any(first >= second for first, second in pairwise(authors)):
            return Reject(TrainingReason.DECLARATIONS_NOT_DISTINCT)
        for declaration in header.declarations:
            belongs = (header.height, header.parent, header.weights_digest)
            if (declaration.height, declaration.parent, declaration.weights_digest) != belongs:
                return Reject(TrainingReason.DECLARATION_MISMATCH)
            if declaration.slot > header.slot:
                return Reject(TrainingReason.DECLARATION_AFTER_HEADER)
            verdict = context.rules.judge_author(context.parent.state, declaration)
            if verdict is not ACCEPT:
                return verdict
            secret = self._find_known_secret(context.own, declaration)
            if not self.has_own_secrets or (secret is None and declaration.author == header.author):
                secret = header.training_secret  # which under own secrets says nothing about other authors
            verdict = self._judge_declaration(context, declaration, secret)
            if verdict is not ACCEPT:
                return verdict
        rule = self.genesis.parameters.confidence
        if not has_confidence(rule, context.parent.state.stakes, frozenset(authors)):
            return Reject(TrainingReason.CONFIDENCE_NOT_REACHED)
        return ACCEPT

    def judge_signature(
        self,
        rules: RulesView,
        header: BlockHeader,
        signers: tuple[AccountId, ...],
        signature: StakeholderSignature,
        own: OwnTraining | None,
    ) -> Verdict:
        """Judge a signature over a known header by one of its first K-1 stakeholders."""
        named = (signature.height, signature.parent, signature.header)
        if named != (header.height, header.parent, rules.hash_message(header)):
            return Reject(TrainingReason.HEADER_MISMATCH)
        if signature.author not in signers:
            return Reject(TrainingReason.NOT_A_STAKEHOLDER)
        return self._judge_shown_secret(rules, header, signature, own)

    def _judge_shown_secret(
        self,
        rules: RulesView,
        header: BlockHeader,
        message: StakeholderSignature | WrappedBlock,
        own: OwnTraining | None,
    ) -> Verdict:
        """Judge whether who signs or wraps has trained, where that has to be shown.

        Who has not trained itself knows only whether it is what a declaration in the header commits to.
        """
        if not self.has_own_secrets or not isinstance(message, TrainedSignature | TrainedBlock):
            return ACCEPT
        if own is not None:
            is_right = message.training_secret == self.find_secret(own, message.author)
        else:
            declared = [item for item in header.declarations if item.author == message.author]
            is_right = all(self.is_committed(rules, item, message.training_secret) for item in declared)
        return ACCEPT if is_right else Reject(TrainingReason.UNTRAINED_STAKEHOLDER)

    def judge_proof(self, context: TrainingContext, block: WrappedBlock) -> Verdict:
        """Judge a block's header, the stakeholders' signatures and who wraps it."""
        rules, header = context.rules, block.header
        verdict = rules.judge_author(context.parent.state, header)
        if verdict is not ACCEPT:
            return verdict
        verdict = rules.judge_once(self.judge_header, context, header)
        if verdict is not ACCEPT:
            return verdict
        stakeholders = self.draw_stakeholders(rules, context.parent, header)
        if len(block.signatures) != len(stakeholders) - 1:
            return Reject(TrainingReason.WRONG_SIGNATURE_COUNT)
        for signer, signature in zip(stakeholders[:-1], block.signatures, strict=True):
            if not rules.is_signed(signature):
                return Reject(ChainReason.BAD_SIGNATURE)
            verdict = self.judge_signature(rules, header, (signer,), signature, context.own)
            if verdict is not ACCEPT:
                return verdict
        if block.author != stakeholders[-1]:
            return Reject(TrainingReason.WRONG_WRAPPER)
        return self._judge_shown_secret(rules, header, block, context.own)

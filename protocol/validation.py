"""The rules a message must meet. Every function here reads and returns; the first write comes after the verdict.

``judge_*`` checks the message against a `Place`: the parent it names, the time, and what the judge's own training gave.
A light client has no training; it checks everything else.
"""

import hashlib
from itertools import pairwise
from typing import Final

import msgspec

from protocol.books import MAX_DECLARATIONS, has_confidence
from protocol.chain import BlockRecord
from protocol.codec import decode_frame, encode
from protocol.crypto import Domain, compute_content_hash, verify
from protocol.job import Genesis, compute_chain_id
from protocol.ledger import LedgerState, apply_block, find_block_fault
from protocol.lottery import compute_slot, follow_the_coin, is_slot_won
from protocol.messages import (
    BlockHeader,
    Message,
    Payout,
    StakeholderSignature,
    TrainingDeclaration,
    Transaction,
    WrappedBlock,
)
from protocol.rewards import compute_coinbase, compute_subsidy
from protocol.training import compute_training_secret, is_commitment_to
from protocol.types import AccountId, Hash32, Nanoseconds, Signature, WeightsPair
from protocol.verdicts import ACCEPT, Ignore, Missing, Reason, Reject, Verdict, Wait

PoTRecord = BlockRecord[WrappedBlock, LedgerState]
"""A block of this chain with the ledger after it."""


class Rules:
    """What never changes on one chain, and the pure functions that judging rests on.

    A driver that runs many participants in one process may give them all one subclass that remembers answers: each
    method is a function of its arguments and the genesis alone, but for a slot that is still in the future.
    """

    def __init__(self, genesis: Genesis) -> None:
        """Take what all parties agreed on."""
        self.genesis: Final = genesis
        self.chain_id: Final = compute_chain_id(genesis)
        self.origin: Final[PoTRecord] = BlockRecord(self.chain_id, b"", 0, 0, None, LedgerState.from_genesis(genesis))
        """The genesis as a block."""

    def decode(self, frame: bytes) -> Message:
        """Return the message in a frame; see `protocol.codec.decode_frame`."""
        return decode_frame(self.chain_id, frame)

    def encode(self, message: Message) -> bytes:
        """Return a message's canonical bytes."""
        return encode(message)

    def hash_frame(self, frame: bytes) -> Hash32:
        """Return what a frame is recognised by when it comes again."""
        return hashlib.sha256(frame).digest()

    def hash_message(self, message: Message) -> Hash32:
        """Return a message's content hash; see `protocol.crypto.compute_content_hash`."""
        return compute_content_hash(self.chain_id, message)

    def has_won(self, domain: Domain, parent: "PoTRecord", slot: int, author: AccountId) -> bool:
        """Return whether the author's stake after a parent won it a slot for declaring or proposing on it."""
        parameters = self.genesis.parameters
        is_declaring = domain is Domain.DECLARATION_LOTTERY
        return is_slot_won(
            domain,
            parent.state.stakes,
            parameters.declarations_per_slot if is_declaring else parameters.headers_per_slot,
            parent=parent.hash,
            height=parent.height + 1,
            slot=slot,
            author=author,
        )

    def find_header(self, message: Message) -> Hash32 | None:
        """Return the hash of the header that a header, a stakeholder's signature or a block is about."""
        if isinstance(message, StakeholderSignature):
            return message.header
        if isinstance(message, WrappedBlock):
            return self.hash_message(message.header)
        return self.hash_message(message) if isinstance(message, BlockHeader) else None

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right; see `protocol.crypto.verify`."""
        return verify(public_key, digest, signature)

    def is_signed(self, message: Message) -> bool:
        """Return whether a message carries its author's own signature."""
        return self.verify(message.author, self.hash_message(message), message.signature)

    def compute_secret(self, height: int, parent: Hash32, losses: bytes) -> Hash32:
        """Return the training secret on a parent; see `protocol.training.compute_training_secret`."""
        return compute_training_secret(self.chain_id, height, parent, losses)

    def draw_stakeholders(self, parent: "PoTRecord", header: BlockHeader) -> tuple[AccountId, ...]:
        """Return the K stakeholders of a header, in order of the draw."""
        return follow_the_coin(self.hash_message(header), parent.state.stakes, self.genesis.parameters.stakeholders)

    def judge_declaration(self, place: "Place", declaration: TrainingDeclaration) -> Verdict:
        """Judge a declaration by itself; see `judge_declaration`."""
        return judge_declaration(place, declaration)

    def judge_header(self, place: "Place", header: BlockHeader) -> Verdict:
        """Judge a header; see `judge_header`."""
        return judge_header(place, header)

    def judge_block(self, place: "Place", block: WrappedBlock) -> Verdict:
        """Judge a whole block; see `judge_block`."""
        return judge_block(place, block)

    def build_record(self, parent: "PoTRecord", block: WrappedBlock) -> "PoTRecord":
        """Return the record of a judged block; see `build_record`."""
        return build_record(self, parent, block)


class OwnTraining(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge itself got for the stage on this parent."""

    weights_digest: Hash32
    secret: Hash32


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message claims to belong."""

    rules: Rules
    parent: PoTRecord
    now: Nanoseconds
    own: OwnTraining | None
    """None for a light client, which cannot judge the training itself."""
    is_near: bool | None = None
    """Whether the weights the message names lie within the tolerance of the judge's own; None if that is not known."""

    @property
    def slot(self) -> int:
        """The slot it is now."""
        return compute_slot(self.now, self.rules.genesis.parameters.slot_ns)


def judge_height(rules: Rules, parent: PoTRecord, height: int) -> Verdict:
    """Judge whether the job has a stage for this height, and whether it is the parent's next one."""
    if height != parent.height + 1:
        return Reject(Reason.WRONG_HEIGHT)
    if height > rules.genesis.job.stages:
        return Reject(Reason.BEYOND_JOB)
    return ACCEPT


def judge_position(place: Place, height: int, slot: int) -> Verdict:
    """Judge whether a height and slot can follow the parent."""
    verdict = judge_height(place.rules, place.parent, height)
    if verdict is not ACCEPT:
        return verdict
    if slot < place.parent.slot:
        return Reject(Reason.SLOT_BEFORE_PARENT)
    if slot > place.slot:
        return Ignore(Reason.FUTURE_SLOT)
    return ACCEPT


def judge_right(place: Place, domain: Domain, author: AccountId, slot: int) -> Verdict:
    """Judge whether the author's stake in the parent state won it the slot."""
    if not place.parent.state.stakes.get_stake(author):
        return Reject(Reason.NOT_BONDED)
    return ACCEPT if place.rules.has_won(domain, place.parent, slot, author) else Reject(Reason.LOTTERY_LOST)


def judge_weights(place: Place, weights_digest: Hash32) -> Verdict:
    """Judge weights against the judge's own: equal bit by bit or, where the chain has a tolerance, near enough."""
    own = place.own
    if own is None or weights_digest == own.weights_digest:
        return ACCEPT
    if not place.rules.genesis.tolerance or place.is_near is False:
        return Reject(Reason.DIFFERENT_WEIGHTS)
    if place.is_near is None:
        return Wait(Missing.COMPARISON, WeightsPair(own.weights_digest, weights_digest))
    return ACCEPT


def judge_declaration(place: Place, declaration: TrainingDeclaration, revealed: Hash32 | None = None) -> Verdict:
    """Judge a declaration whose parent is known.

    Args:
        place: Where it belongs, and what the judge trained.
        declaration: The message.
        revealed: The secret of the header that includes it; without one the commitment is checked against the judge's
            own secret, if the weights are the judge's own: losses have no distance, so other weights have another one.
    """
    if not place.rules.is_signed(declaration):
        return Reject(Reason.BAD_SIGNATURE)
    verdict = judge_position(place, declaration.height, declaration.slot)
    if verdict is not ACCEPT:
        return verdict
    verdict = judge_right(place, Domain.DECLARATION_LOTTERY, declaration.author, declaration.slot)
    if verdict is not ACCEPT:
        return verdict
    if declaration.profile != place.rules.genesis.job.profile:
        return Reject(Reason.WRONG_PROFILE)
    verdict = judge_weights(place, declaration.weights_digest)
    if verdict is not ACCEPT:
        return verdict
    secret = revealed
    if secret is None and place.own is not None and declaration.weights_digest == place.own.weights_digest:
        secret = place.own.secret
    if secret is not None and not is_commitment_to(
        secret,
        declaration.commitment,
        declaration.author,
        chain_id=place.rules.chain_id,
        height=declaration.height,
        parent=declaration.parent,
        verify_signature=place.rules.verify,
    ):
        return Reject(Reason.BAD_COMMITMENT)
    return ACCEPT


def judge_header(place: Place, header: BlockHeader) -> Verdict:
    """Judge a header whose parent is known, each of its declarations in full."""
    if not place.rules.is_signed(header):
        return Reject(Reason.BAD_SIGNATURE)
    verdict = judge_position(place, header.height, header.slot)
    if verdict is not ACCEPT:
        return verdict
    verdict = judge_right(place, Domain.HEADER_LOTTERY, header.author, header.slot)
    if verdict is not ACCEPT:
        return verdict
    verdict = judge_weights(place, header.weights_digest)
    if verdict is not ACCEPT:
        return verdict
    own = place.own
    if own is not None and header.weights_digest == own.weights_digest and header.training_secret != own.secret:
        return Reject(Reason.DIFFERENT_SECRET)
    return _judge_declarations(place, header)


def _judge_declarations(place: Place, header: BlockHeader) -> Verdict:
    if len(header.declarations) > MAX_DECLARATIONS:
        return Reject(Reason.TOO_MANY_DECLARATIONS)
    authors = [declaration.author for declaration in header.declarations]
    if any(first >= second for first, second in pairwise(authors)):
        return Reject(Reason.DECLARATIONS_NOT_DISTINCT)
    for declaration in header.declarations:
        belongs = (header.height, header.parent, header.weights_digest)
        if (declaration.height, declaration.parent, declaration.weights_digest) != belongs:
            return Reject(Reason.DECLARATION_MISMATCH)
        if declaration.slot > header.slot:
            return Reject(Reason.DECLARATION_AFTER_HEADER)
        verdict = judge_declaration(place, declaration, revealed=header.training_secret)
        if verdict is not ACCEPT:
            return verdict
    rule = place.rules.genesis.parameters.confidence
    if not has_confidence(rule, place.parent.state.stakes, frozenset(authors)):
        return Reject(Reason.CONFIDENCE_NOT_REACHED)
    return ACCEPT


def judge_stakeholder_signature(
    rules: Rules, header: BlockHeader, signers: tuple[AccountId, ...], signature: StakeholderSignature
) -> Verdict:
    """Judge a signature over a known header by one of its first K-1 stakeholders."""
    if not rules.is_signed(signature):
        return Reject(Reason.BAD_SIGNATURE)
    named = (signature.height, signature.parent, signature.header)
    if named != (header.height, header.parent, rules.hash_message(header)):
        return Reject(Reason.HEADER_MISMATCH)
    if signature.author not in signers:
        return Reject(Reason.NOT_A_STAKEHOLDER)
    return ACCEPT


def judge_block(place: Place, block: WrappedBlock) -> Verdict:
    """Judge a whole block whose parent is known: header, stakeholders, transactions and money."""
    rules = place.rules
    if not rules.is_signed(block):
        return Reject(Reason.BAD_SIGNATURE)
    verdict = judge_header(place, block.header)
    if verdict is not ACCEPT:
        return verdict
    stakeholders = rules.draw_stakeholders(place.parent, block.header)
    if len(block.signatures) != len(stakeholders) - 1:
        return Reject(Reason.WRONG_SIGNATURE_COUNT)
    for signer, signature in zip(stakeholders[:-1], block.signatures, strict=True):
        verdict = judge_stakeholder_signature(rules, block.header, (signer,), signature)
        if verdict is not ACCEPT:
            return verdict
    if block.author != stakeholders[-1]:
        return Reject(Reason.WRONG_WRAPPER)
    return _judge_money(place, block, stakeholders)


def _judge_money(place: Place, block: WrappedBlock, stakeholders: tuple[AccountId, ...]) -> Verdict:
    rules = place.rules
    if len(block.transactions) > rules.genesis.parameters.max_transactions:
        return Reject(Reason.TOO_MANY_TRANSACTIONS)
    if not all(rules.is_signed(transaction) for transaction in block.transactions):
        return Reject(Reason.BAD_SIGNATURE)
    fault = find_block_fault(place.parent.state, block.transactions)
    if fault is not None:
        return Reject(fault)
    if block.coinbase != build_coinbase(rules, block.header, stakeholders, block.transactions):
        return Reject(Reason.WRONG_COINBASE)
    return ACCEPT


def build_coinbase(
    rules: Rules,
    header: BlockHeader,
    stakeholders: tuple[AccountId, ...],
    transactions: tuple[Transaction, ...],
) -> tuple[Payout, ...]:
    """Return the one coinbase that is right for a block."""
    return compute_coinbase(
        header.height,
        sum(transaction.fee for transaction in transactions),
        rules.genesis.parameters.rewards,
        proposer=header.author,
        declarers=tuple(declaration.author for declaration in header.declarations),
        stakeholders=stakeholders,
    )


def build_record(rules: Rules, parent: PoTRecord, block: WrappedBlock) -> PoTRecord:
    """Return the record of a judged block, with the ledger after it."""
    state = apply_block(parent.state, block.transactions, block.coinbase, minted=compute_subsidy(block.height))
    block_hash = rules.hash_message(block)
    return BlockRecord(block_hash, parent.hash, block.height, block.header.slot, block, state)

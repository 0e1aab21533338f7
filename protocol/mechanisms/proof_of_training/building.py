"""What stakeholders make of a header: signatures, and a whole block. Nothing here is signed yet."""

from collections.abc import Sequence
from typing import Final

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.mechanism import RulesView
from protocol.mechanisms.proof_of_training.judging import TrainingJudge
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainedSignature,
    WrappedBlock,
)
from protocol.messages import Payout, Transaction
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32

BODY: Final = Domain(b"pot/body/2")

NOTHING: Final = bytes(32)
"""What is shown for a secret where secrets are shared."""


def compute_body_digest(transactions: tuple[Transaction, ...], coinbase: tuple[Payout, ...]) -> Hash32:
    """Return what a block of version 2 holds in its hash in place of its transfers and its coinbase."""
    return compute_hash(BODY, encode(transactions), encode(coinbase))


def build_signature(
    judge: TrainingJudge, rules: RulesView, header: BlockHeader, author: AccountId, secret: Hash32
) -> StakeholderSignature:
    """Return a stakeholder's word for a header; its own secret is shown where secrets belong to their authors."""
    height, parent, header_hash = header.height, header.parent, rules.hash_message(header)
    if judge.has_repairs:
        shown = secret if judge.has_own_secrets else NOTHING
        return TrainedSignature(height=height, parent=parent, header=header_hash, author=author, training_secret=shown)
    return StakeholderSignature(height=height, parent=parent, header=header_hash, author=author)


def build_block(
    judge: TrainingJudge,
    header: BlockHeader,
    stakeholders: tuple[AccountId, ...],
    signatures: Sequence[StakeholderSignature],
    transactions: tuple[Transaction, ...],
    *,
    stakes: StakeTable,
    secret: Hash32,
) -> WrappedBlock:
    """Return the block that the last stakeholder wraps.

    Args:
        judge: The mechanism.
        header: What was proposed.
        stakeholders: All K, in order of the draw.
        signatures: Those of the first K-1, in that order.
        transactions: Transfers, in the order they are applied.
        stakes: Bonds in the state of the parent.
        secret: The wrapper's own secret, shown where secrets belong to their authors.
    """
    author = stakeholders[-1]
    coinbase = judge.build_coinbase(header, stakeholders, transactions, stakes)
    if not judge.has_repairs:
        return WrappedBlock(
            header=header,
            signatures=tuple(signatures),
            transactions=transactions,
            coinbase=coinbase,
            author=author,
        )
    return TrainedBlock(
        header=header,
        signatures=tuple(item for item in signatures if isinstance(item, TrainedSignature)),
        transactions=transactions,
        coinbase=coinbase,
        author=author,
        body=compute_body_digest(transactions, coinbase),
        training_secret=secret if judge.has_own_secrets else NOTHING,
    )

"""What is made of declarations and a header: proposals, signatures, a whole block. Nothing here is signed yet."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec

from protocol.events import ChainRecord
from protocol.mechanism import RulesView
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainedHeader,
    TrainedSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.messages import Transaction
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32

NOTHING: Final = bytes(32)
"""What is shown for a secret where secrets are shared."""


def build_header(
    judge: TrainingJudge,
    parent: ChainRecord,
    own: OwnTraining,
    declarations: tuple[TrainingDeclaration, ...],
    transactions: tuple[Transaction, ...] = (),
    *,
    author: AccountId,
    slot: int,
) -> BlockHeader:
    """Return a proposal of what its author has trained.

    Args:
        judge: The mechanism.
        parent: The block it builds on.
        own: What the author has trained on it.
        declarations: Those it carries, by ascending author.
        transactions: Transfers, in the order they are applied; under version 1 of the rules the wrapper chooses them.
        author: Who proposes.
        slot: The slot whose right it uses.
    """
    make_header: Callable[..., BlockHeader] = BlockHeader
    if judge.has_repairs:
        make_header = partial(TrainedHeader, body=compute_body_digest(transactions), transactions=transactions)
    return make_header(
        height=parent.height + 1,
        parent=parent.hash,
        slot=slot,
        author=author,
        weights_digest=own.weights_digest,
        training_secret=judge.find_secret(own, author),
        declarations=declarations,
    )


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
        transactions: Transfers that the wrapper has chosen; under version 2 of the rules the header says which.
        stakes: Bonds in the state of the parent.
        secret: The wrapper's own secret, shown where secrets belong to their authors.
    """
    author = stakeholders[-1]
    if isinstance(header, TrainedHeader):
        transactions = header.transactions
    coinbase = judge.build_coinbase(header, stakeholders, transactions, stakes)
    if not isinstance(header, TrainedHeader):
        return WrappedBlock(
            header=header,
            signatures=tuple(signatures),
            transactions=transactions,
            coinbase=coinbase,
            author=author,
        )
    return TrainedBlock(
        header=msgspec.structs.replace(header, transactions=()),
        signatures=tuple(item for item in signatures if isinstance(item, TrainedSignature)),
        transactions=transactions,
        coinbase=coinbase,
        author=author,
        training_secret=secret if judge.has_own_secrets else NOTHING,
    )

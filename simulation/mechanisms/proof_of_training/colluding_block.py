"""A block that everybody it names has signed, whatever it says: only the rules can stop it, no signature will."""

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from protocol.crypto import KeyPair
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.building import build_block, build_signature
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    TrainedHeader,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.messages import Transaction
from protocol.rules import Rules
from protocol.types import AccountId, Hash32


def build_colluding_block(rules: Rules, keys: Mapping[bytes, KeyPair], header: BlockHeader) -> WrappedBlock:
    """Return an empty block on a header, whose proposer, declarers, stakeholders and wrapper say what it needs.

    Args:
        rules: The chain's rules.
        keys: Keys by owner, those of all who have a bond among them.
        header: What they agree on; its author has a bond, and its signature need not be right.
    """
    chain_id = rules.chain_id
    declarations = tuple(
        _declare(chain_id, keys[item.author], item, header) for item in header.declarations if item.author in keys
    )
    header = msgspec.structs.replace(header, declarations=declarations)
    return wrap_as_colluders(rules, keys, header, (), defaultdict(lambda: header.training_secret))


def wrap_as_colluders(
    rules: Rules,
    keys: Mapping[bytes, KeyPair],
    header: BlockHeader,
    transactions: tuple[Transaction, ...],
    secrets: Mapping[AccountId, Hash32],
) -> WrappedBlock:
    """Return a block on a header with other transfers, which its proposer, stakeholders and wrapper sign.

    Args:
        rules: The chain's rules.
        keys: Keys by owner, those of all who have a bond among them.
        header: What they agree on, but for the transfers it may commit to; its signature need not be right.
        transactions: The transfers.
        secrets: What each of the stakeholders shows as its own.
    """
    chain_id, pot = rules.chain_id, get_training(rules)
    if isinstance(header, TrainedHeader):
        body = compute_body_digest(transactions)
        header = msgspec.structs.replace(header, transactions=transactions, body=body)
    header = keys[header.author].sign(chain_id, header)
    stakes = rules.origin.state.stakes  # bonds are always those of the genesis
    stakeholders = pot.draw_stakeholders(rules, rules.origin, header)
    signatures = [
        keys[author].sign(chain_id, build_signature(pot, rules, header, author, secrets[author]))
        for author in stakeholders[:-1]
    ]
    secret = secrets[stakeholders[-1]]
    block = build_block(pot, header, stakeholders, signatures, transactions, stakes=stakes, secret=secret)
    return keys[block.author].sign(chain_id, block)


def _declare(
    chain_id: bytes, pair: KeyPair, declaration: TrainingDeclaration, header: BlockHeader
) -> TrainingDeclaration:
    """Return a declaration that backs whatever the header claims."""
    changed = msgspec.structs.replace(
        declaration,
        height=header.height,
        parent=header.parent,
        weights_digest=header.weights_digest,
        commitment=commit(pair, chain_id, header.height, header.parent, header.training_secret),
    )
    return pair.sign(chain_id, changed)

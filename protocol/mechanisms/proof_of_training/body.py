"""The transfers of a block of version 2, to which its header commits."""

from typing import Final

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.messages import Transaction
from protocol.types import Hash32

BODY: Final = Domain(b"pot/body/2")


def compute_body_digest(transactions: tuple[Transaction, ...]) -> Hash32:
    """Return what a header of version 2 holds in its hash in place of the transfers."""
    return compute_hash(BODY, encode(transactions))

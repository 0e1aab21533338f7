"""The training secret: a hash chain over the loss of each step, bound to the block it was trained for."""

from typing import Final

from protocol.crypto import Domain, KeyPair, Verify, compute_hash
from protocol.types import AccountId, Hash32, Signature

COMMITMENT: Final = Domain(b"pot/commitment/1")
SECRET: Final = Domain(b"pot/secret/1")
SECRET_STEP: Final = Domain(b"pot/secret-step/1")
OWN_SECRET: Final = Domain(b"pot/own-secret/2")

LOSS_BYTES: Final = 4
"""A loss is one IEEE 754 binary32 number, big-endian."""


def compute_training_secret(chain_id: Hash32, height: int, parent: Hash32, losses: bytes) -> Hash32:
    """Return the secret of a stage on one parent.

    ``s_0 = H(domain, chain id, height, parent)`` and ``s_{i+1} = H(domain, loss_i, s_i)``. The parent makes a secret
    worthless on another branch, while the loss trace can be used again to compute the secret there.

    Raises:
        ValueError: ``losses`` is not a whole number of float32 values.
    """
    if len(losses) % LOSS_BYTES:
        raise ValueError(f"losses must be whole float32 numbers, got {len(losses)} bytes")
    secret = compute_hash(SECRET, chain_id, height.to_bytes(4, "big"), parent)
    for start in range(0, len(losses), LOSS_BYTES):
        secret = compute_hash(SECRET_STEP, losses[start : start + LOSS_BYTES], secret)
    return secret


def compute_own_secret(training_secret: Hash32, author: AccountId) -> Hash32:
    """Return what the training secret of a stage is for one author.

    Whoever has trained can work it out for each author; from that of one author nobody gets that of another.
    """
    return compute_hash(OWN_SECRET, training_secret, author)


def _commitment_hash(chain_id: Hash32, height: int, parent: Hash32, secret: Hash32) -> Hash32:
    return compute_hash(COMMITMENT, chain_id, height.to_bytes(4, "big"), parent, secret)


def commit(keys: KeyPair, chain_id: Hash32, height: int, parent: Hash32, secret: Hash32) -> Signature:
    """Return the signature that commits its owner to a secret without showing it."""
    return keys.sign_hash(_commitment_hash(chain_id, height, parent, secret))


def is_commitment_to(
    secret: Hash32,
    commitment: Signature,
    author: AccountId,
    *,
    chain_id: Hash32,
    height: int,
    parent: Hash32,
    verify_signature: Verify,
) -> bool:
    """Return whether ``commitment`` is the author's commitment to ``secret`` for this height and parent."""
    return verify_signature(author, _commitment_hash(chain_id, height, parent, secret), commitment)

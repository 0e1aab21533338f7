"""The work: hashing a header with one nonce after the other, and checking one nonce with one evaluation."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.mechanisms.proof_of_work.genesis import HashName, Proof
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.messages import UNSIGNED, Transaction
from protocol.types import Hash32

BODY: Final = Domain(b"pot/work/body/1")
HEADER: Final = Domain(b"pot/work/header/1")
STAND_IN: Final = Domain(b"pot/work/stand-in/1")

GUESSES: Final = 2**64
"""Number of different guesses."""

_GUESS_BYTES: Final = 8
_NONCE_BYTES: Final = 8
_NONCES: Final = 2**62

HASHES: Final[Mapping[HashName, Callable[[bytes], Any]]] = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


class SearchNonce(msgspec.Struct, frozen=True):
    """Slow work: look for a nonce. How many are tried before the node is asked again is for whoever does it."""

    digest: bytes
    """Digest of the header."""
    target: int
    """What the guess must be below."""
    start: int
    """First nonce to try; the others follow one by one."""


class Searched(msgspec.Struct, frozen=True):
    """What has come of looking for a nonce."""

    nonce: int | None
    """One that does; None where none of those tried does."""
    tried: int
    """How many were tried."""


def compute_body_digest(transactions: tuple[Transaction, ...]) -> Hash32:
    """Return what a header holds in place of its transfers."""
    return compute_hash(BODY, encode(transactions))


def compute_header_digest(chain_id: Hash32, block: WorkedBlock) -> Hash32:
    """Return what a nonce is found for: everything in a header but the nonce and the signature."""
    bare = msgspec.structs.replace(block, nonce=0, transactions=(), coinbase=(), signature=UNSIGNED)
    return compute_hash(HEADER, chain_id, encode(bare))


def compute_guess(hash_name: HashName, nonce: int, digest: bytes) -> int:
    """Return a nonce's guess: the first 8 bytes, big-endian, of the hash of the hash of nonce and digest."""
    hashed = HASHES[hash_name]
    return int.from_bytes(hashed(hashed(nonce.to_bytes(_NONCE_BYTES, "big") + digest).digest()).digest()[:_GUESS_BYTES])


def compute_stand_in(digest: bytes) -> int:
    """Return the only nonce that does for a header where no work is shown: it costs one hash."""
    return int.from_bytes(compute_hash(STAND_IN, digest)[:_NONCE_BYTES]) % _NONCES


def does(proof: Proof, hash_name: HashName, nonce: int, digest: Hash32, target: int) -> bool:
    """Return whether a nonce does for a header with this digest: one evaluation, whoever looked for it how long."""
    if proof == "stand_in":
        return nonce == compute_stand_in(digest)
    return compute_guess(hash_name, nonce, digest) < target


def search(hash_name: HashName, task: SearchNonce, most: int) -> Searched:
    """Try up to ``most`` nonces and return what has come of it."""
    hashed, digest = HASHES[hash_name], task.digest
    bound = task.target.to_bytes(_GUESS_BYTES, "big")
    for nonce in range(task.start, task.start + most):
        guess = hashed(hashed(nonce.to_bytes(_NONCE_BYTES, "big") + digest).digest()).digest()
        if guess[:_GUESS_BYTES] < bound:  # as `compute_guess` has it, without making a number of each
            return Searched(nonce, nonce - task.start + 1)
    return Searched(None, most)

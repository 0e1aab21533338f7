"""Stamps: work that a transfer shows before anybody looks at it, so that sending many of them costs much.

Back, "Hashcash - a denial of service counter-measure" (2002), for transfers. On a chain that asks for b bits, the
author of a signed transfer looks for a number with which the hash of transfer, signature and number begins with b zero
bits: 2^b tries on average, geometrically distributed. Whoever is sent the transfer checks that by one hash, before the
signature, which takes longer.

The number stands behind the signature, in the same field, so that nothing of what is signed or named changes. As the
hash is over the transfer's own, which begins with the chain's name, a stamp is good for one transfer of one chain, and
the transfer's number lets it be applied once. There is no date that could be a wrong one: a stamp can be made ahead
of time, but only by whoever can sign the transfer, and not before the chain exists.
"""

import hashlib
from itertools import count
from typing import Final

from protocol.crypto import Domain, compute_hash, framed
from protocol.types import SIGNATURE_BYTES, STAMP_BYTES, Hash32, SealedSignature, Signature
from protocol.verdicts import LedgerReason

STAMP: Final = Domain(b"pot/stamp/1")

MAX_STAMP_BITS: Final = 64
"""More than anybody will ever find."""

_DIGEST_BITS: Final = 256


def compute_stamp_digest(content_hash: Hash32, sealed: SealedSignature) -> Hash32:
    """Return what has to begin with zero bits.

    Args:
        content_hash: Of the transfer; the chain's name is part of it.
        sealed: The signature, and the number behind it.
    """
    return compute_hash(STAMP, content_hash, sealed)


def find_stamp_fault(bits: int, content_hash: Hash32, sealed: SealedSignature) -> LedgerReason | None:
    """Return what is wrong with the stamp of a transfer, or None.

    Args:
        bits: Zero bits that the chain asks for; 0: no stamp is allowed, so that a transfer has one form.
        content_hash: Of the transfer.
        sealed: Its signature, and what stands behind it.
    """
    if not bits:
        return None if len(sealed) == SIGNATURE_BYTES else LedgerReason.UNASKED_STAMP
    if len(sealed) != SIGNATURE_BYTES + STAMP_BYTES:
        return LedgerReason.NO_STAMP
    is_worked_for = count_zero_bits(compute_stamp_digest(content_hash, sealed)) >= bits
    return None if is_worked_for else LedgerReason.BAD_STAMP


def count_zero_bits(digest: Hash32) -> int:
    """Return how many zero bits a digest begins with."""
    return _DIGEST_BITS - int.from_bytes(digest, "big").bit_length()


def mint(bits: int, content_hash: Hash32, signature: Signature) -> tuple[SealedSignature, int]:
    """Return a signature with a stamp behind it, and how many hashes it took: 2^bits on average."""
    sealed_bytes = SIGNATURE_BYTES + STAMP_BYTES
    head = hashlib.sha256(framed(STAMP, content_hash) + sealed_bytes.to_bytes(4, "big") + signature)
    bound = 1 << (_DIGEST_BITS - bits)
    for number in count():
        stamp = number.to_bytes(STAMP_BYTES, "big")
        tried = head.copy()
        tried.update(stamp)
        if int.from_bytes(tried.digest(), "big") < bound:  # as `count_zero_bits` has it, a third faster
            return signature + stamp, number + 1
    raise AssertionError("counting does not end")

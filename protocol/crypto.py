"""Hashes and signatures, each under a tag that says what it is for.

Hash: SHA-256 (FIPS 180-4). Signature: Ed25519 (RFC 8032). A signature covers the content hash of a message, and the
content hash covers the purpose tag, the chain id and the canonical bytes, so that a signature made for one purpose,
chain or message serves no other.
"""

import hashlib
from collections.abc import Callable
from typing import Final, NewType, TypeVar

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from protocol.codec import encode
from protocol.messages import UNSIGNED, Message
from protocol.types import AccountId, Hash32, Signature

M = TypeVar("M", bound=Message)


Domain = NewType("Domain", bytes)
"""Tag that says what a hash or signature is for; no two purposes hash the same bytes. Each module owns its tags."""

MESSAGE: Final = Domain(b"pot/message/1")


def framed(*parts: bytes) -> bytes:
    """Join parts, each behind its length in four big-endian bytes, so that no two lists give the same bytes."""
    joined = b""
    for part in parts:  # a third faster than joining a list, and drawing lots is mostly this
        joined += len(part).to_bytes(4, "big") + part
    return joined


def compute_hash(domain: Domain, *parts: bytes) -> Hash32:
    """Return the SHA-256 digest of the framed parts under a purpose tag."""
    return hashlib.sha256(framed(domain, *parts)).digest()


def compute_content_hash(chain_id: Hash32, message: Message) -> Hash32:
    """Return the hash that identifies a message: what the author of that by which it is named signs."""
    return compute_signed_hash(chain_id, message.naming)


def compute_signed_hash(chain_id: Hash32, message: Message) -> Hash32:
    """Return the hash that the author of a message signs; it leaves the signature out.

    The type of the message is part of its canonical bytes, so it is part of the hash. What is detached is left out too.
    """
    unsigned = msgspec.structs.replace(message, signature=UNSIGNED, **message.detached)
    return compute_hash(MESSAGE, chain_id, encode(unsigned))


def verify(public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
    """Return whether ``signature`` is ``public_key``'s signature over ``digest``."""
    try:
        VerifyKey(public_key).verify(digest, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


Verify = Callable[[bytes, bytes, bytes], bool]
"""How signatures are checked; a driver may pass a function that remembers the answers of `verify`."""


class KeyPair:
    """A private key that never leaves this object, and the public key that names its owner."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        """Derive the pair from 32 bytes that nobody else knows.

        Raises:
            ValueError: The seed is not 32 bytes long.
        """
        self._private: Final = SigningKey(seed)
        self.public: Final[AccountId] = bytes(self._private.verify_key)

    def sign_hash(self, digest: Hash32) -> Signature:
        """Return the signature over a digest; the caller has put a domain into it."""
        return self._private.sign(digest).signature

    def sign(self, chain_id: Hash32, message: M) -> M:
        """Return the message with its signature field filled in."""
        signature = self.sign_hash(compute_signed_hash(chain_id, message))
        return msgspec.structs.replace(message, signature=signature)

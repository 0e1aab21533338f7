"""Many valid signatures of one signer over one message, and the hashes of what holds them.

RFC 8032 has a signer derive the nonce of an Ed25519 signature from the message, but nobody who verifies can tell: any
nonce gives a valid signature, and so another message around it with another hash.
"""

import hashlib
from typing import Final

import msgspec
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp, crypto_sign_seed_keypair

from protocol.codec import encode
from protocol.crypto import MESSAGE, M, compute_signed_hash, framed
from protocol.messages import UNSIGNED, Message
from protocol.types import AccountId, Hash32, Signature

_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""Order of the group that Ed25519 computes in."""


class NonceSigner:
    """A signer that chooses the nonces of its signatures."""

    def __init__(self, seed: bytes) -> None:
        """Take the 32 bytes that the key pair is made from."""
        digest = hashlib.sha512(seed).digest()
        clamped = bytearray(digest[:32])
        clamped[0] &= 248
        clamped[31] = clamped[31] & 127 | 64
        self._scalar: Final = int.from_bytes(clamped, "little")
        self._secret: Final = digest[32:]
        self.public: Final[AccountId] = crypto_sign_seed_keypair(seed)[0]

    def sign_hash(self, digest: Hash32, number: int) -> Signature:
        """Return the signature over a digest that has a number: each number gives another one."""
        drawn = hashlib.sha512(self._secret + number.to_bytes(8, "big") + digest).digest()
        nonce = int.from_bytes(drawn, "little") % _ORDER
        point = crypto_scalarmult_ed25519_base_noclamp(nonce.to_bytes(32, "little"))
        challenge = int.from_bytes(hashlib.sha512(point + self.public + digest).digest(), "little")
        return point + ((nonce + challenge * self._scalar) % _ORDER).to_bytes(32, "little")

    def sign(self, chain_id: Hash32, message: M, number: int) -> M:
        """Return a message with the signature that has a number."""
        return msgspec.structs.replace(
            message, signature=self.sign_hash(compute_signed_hash(chain_id, message), number)
        )


class HashWithout:
    """The content hash of a message as a function of one signature inside it, without encoding it again."""

    def __init__(self, chain_id: Hash32, message: Message, inner: Signature) -> None:
        """Take the message, and the signature in it that will be another one.

        Raises:
            ValueError: The message does not hold this signature, or no hash of it would.
        """
        unsigned = msgspec.structs.replace(message, signature=UNSIGNED, **message.detached)
        before, found, after = framed(MESSAGE, chain_id, encode(unsigned)).partition(inner)
        if not found:
            raise ValueError(f"the hash of this {message.kind} does not depend on that signature")
        self._before: Final = hashlib.sha256(before)
        self._after: Final = after

    def compute(self, inner: Signature) -> Hash32:
        """Return the hash of the message with another signature in that place."""
        digest = self._before.copy()
        digest.update(inner + self._after)
        return digest.digest()

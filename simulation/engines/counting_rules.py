"""Counts of signatures: of those made with a key, and of those that a party checks by itself."""

from protocol.crypto import KeyPair
from protocol.mechanism import Mechanism
from protocol.rules import Rules
from protocol.types import AccountId, Hash32, Signature


class CountingKeys(KeyPair):
    """A key pair that counts the signatures made with it."""

    __slots__ = ("made",)

    def __init__(self, pair: KeyPair) -> None:
        """Take over a pair, which need not be derived once more, with nothing signed yet."""
        self._private = pair._private  # type: ignore[misc]  # as in `KeyPair`: set here and never again
        self.public = pair.public  # type: ignore[misc]
        self.made = 0

    def sign_hash(self, digest: Hash32) -> Signature:
        """Return the signature over a digest, and count it."""
        self.made += 1
        return super().sign_hash(digest)


class CountingRules(Rules):
    """The rules of one party in its own process; they count the signatures that are really checked."""

    def __init__(self, mechanism: Mechanism) -> None:
        """Start with nothing checked."""
        super().__init__(mechanism)
        self.checked = 0

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right; one that is known to be is not counted again."""
        self.checked += (public_key, digest, signature) not in self._right
        return super().verify(public_key, digest, signature)

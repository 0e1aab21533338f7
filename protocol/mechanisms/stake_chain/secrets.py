"""A node's secrets: a chain of hashes that it walks backwards, one step with each of its blocks.

The first block shows the end of the chain, which commits to all of it. From then on each value is the only one whose
hash is the one before it (Lamport, "Password authentication with insecure communication", 1981), so that who is drawn
to lead a slot can open its secret or be silent, and has no other choice.
"""

from typing import Final

from protocol.crypto import Domain, KeyPair, compute_hash
from protocol.types import Hash32

FIRST: Final = Domain(b"pot/stake/secret/1")
STEP: Final = Domain(b"pot/stake/step/1")


def compute_step(secret: Hash32) -> Hash32:
    """Return what commits to a secret."""
    return compute_hash(STEP, secret)


class Secrets:
    """The secrets of one node on one chain, made from its key: what a node that was down has to show is the same."""

    def __init__(self, keys: KeyPair, chain_id: Hash32, length: int) -> None:
        """Take the keys, and how many blocks the chain has: nobody makes more on any branch."""
        self._keys: Final = keys
        self._chain_id: Final = chain_id
        self._length: Final = length
        self._values: list[Hash32] = []
        """From the secret that is opened last to the end that is shown first; made when first asked for."""

    def get(self, made: int) -> Hash32:
        """Return what a block shows whose author has made so many on its branch."""
        if not self._values:
            drawn_by = self._keys.sign_hash(compute_hash(FIRST, self._chain_id))
            self._values.append(compute_hash(FIRST, drawn_by))
            for _ in range(self._length):
                self._values.append(compute_step(self._values[-1]))
        return self._values[self._length - made]

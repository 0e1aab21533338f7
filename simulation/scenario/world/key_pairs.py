"""Key pairs of parties, from their seeds."""

from functools import cache

from protocol.crypto import KeyPair


@cache
def make_keys(seed: bytes) -> KeyPair:
    """Return the key pair of a seed; thousands of parties ask for theirs more than once."""
    return KeyPair(seed)

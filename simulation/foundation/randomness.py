"""Every random draw has an owner: a generator derived from the scenario's seed, a purpose and a party."""

import hashlib
from random import Random

import numpy as np


def derive_seed(seed: int, *owner: str | int) -> int:
    """Return a 62-bit seed of one owner; others' draws cannot shift it."""
    label = "/".join(str(part) for part in (seed, *owner))
    return int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "big") >> 2


def derive_bytes(seed: int, *owner: str | int) -> bytes:
    """Return 32 bytes of one owner, as a key is made from."""
    label = "/".join(str(part) for part in (seed, *owner))
    return hashlib.sha256(b"bytes/" + label.encode()).digest()


def derive_random(seed: int, *owner: str | int) -> Random:
    """Return the generator of one owner where choices are to be made, and not numbers drawn in bulk."""
    return Random(derive_seed(seed, *owner))  # noqa: S311 - a simulation's own draws


def derive_generator(seed: int, *owner: str | int) -> np.random.Generator:
    """Return the generator of one owner."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *owner)))

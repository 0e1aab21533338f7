"""How far two trainings of one stage lie apart, and what a bound on that distance would accept and refuse.

Bitwise equality refuses an honest node that rounds differently. A verifier that accepted weights within a distance of
its own would not; what it would let through besides is measured here. No such bound can be proved safe (Fang et al.,
"Proof-of-Learning is currently more broken than you think", 2022), and a secret made of losses can only be compared
bit by bit, so the network itself has no tolerance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.samples import Weights


@dataclass(frozen=True, slots=True)
class Rates:
    """What a bound does."""

    bound: float
    """Largest accepted distance."""
    false_reject: float
    """Share of honest trainings beyond it."""
    false_accept: float
    """Share of dishonest trainings within it."""


def compute_distance(one: Weights, other: Weights) -> float:
    """Return the largest absolute difference between two weights in the same place."""
    return max(float(np.max(np.abs(mine - theirs))) for mine, theirs in zip(one, other, strict=True))


def compute_rates(bound: float, honest: Sequence[float], dishonest: Sequence[float]) -> Rates:
    """Return what a bound does to distances of honest and of dishonest trainings.

    Raises:
        ValueError: One of the two is empty.
    """
    if not honest or not dishonest:
        raise ValueError("rates need distances of both kinds")
    rejected = sum(distance > bound for distance in honest)
    accepted = sum(distance <= bound for distance in dishonest)
    return Rates(bound, rejected / len(honest), accepted / len(dishonest))

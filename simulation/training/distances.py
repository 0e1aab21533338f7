"""How far two trainings of one stage lie apart, and what a bound on that distance accepts and refuses.

Bitwise equality refuses an honest node that rounds differently. A verifier that accepts weights within a distance of
its own does not; what it lets through besides is measured here for single trainings, and by runs with
``protocol.tolerance`` for a whole network. No such bound can be proved safe (Fang et al., "Proof-of-Learning is
currently more broken than you think", 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION, Billionths
from protocol.mechanisms.proof_of_training.work import INCOMPARABLE, CompareWeights
from simulation.records import Compared, short_hash
from simulation.training.samples import Weights
from simulation.training.weight_store import WeightsError, WeightStore


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
    pairs = zip(one, other, strict=True)
    return max(float(np.max(np.abs(mine.astype(np.float64) - theirs.astype(np.float64)))) for mine, theirs in pairs)


def count_billionths(one: Weights, other: Weights) -> int | None:
    """Return the distance in parts per billion, rounded up, as the chain counts it; None where there is none.

    There is none between weights of different shapes, or with one that is no finite number.
    """
    if [array.shape for array in one] != [array.shape for array in other]:
        return None
    if not all(np.isfinite(array).all() for array in (*one, *other)):
        return None
    return ceil(Fraction(compute_distance(one, other)) * PARTS_PER_BILLION)


def compare_stored(store: WeightStore, own: bytes, other: bytes) -> int | None:
    """Return the distance of others' weights from one's own, by their digests, as `CompareWeights` has it.

    Raises:
        WeightsError: One's own weights are not in the store.
    """
    try:
        theirs = store.get(other)
    except WeightsError:
        return None
    distance = count_billionths(store.get(own), theirs)
    return INCOMPARABLE if distance is None else distance


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


def describe_comparison(pair: CompareWeights, distance: int | None, tolerance: Billionths) -> Compared | None:
    """Return the fact that others' weights were held against a node's own; None where they are not there yet."""
    if distance is None:
        return None
    return Compared(
        weights=short_hash(pair.other),
        own=short_hash(pair.own),
        distance=None if distance == INCOMPARABLE else distance / PARTS_PER_BILLION,
        within=distance <= tolerance,
    )

"""What the aggregated table says about repeats: proportions with intervals, means, spreads and medians."""

from collections.abc import Sequence
from math import fsum, isfinite, nan, sqrt
from statistics import median
from typing import Final, NamedTuple

Z_95: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: two such tails leave 95 %."""


class Proportion(NamedTuple):
    """A share of trials, and the 95 % interval for the probability behind it."""

    share: float
    low: float
    high: float


class Spread(NamedTuple):
    """What is told about numbers."""

    mean: float
    std: float | None
    """Standard deviation of the sample (n - 1); None for a single number."""
    median: float


def compute_wilson(successes: int, trials: int) -> Proportion:
    """Return the score interval of E. B. Wilson, "Probable inference", JASA 22 (1927), pages 209-212.

    With p = successes / trials and z the normal quantile, its ends are
    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).
    """
    share, square = successes / trials, Z_95 * Z_95
    scale = 1 + square / trials
    centre = (share + square / (2 * trials)) / scale
    half = Z_95 / scale * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    # At 0 and 1 an end of the interval is the share itself, which rounding would miss by a hair.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Proportion(share, low, high)


def compute_spread(numbers: Sequence[float]) -> Spread:
    """Return mean, spread and median of one or more numbers; their order does not matter."""
    if not all(map(isfinite, numbers)):  # sums and medians of these would depend on the order
        return Spread(nan, nan, nan)
    count = len(numbers)
    mean = fsum(numbers) / count
    std = sqrt(fsum((number - mean) ** 2 for number in numbers) / (count - 1)) if count > 1 else None
    return Spread(mean, std, float(median(numbers)))

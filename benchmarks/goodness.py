"""How well figures fit a law: tests of goodness of fit at a level of one in a thousand, and the laws themselves.

With fixed seeds a test holds for ever or never; the level says how rarely a right program meets a seed that fails it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

LEVEL: Final = 1e-3
"""How rarely a sample of the law itself fails a test."""

DISTANCE: Final = 1.95
"""Distance, times the root of the number of figures, that Kolmogorov and Smirnov's test allows at this level."""

CHI_SQUARED: Final = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52}
"""Critical values by degrees of freedom."""


def find_distance(sample: Sequence[float], law: Callable[[float], float]) -> float:
    """Return the largest distance between the shares of a sample and a distribution function (Kolmogorov-Smirnov)."""
    values, count = sorted(sample), len(sample)
    return max(max((place + 1) / count - law(value), law(value) - place / count) for place, value in enumerate(values))


def find_longest(count: int) -> float:
    """Return the distance that a sample of a continuous law may have from it."""
    return DISTANCE / math.sqrt(count)


def fits(sample: Sequence[float], law: Callable[[float], float]) -> bool:
    """Return whether a sample may come from a continuous law."""
    return find_distance(sample, law) < find_longest(len(sample))


def find_chi_squared(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the sum of squared differences of counts from shares of their sum, each divided by what it should be."""
    total = sum(counts)
    wanted = [total * share / sum(shares) for share in shares]
    return sum((count - want) ** 2 / want for count, want in zip(counts, wanted, strict=True))


def has_shares(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Return whether counts may come from these shares (chi-squared)."""
    return find_chi_squared(counts, shares) < CHI_SQUARED[len(counts) - 1]


def follow_geometric(value: float, chance: float) -> float:
    """Return the share of tries below a value, where a whole number of tries lies anywhere in the unit below it.

    Spread like that, numbers of tries until the first success, each with the same chance, have a continuous law.
    """
    whole = math.floor(value)
    before = 1 - (1 - chance) ** whole
    return before + (value - whole) * chance * (1 - chance) ** whole


def follow_exponential(value: float) -> float:
    """Return the share of intervals below a value, where their mean is 1."""
    return 1 - math.exp(-value)

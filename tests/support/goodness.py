"""How well figures fit a law: two tests of goodness of fit at a level of one in a thousand.

With fixed seeds a test holds for ever or never; the level says how rarely a right program meets a seed that fails it.
"""

import math
from collections.abc import Callable, Sequence

CHI_SQUARED = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52}
"""Critical values by degrees of freedom."""


def find_distance(sample: Sequence[float], law: Callable[[float], float]) -> float:
    """Return the largest distance between the shares of a sample and a distribution function (Kolmogorov-Smirnov)."""
    values, count = sorted(sample), len(sample)
    return max(max((place + 1) / count - law(value), law(value) - place / count) for place, value in enumerate(values))


def fits(sample: Sequence[float], law: Callable[[float], float]) -> bool:
    """Return whether a sample may come from a continuous law."""
    return find_distance(sample, law) < 1.95 / math.sqrt(len(sample))


def has_shares(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Return whether counts may come from these shares (chi-squared)."""
    total = sum(counts)
    wanted = [total * share / sum(shares) for share in shares]
    squared = sum((count - want) ** 2 / want for count, want in zip(counts, wanted, strict=True))
    return squared < CHI_SQUARED[len(counts) - 1]

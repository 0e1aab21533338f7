"""The new coins of each block, in whole micro-coins."""

from math import isqrt
from typing import Final

from protocol.types import MICRO_COINS_PER_COIN

_ROOT_SCALE: Final = 10**12
"""Decimal places kept of the square root; the subsidy is then the same on every machine."""


def compute_subsidy(height: int) -> int:
    """Return the new micro-coins of block n: ``1000 - 999 * sqrt(n) / (sqrt(n) + 10)`` coins, rounded up.

    Integer arithmetic throughout: 909.181819, 876.224557 and 817.438747 coins at n = 1, 2 and 5.
    """
    root = isqrt(height * _ROOT_SCALE * _ROOT_SCALE)
    return 1000 * MICRO_COINS_PER_COIN - 999 * MICRO_COINS_PER_COIN * root // (root + 10 * _ROOT_SCALE)

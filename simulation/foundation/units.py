"""Conversions between what users write and what the chain and the clocks count in."""

from typing import Final

from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION

NANOSECONDS: Final = 1_000_000_000
"""In a second."""

MICROSECONDS: Final = 1_000_000
"""In a second."""


def to_micro(coins: float) -> int:
    """Return coins as micro-coins."""
    return round(coins * MICRO_COINS_PER_COIN)


def to_millionths(ratio: float) -> int:
    """Return a ratio in parts per million."""
    return round(ratio * PARTS_PER_MILLION)

"""How hard the next block is: a function of its parent alone."""

from typing import Final, Protocol

from protocol.mechanisms.proof_of_work.genesis import MAX_TARGET, Difficulty
from protocol.mechanisms.proof_of_work.work import GUESSES

_LEAST: Final = 1


class Header(Protocol):
    """What was worked for, as far as the next target follows from it."""

    @property
    def height(self) -> int:
        """Number of blocks below its block."""

    @property
    def slot(self) -> int:
        """Slot in which its miner began to look for the nonce."""

    @property
    def target(self) -> int:
        """What its guess was to be below."""

    @property
    def window_start(self) -> int:
        """Slot of the block that the window of this target began with."""


def count_expected(target: int) -> int:
    """Return how many hashes it takes on average to find a nonce for a target."""
    return GUESSES // target


def find_target(expected: int, *, is_in_bits: bool = False) -> int:
    """Return the target for which a nonce takes about so many hashes, as far as there is one."""
    target = min(max(GUESSES // max(expected, 1), _LEAST), MAX_TARGET)
    return round_to_bits(target) if is_in_bits else target


def find_target_of_bits(bits: int) -> int:
    """Return the target below which a guess begins with so many zero bits."""
    return GUESSES >> bits


def round_to_bits(target: int) -> int:
    """Return the power of two that is nearest as a ratio."""
    return 1 << ((target * target).bit_length() // 2)


def find_difficulty(rules: Difficulty, slot_ns: int, before: Header | None) -> tuple[int, int]:
    """Return the target of the block after a header, and the slot that the window of this target began with.

    Args:
        rules: How targets follow the blocks.
        slot_ns: Length of a slot.
        before: What the parent was worked for by; None for the genesis.
    """
    if before is None:
        return rules.first_target, 0
    if not rules.window or before.height % rules.window:
        return before.target, before.window_start
    took_ns = (before.slot - before.window_start) * slot_ns
    return adjust(rules, before.target, took_ns), before.slot


def adjust(rules: Difficulty, target: int, took_ns: int) -> int:
    """Return the target after a window that took some time: as many times as easy as it took too long.

    Blocks of one window all have one target, and the next window begins in the slot in which this one ends: no span
    of time counts twice or not at all, so that a false slot gains nothing in the long run.
    """
    least, most = max(target // rules.clamp, _LEAST), min(target * rules.clamp, MAX_TARGET)
    adjusted = min(max(target * took_ns // (rules.window * rules.interval_ns), least), most)
    if not rules.is_in_bits:
        return adjusted
    rounded = round_to_bits(adjusted)
    return rounded // 2 if rounded > most else rounded * 2 if rounded < least else rounded

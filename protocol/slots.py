"""Time in slots, which are numbered from the genesis."""

from protocol.types import Nanoseconds


def compute_slot(now: Nanoseconds, slot_ns: int) -> int:
    """Return the number of the slot that a time falls into."""
    return now // slot_ns


def compute_slot_start(slot: int, slot_ns: int) -> Nanoseconds:
    """Return the first nanosecond of a slot."""
    return slot * slot_ns

"""Where two trees of plain values differ: what a file says, and what it should say."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MISSING: Final = object()
"""Stands for what is not there."""

MOST_SHOWN: Final = 60
"""Characters of a value that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which two trees differ."""

    place: str
    """Keys and numbers from the root, with points between them."""
    told: Any
    """What stands there; `MISSING` for nothing."""
    wanted: Any
    """What should stand there; `MISSING` for nothing."""

    def describe(self, source: str) -> str:
        """Return a sentence about it.

        Args:
            source: Who says what should stand there.
        """
        if self.wanted is MISSING:
            return f"{self.place}: nothing of that name belongs here"
        told = "missing" if self.told is MISSING else show_value(self.told)
        return f"{self.place} is {told}, {source} {show_value(self.wanted)}"


def find_differences(told: Any, wanted: Any, place: str = "") -> Iterator[Difference]:  # noqa: ANN401 - any JSON
    """Yield every place at which a tree is not what it should be; 1, 1.0 and true are three values."""
    if isinstance(told, dict) and isinstance(wanted, dict):
        for name in (*wanted, *(name for name in told if name not in wanted)):
            below = f"{place}.{name}" if place else str(name)
            if name not in told or name not in wanted:
                yield Difference(below, told.get(name, MISSING), wanted.get(name, MISSING))
            else:
                yield from find_differences(told[name], wanted[name], below)
    elif isinstance(told, list) and isinstance(wanted, list):
        if len(told) != len(wanted):
            yield Difference(f"{place}.length" if place else "length", len(told), len(wanted))
            return
        for number, (one, other) in enumerate(zip(told, wanted, strict=True)):
            yield from find_differences(one, other, f"{place}.{number}" if place else str(number))
    elif not _is_equal(told, wanted):
        yield Difference(place, told, wanted)


def show_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON has it, cut where it is long."""
    try:
        text = json.dumps(value, default=_show_bytes)
    except (RecursionError, TypeError, ValueError):
        return "what no run writes"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _show_bytes(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _is_equal(told: object, wanted: object) -> bool:
    """Return whether two leaves are the same; not a number is equal to itself here."""
    if isinstance(told, float) and isinstance(wanted, float):
        return repr(told) == repr(wanted)
    return type(told) is type(wanted) and told == wanted

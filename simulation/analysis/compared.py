"""Figures by which runs are compared: those of every run, and a mechanism's own, its part `compared`.

Each is made from a run's records alone, so that a log file is enough.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.foundation import find_part
from simulation.records import Tally

Measures = Mapping[str, Any]
"""What `compute_measures` has worked out of the same tally."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """A row of a comparison, and of a report."""

    name: str
    """What it is called; mechanisms that mean the same thing call it the same, and share the row."""
    show: Callable[[Tally, Measures], str | None]
    """Returns it as text, in several lines perhaps; None where the run has none."""


def measured(name: str, entry: str, show: "Callable[[Any], str | None] | None" = None) -> ComparedFigure:
    """Return the figure that shows an entry of a run's measures.

    Args:
        name: What it is called.
        entry: Where it stands: keys with dots between, such as `work.stale`.
        show: Puts a value into words that is not None; numbers as `show_number` does, where it is left out.
    """

    def read(tally: Tally, measures: Measures) -> str | None:
        value: Any = measures
        for key in entry.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value is None else (show or show_number)(value)

    return ComparedFigure(name, read)


def show_number(value: float) -> str:
    """Return a number with as many places as it deserves."""
    if isinstance(value, int) or not value % 1:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def show_share(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.2%}"


def show_shares(value: Mapping[str, float]) -> str | None:
    """Return the share of each population; None where there is none."""
    return "\n".join(f"{name} {share:.1%}" for name, share in value.items()) or None


def list_compared(mechanism: str) -> tuple[ComparedFigure, ...]:
    """Return the figures that a mechanism adds; none where it adds none."""
    found: tuple[ComparedFigure, ...] | None = find_part(mechanism, "compared")
    return found or ()

"""What a user sees of a mechanism's own business, in the live view and when a run has ended."""

from collections.abc import Sequence
from typing import Final

from simulation.foundation import find_part
from simulation.records import Tally
from simulation.runs.fitting_table import Column
from simulation.runs.summary import Summary

UNKNOWN: Final = "-"
"""In a column of what is not known before the end."""


class MechanismView:
    """What is shown of a mechanism: here nothing; its part `view` has more. Texts may have the markup of `rich`."""

    columns: tuple[Column, ...] = ()
    """Its columns of the live view, in which each population has a row."""

    def describe_head(self, tally: Tally) -> str:
        """Return what stands beside the progress of the employer's chain while a run goes on."""
        return ""

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return a text for each of its columns about some nodes, which are at least one."""
        return ()

    def list_data(self, summary: Summary) -> dict[str, str]:
        """Return rows of the closing table about what was worked on."""
        return {}

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return rows of the closing table about what has come of it."""
        return {}

    def list_warnings(self, tally: Tally) -> list[str]:
        """Return what is wrong with what has come of it, in words without markup; told however little is shown."""
        return []

    def list_costs(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return rows of the closing table about what it took."""
        return {}


def find_view(mechanism: str) -> MechanismView:
    """Return what is shown of the mechanism with a name."""
    kind: type[MechanismView] = find_part(mechanism, "view") or MechanismView
    return kind()

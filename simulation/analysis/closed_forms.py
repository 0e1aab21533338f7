"""What closed forms say of a scenario's runs: a mechanism's part `closed_forms`."""

from collections.abc import Callable
from typing import Final

from simulation.foundation import find_part
from simulation.scenario import Scenario

CLOSED_FORM: Final = ".closed_form"
"""Ends the name of a table's column with what a formula says of a figure."""


def predict(scenario: Scenario) -> dict[str, float]:
    """Return what closed forms say, by the name that a summary has for the figure; empty where none holds."""
    own: Callable[[Scenario], dict[str, float]] | None = find_part(scenario.mechanism.name, "closed_forms")
    return own(scenario) if own is not None else {}

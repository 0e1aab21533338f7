"""The live table: what it shows, and what it does not claim to know."""

import pytest
from rich.console import Console

from simulation.mechanisms.proof_of_training.view import TrainingView
from simulation.records.tally import Tally
from simulation.runs.live_view import LiveView
from tests.support.scenarios import made_up_run


def show(*, is_counted: bool) -> list[list[str]]:
    """Return the words of each population's row in the middle of a run."""
    tally = Tally()
    for record in made_up_run():
        if record.event in ("run", "node", "appended") or not is_counted:
            tally.add(record)
    console = Console(width=120, force_terminal=False, record=True)
    with console.capture() as captured:
        console.print(
            LiveView(console, tally, "title", 2, mechanism=TrainingView(), is_counted=is_counted)._render("phase", 1.0)
        )
    return [line.split() for line in captured.get().splitlines() if line.split()[:1] in (["good"], ["bad"])]


@pytest.mark.parametrize(
    ("is_counted", "rows"),
    [
        (False, ["good honest 2 0 2-2 2-2 1 0", "bad data_injection 0 (-1) 0 1-1 0-0 0 3"]),
        (True, ["good honest 2 - - up to 2 - -", "bad data_injection 1 - - up to 0 - -"]),
    ],
)
def test_what_is_only_counted_is_not_shown_as_0(is_counted: bool, rows: list[str]) -> None:
    assert [" ".join(words) for words in show(is_counted=is_counted)] == rows

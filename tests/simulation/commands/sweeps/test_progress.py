"""The line that a user sees: what is done, how fast, and how long the rest takes."""

from io import StringIO

import pytest
from rich.console import Console

from simulation.commands.sweeps import progress
from simulation.commands.sweeps.progress import PRINT_S, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the clock shows, for the test to set."""
    shown = [1000.0]
    monkeypatch.setattr(progress, "time", type("Clock", (), {"monotonic": staticmethod(lambda: shown[0])}))
    return shown


def test_the_line_has_counts_rate_and_remaining_time(clock: list[float]) -> None:
    line = Progress(Console(file=StringIO()), "small", 10_000, 4_000)
    assert line.describe() == "small: 4,000 of 10,000 cells"
    clock[0] += 30  # workers start
    line.add(is_failed=False)
    assert line.describe() == "small: 4,001 of 10,000 cells"
    for number in range(20):
        clock[0] += 0.5
        line.add(is_failed=number == 3)
    assert line.describe() == "small: 4,020 of 10,000 cells, 1 failed, 2.0 a second, 49:50 remaining"
    clock[0] += 90
    assert line.describe() == "small: 4,020 of 10,000 cells, 1 failed, 0.2 a second, 8:18:15 remaining"


def test_without_a_terminal_it_is_printed_now_and_then(clock: list[float]) -> None:
    told = StringIO()
    with Progress(Console(file=told, width=120), "small", 5, 0) as line:
        for _ in range(5):
            clock[0] += PRINT_S / 2
            line.add(is_failed=False)
    assert [row.split(",")[0] for row in told.getvalue().splitlines()] == [
        "small: 2 of 5 cells",
        "small: 4 of 5 cells",
        "small: 5 of 5 cells",
    ]


def test_on_a_terminal_it_is_drawn_again_and_its_last_state_stays(clock: list[float]) -> None:
    told = StringIO()
    with Progress(Console(file=told, width=120, force_terminal=True), "small", 5, 0) as line:
        for _ in range(5):
            clock[0] += 1
            line.add(is_failed=False)
    text = told.getvalue()
    assert "small: 0 of 5 cells" in text
    assert "small: 4 of 5 cells" in text
    assert text.rstrip().endswith("small: 5 of 5 cells, 1.0 a second")


def test_where_nothing_ran_nothing_is_told() -> None:
    told = StringIO()
    with Progress(Console(file=told, width=120), "small", 5, 2):
        pass
    assert told.getvalue() == ""

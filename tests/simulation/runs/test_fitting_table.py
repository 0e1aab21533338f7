"""Tables on narrow terminals: what is shown is shown whole."""

import pytest
from rich.console import Console

from simulation.mechanisms.proof_of_training.view import TrainingView
from simulation.records.tally import Tally
from simulation.runs.closing_tables import _build_populations
from simulation.runs.fitting_table import Column, build_fitting_table
from simulation.runs.live_view import LiveView
from tests.support.scenarios import made_up_run


def draw(width: int, columns: list[Column], rows: list[tuple[str, ...]]) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(build_fitting_table(width, columns, rows))
    return [line.rstrip() for line in captured.get().splitlines()]


COLUMNS = [Column("name", is_number=False), Column("two words", rank=1), Column("three short words", rank=2)]


def test_where_there_is_room_headings_stand_on_one_line() -> None:
    assert draw(60, COLUMNS, [("a", "1", "2")]) == [
        "  name    two words    three short words",
        "  a               1                    2",
    ]


def test_headings_go_on_two_lines_before_a_column_goes() -> None:
    assert draw(30, COLUMNS, [("a", "1", "2")]) == [
        "       two       three",
        "name words short words",
        "a        1           2",
    ]


def test_the_columns_of_the_highest_rank_go_first_and_those_of_rank_0_never() -> None:
    assert draw(20, COLUMNS, [("a", "1", "2")]) == ["       two", "name words", "a        1"]
    assert draw(6, COLUMNS, [("a", "1", "2")]) == ["name", "a"]
    assert draw(3, COLUMNS, [("abcde", "1", "2")])[-2:] == ["abc", "de"]


def test_markup_takes_no_room() -> None:
    assert draw(10, COLUMNS[:2], [("a", "[red]12345[/]")])[-1] == "a    12345"


@pytest.fixture
def tally() -> Tally:
    tally = Tally()
    for record in made_up_run():
        tally.add(record)
    return tally


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_the_closing_table_and_the_live_view_cut_nothing(tally: Tally, width: int) -> None:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(_build_populations(width, tally))
        console.print(
            LiveView(console, tally, "title", 2, mechanism=TrainingView(), is_counted=False)._render("phase", 1.0)
        )
    text = captured.get()
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for word in ("population", "good", "bad", "rejected", "different-weights", "19.50", "2/2"):
        assert word in text

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from simulation.commands.cli import main
from simulation.commands.report.figure_names import name_figure
from simulation.commands.report.picture import Missing, Picture
from simulation.commands.report.sources import SourceError, read_source
from simulation.commands.report.sweep_picture import MAX_FIGURES, MAX_LINES, choose_figures, draw_figures, draw_sweep
from simulation.commands.report.sweep_table import SweepTable, SweepTableError, read_sweep_table
from tests.support.reports import SWEEP, read_pairs, write_sweep

pytestmark = pytest.mark.drawing


@pytest.fixture
def sweep(tmp_path: Path) -> SweepTable:
    return read_sweep_table(write_sweep(tmp_path / "sweep"))


def make_table(keys: Mapping[str, list[Any]]) -> SweepTable:
    frame = pd.DataFrame({**keys, "n": 1.0, "failed": 0.0})
    frame["figure.mean"] = [float(number) for number in range(len(frame))]
    return SweepTable("made-up", frame, tuple(keys))


def read_lines(figure: Figure) -> dict[str, list[tuple[float, float, float, float]]]:
    """Return each line's points: place, centre, low and high end of the bar."""
    found = {}
    for container in figure.axes[0].containers:
        assert isinstance(container, ErrorbarContainer)
        line, _, bars = container.lines
        assert isinstance(bars[0], LineCollection)
        segments = bars[0].get_segments()
        ends = [(float(part[0][1]), float(part[1][1])) if len(part) else (math.nan, math.nan) for part in segments]
        points = zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), ends, strict=True)
        found[str(container.get_label())] = [(float(x), float(y), *end) for x, y, end in points]
    return found


# ---- the table ----


def test_keys_and_figures_are_told_apart(sweep: SweepTable) -> None:
    assert sweep.keys == ("attack.share", "rule")
    assert sweep.figures == {"delivered": "proportion", "height": "number"}
    assert sweep.warnings == [w for w in sweep.warnings if "2 cells failed or have not run" in w]
    assert len(sweep.warnings) == 1
    assert read_pairs(sweep.build_facts()) == {
        "combinations": "4",
        "cells with figures": "38",
        "cells without": "2",
        "attack.share": "0.1, 0.3",
        "rule": "a, b",
    }


def test_an_entry_that_is_no_number_is_missing_and_said(tmp_path: Path) -> None:
    sweep = read_sweep_table(write_sweep(tmp_path, SWEEP.replace("0.9,0.6", "much,0.6")))
    assert sum("1 entries of delivered are not numbers" in warning for warning in sweep.warnings) == 1
    lines = read_lines(draw_sweep(sweep.frame, "attack.share", "delivered", ["rule"]))
    assert math.isnan(lines["rule = b"][0][1])
    assert lines["rule = b"][1][1] == 0.0


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "a,b\n1,2\n", "key,n,failed\n", SWEEP.replace("failed", "lost"), "\x00\x01"]
)
def test_what_is_no_such_table_is_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^[^\n]*aggregate\.csv: not the table of a sweep[^\n]*$"):
        read_source(write_sweep(tmp_path, text))


def test_keys_that_follow_others_tell_no_lines_apart() -> None:
    table = make_table({"x": [1, 1, 2, 2], "follows": [9, 9, 8, 8], "rule": ["a", "b"] * 2, "same": [3] * 4})
    assert table.find_lines("x") == ["rule"]
    assert table.find_lines("rule") == ["x"]
    assert table.find_varied() == ["x", "follows", "rule"]
    both = make_table({"x": [1, 1, 2, 2], "y": [1, 2, 1, 2], "z": [1, 2, 2, 1]})
    assert both.find_lines("x") == ["y"]


def test_the_first_varied_key_is_across_unless_another_is_easier_to_read() -> None:
    assert make_table({"same": [1, 1], "x": [1, 2]}).choose_x(MAX_LINES) == "x"
    assert make_table({"x": [1, 2, 1, 2], "y": [1, 1, 2, 2]}).choose_x(MAX_LINES) == "x"
    assert make_table({"word": ["a", "b"] * 2, "y": [1, 1, 2, 2]}).choose_x(MAX_LINES) == "y"
    assert make_table({"is": [True, False] * 2, "y": [1, 1, 2, 2]}).choose_x(MAX_LINES) == "y"
    assert make_table({"word": ["a", "b"]}).choose_x(MAX_LINES) == "word"
    assert make_table({"same": [1, 1]}).choose_x(MAX_LINES) is None
    many = {"x": [x for _ in range(20) for x in (1, 2)], "y": [y for y in range(20) for _ in (1, 2)]}
    assert make_table(many).choose_x(16) == "y"


# ---- curves ----


def with_closed_form(sweep: SweepTable, values: list[float]) -> pd.DataFrame:
    return sweep.frame.assign(**{"delivered.closed_form": values})


def test_a_proportion_is_drawn_with_its_interval(sweep: SweepTable) -> None:
    lines = read_lines(draw_sweep(sweep.frame, "attack.share", "delivered", ["rule"]))
    assert lines.keys() == {"rule = a", "rule = b"}
    assert np.allclose(lines["rule = a"], [(0.1, 1.0, 0.72, 1.0), (0.3, 0.5, 0.24, 0.76)])
    assert np.allclose(lines["rule = b"], [(0.1, 0.9, 0.6, 0.98), (0.3, 0.0, 0.0, 0.32)])


def test_a_number_is_drawn_with_its_standard_deviation_where_there_is_one(sweep: SweepTable) -> None:
    lines = read_lines(draw_sweep(sweep.frame, "attack.share", "height", ["rule"]))
    assert lines["rule = a"] == [(0.1, 5.0, 4.5, 5.5), (0.3, 3.0, 1.5, 4.5)]
    assert lines["rule = b"] == [(0.1, 4.0, 3.75, 4.25), (0.3, 2.0, 2.0, 2.0)]


def test_points_are_joined_in_the_order_of_the_axis(sweep: SweepTable) -> None:
    lines = read_lines(draw_sweep(sweep.frame.iloc[::-1], "attack.share", "height", ["rule"]))
    assert [point[0] for point in lines["rule = a"]] == [0.1, 0.3]


def test_words_stand_side_by_side_in_the_table_s_order(sweep: SweepTable) -> None:
    figure = draw_sweep(sweep.frame, "rule", "height", ["attack.share"])
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert [point[0] for point in read_lines(figure)["attack.share = 0.1"]] == [0, 1]


def test_a_closed_form_is_drawn_over_each_line_with_what_tells_it_apart(sweep: SweepTable) -> None:
    factors = {"a": 2, "b": 3}
    table = with_closed_form(sweep, [row["attack.share"] * factors[row["rule"]] for _, row in sweep.frame.iterrows()])
    axes = draw_sweep(table, "attack.share", "delivered", ["rule"]).axes[0]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--" and len(np.asarray(line.get_xdata()))]
    for line, factor in zip(dashed, factors.values(), strict=True):
        places, values = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert (places[0], places[-1]) == (0.1, 0.3)
        assert values == pytest.approx(places * factor)


def test_no_closed_form_is_drawn_over_words(sweep: SweepTable) -> None:
    axes = draw_sweep(with_closed_form(sweep, [0.5] * len(sweep.frame)), "rule", "delivered").axes[0]
    assert not [line for line in axes.lines if line.get_linestyle() == "--"]


def test_a_curve_can_be_drawn_into_a_picture_of_one_s_own(sweep: SweepTable) -> None:
    mine = Figure()
    axes: Axes = mine.subplots()
    assert draw_sweep(sweep.frame, "attack.share", "height", ["rule"], axes=axes) is mine
    assert len(axes.containers) == 2
    assert axes.get_legend() is not None
    assert axes.get_ylabel() == "height\nmean of repeats \N{PLUS-MINUS SIGN} s.d."


def test_axes_of_one_s_own_take_several_figures(sweep: SweepTable) -> None:
    axes: Axes = Figure(figsize=(9, 6)).subplots()
    table = sweep.frame[sweep.frame["rule"] == "a"]
    draw_sweep(table, "attack.share", "delivered", axes=axes)
    assert axes.get_legend() is None
    draw_sweep(table, "attack.share", "height", axes=axes)
    assert axes.get_legend_handles_labels()[1] == ["employer has its model", "height"]
    assert axes.get_legend() is not None
    first, second = (container.lines[0] for container in axes.containers if isinstance(container, ErrorbarContainer))
    assert first.get_color() != second.get_color()
    assert all(line.get_visible() for line in axes.get_ygridlines())
    assert axes.get_title("left") + axes.get_title() == "employer has its model, height"
    assert axes.get_ylim()[1] > 5
    axes.set_ylabel("mine")
    draw_sweep(table, "attack.share", "height", axes=axes, source="another")
    assert axes.get_legend_handles_labels()[1][2] == "height, another"
    assert axes.get_ylabel() == "mine"
    axes.clear()
    draw_sweep(table, "attack.share", "height", axes=axes)
    assert axes.get_legend_handles_labels()[1] == ["height"]


def test_a_title_is_as_wide_as_the_axes_of_one_s_own_and_gives_way_to_one_s_own(sweep: SweepTable) -> None:
    mine = Figure(figsize=(9, 3))
    narrow, named = mine.subplots(1, 2)
    key = "populations.poisoners.poison.share"
    with rc_context({"axes.titlelocation": "center"}):  # as it is where nobody has set it
        named.set_title("mine", loc="right")
        draw_sweep(sweep.frame, "attack.share", "height", ["rule"], axes=named)
        assert [named.get_title(loc) for loc in ("left", "center", "right")] == ["", "", "mine"]
        draw_sweep(sweep.frame.rename(columns={"attack.share": key}), key, "height", ["rule"], axes=narrow)
        assert narrow.get_title() == "height against populations.\npoisoners.poison.share"
        mine.draw_without_rendering()
        assert narrow.title.get_window_extent().width <= narrow.get_window_extent().width
        narrow.set_title("another")
        assert [narrow.get_title(loc) for loc in ("left", "center", "right")] == ["", "another", ""]


# ---- what a report shows ----


def test_every_figure_that_differs_has_a_curve_proportions_first(sweep: SweepTable) -> None:
    pictures = draw_figures(sweep)
    assert [picture.title for picture in pictures] == ["employer has its model", "height"]
    for picture in pictures:
        assert isinstance(picture, Picture)
        assert set(read_lines(picture.figure)) == {"rule = a", "rule = b"}
    first = pictures[0]
    assert isinstance(first, Picture)
    assert first.table.head == ("attack.share", "rule", "n", "delivered", "delivered.low", "delivered.high")
    assert first.table.rows[0] == ("0.1", "a", "10", "1", "0.72", "1")


def test_a_figure_that_is_the_same_everywhere_is_named_with_its_value(tmp_path: Path) -> None:
    lines = SWEEP.splitlines()
    text = "\n".join([lines[0] + ",forks.mean,forks.std,forks.median", *(f"{line},2.5,0,2.5" for line in lines[1:])])
    pictures = draw_figures(read_sweep_table(write_sweep(tmp_path, text + "\n")))
    assert [picture.title for picture in pictures] == [
        "employer has its model",
        "height",
        "The same in every combination",
    ]
    assert isinstance(pictures[-1], Missing)
    assert pictures[-1].why == "forks = 2.5."


def test_a_sweep_that_varies_nothing_has_a_sentence() -> None:
    (missing,) = draw_figures(make_table({"same": [1, 1]}))
    assert isinstance(missing, Missing)
    assert "varies nothing" in missing.why


def test_too_many_figures_and_lines_are_said_to_be_left_out() -> None:
    table = make_table({"x": [1, 2] * (MAX_LINES + 1), "y": [f"w{n // 2}" for n in range(2 * MAX_LINES + 2)]})
    for number in range(MAX_FIGURES):
        table.frame[f"more{number:02}.mean"] = table.frame["figure.mean"]
    *pictures, rest = draw_figures(table)
    assert len(pictures) == MAX_FIGURES
    assert isinstance(rest, Missing)
    assert f"more{MAX_FIGURES - 1}" in rest.why
    first = pictures[0]
    assert isinstance(first, Picture)
    assert f"Only the first {MAX_LINES} of {MAX_LINES + 1} lines are drawn." in first.note
    assert len(first.figure.axes[0].containers) == MAX_LINES


def test_names_of_columns_become_names_of_files_that_are_safe(tmp_path: Path) -> None:
    text = SWEEP.replace("height", "../../etc/pass wd$<b>")
    pictures = draw_figures(read_sweep_table(write_sweep(tmp_path, text)))
    assert [picture.name for picture in pictures if isinstance(picture, Picture)] == [
        "01-delivered",
        "02-.._.._etc_pass_wd__b_",
    ]


# ---- names, choices and bars ----


def test_figures_are_called_by_words_and_keep_their_column_in_the_note(tmp_path: Path) -> None:
    table = make_table({"loss": [0.0, 0.1, 0.2]})
    table.frame = table.frame.rename(columns={"figure.mean": "measures.detection.recall.mean"})
    (picture,) = draw_figures(table)
    assert isinstance(picture, Picture)
    assert picture.title == "attackers' work rejected"
    assert picture.figure.axes[0].get_title("left") == "attackers' work rejected against loss"
    assert picture.note.endswith("In the table it is measures.detection.recall.")


@pytest.mark.parametrize(
    ("figure", "name"),
    [("chain.forks", "forks"), ("messages.sent.head", "messages, sent, head"), ("measures.new_one", "new one")],
)
def test_every_figure_has_a_readable_name(figure: str, name: str) -> None:
    assert name_figure(figure) == name


@pytest.mark.parametrize(
    ("figure", "centres", "ends"),
    [
        ("measures.detection.recall", [0.1, 0.9], [(0.0, 0.5), (0.5, 1.0)]),
        ("training.shares.honest.blocks", [0.1, 0.9], [(0.0, 0.5), (0.5, 1.0)]),
        ("training.shares.late-comers.coins", [0.1, 0.9], [(0.0, 0.5), (0.5, 1.0)]),
        ("measures.proposed.honest", [0.1, 0.9], [(0.0, 0.5), (0.5, 1.0)]),
        ("chain.forks", [0.1, 2.0], [(0.0, 0.5), (1.6, 2.4)]),
        ("measures.change", [-0.1, 2.0], [(-0.5, 0.3), (1.6, 2.4)]),
    ],
)
def test_bars_end_where_the_figure_does(figure: str, centres: list[float], ends: list[tuple[float, float]]) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], f"{figure}.mean": centres, f"{figure}.std": [0.4, 0.4]})
    (points,) = read_lines(draw_sweep(frame, "x", figure)).values()
    assert [point[2:] for point in points] == [pytest.approx(pair) for pair in ends]


def test_some_figures_can_be_chosen_by_name_or_pattern(sweep: SweepTable) -> None:
    assert choose_figures(sweep, ()) == ["delivered", "height"]
    assert choose_figures(sweep, ("h*",)) == ["height"]
    assert choose_figures(sweep, ("height", "*")) == ["height", "delivered"]
    with pytest.raises(SweepTableError, match="no such figure; did you mean 'height'"):
        choose_figures(sweep, ("heights",))
    with pytest.raises(SweepTableError, match="there are delivered, height"):
        choose_figures(sweep, ("zzz",))


def test_lines_that_coincide_can_all_be_seen() -> None:
    frame = pd.DataFrame({"x": [1, 2] * 3, "rule": ["a", "a", "b", "b", "c", "c"], "figure.mean": [1.0, 2.0] * 3})
    lines = draw_sweep(frame, "x", "figure", ["rule"]).axes[0].get_lines()
    widths = [line.get_linewidth() for line in lines if len(np.asarray(line.get_xdata())) == 2]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3


def test_the_command_draws_the_figures_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(write_sweep(tmp_path / "sweep"))
    assert main(["report", folder, "--figure", "height"]) == 0
    assert [path.name for path in Path("report").glob("*.svg")] == ["01-height.svg"]
    capsys.readouterr()
    assert main(["report", folder, "--figure", "heights"]) == 2
    assert "--figure heights: sweep has no such figure; did you mean 'height'?" in capsys.readouterr().err

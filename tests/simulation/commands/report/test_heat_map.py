import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyQuadMesh, QuadMesh
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from simulation.commands.report.heat_map import choose_y, draw_heat_map, picture_heat_map
from simulation.commands.report.picture import Picture
from simulation.commands.report.style import render
from simulation.commands.report.sweep_picture import draw_figures
from simulation.commands.report.sweep_table import SweepTable

pytestmark = pytest.mark.drawing

Value = Callable[[int, int], float]


def make_sweep(
    xs: Sequence[Any], ys: Sequence[Any], share: Value = lambda x, y: 0.1 * (x + y), **more: Sequence[Any]
) -> SweepTable:
    """Return a sweep of two keys, with a share and a number of the values' places; more columns are keys too."""
    places = list(product(range(len(xs)), range(len(ys))))
    keys = {"x": [xs[across] for across, _ in places], "y": [ys[up] for _, up in places], **more}
    frame = pd.DataFrame({**keys, "n": 5.0, "failed": 0.0})
    frame["won"] = [share(*place) for place in places]
    frame["won.low"], frame["won.high"] = frame["won"], frame["won"]
    frame["height.mean"] = [100.0 * across + up for across, up in places]
    return SweepTable("made-up", frame, tuple(keys))


def read_cells(figure: Figure) -> list[list[float]]:
    """Return the cells of a map, the lowest row first; nan where there is none."""
    (mesh,) = (part for part in figure.axes[0].collections if isinstance(part, QuadMesh))
    cells: list[list[float]] = np.ma.filled(np.ma.asarray(mesh.get_array()), math.nan).tolist()
    return cells


def find_boundaries(axes: Axes) -> list[list[tuple[float, float]]]:
    """Return the points of each line that stands for one half; each is drawn twice, dark over white."""
    drawn = [part for part in axes.collections if isinstance(part, QuadContourSet)]
    return [[(x, y) for x, y in np.asarray(part.get_paths()[0].vertices).tolist()] for part in drawn[1::2]]


def read_legend(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


# ---- whether there is a map ----


@pytest.mark.parametrize(
    ("sweep", "wanted"),
    [
        (make_sweep([1, 2, 3], [0.1, 0.2, 0.3]), "y"),
        (make_sweep([1, 2], [0.1, 0.2, 0.3]), None),
        (make_sweep([1, 2, 3], ["a", "b", "c"]), None),
        (make_sweep([1, 2, 3], [0.1, math.nan, 0.3]), None),
        (make_sweep([1, 2, 3], [1, 2, 3], rest=[9, 8, 7] * 3), "y"),
        (make_sweep([1, 2, 3], [1, 2, 3], other=[1, 1, 2, 2, 1, 1, 2, 2, 1]), "y"),
        (make_sweep([1, 2, 3], [1, 1, 2], other=[1, 2, 1] * 3), None),
    ],
    ids=["numbers", "two values", "words", "a value missing", "a key that follows", "a key of both", "three keys"],
)
def test_two_keys_with_numbers_make_a_map(sweep: SweepTable, wanted: str | None) -> None:
    assert choose_y(sweep, "x") == wanted


def test_a_sweep_with_few_of_the_cells_makes_no_map() -> None:
    sweep = make_sweep([1, 2, 3, 4], [1, 2, 3, 4])
    sweep.frame = sweep.frame[sweep.frame["x"].eq(sweep.frame["y"]) | sweep.frame["x"].eq(1)]
    assert choose_y(sweep, "x") is None


@pytest.mark.parametrize(("lines", "ends"), [(3, [""]), (4, ["", "-map"]), (8, ["", "-map"]), (9, ["-map"])])
def test_a_map_stands_beside_several_curves_and_in_place_of_many(lines: int, ends: list[str]) -> None:
    sweep = make_sweep([1, 2, 3], list(range(lines)))
    pictures = [picture for picture in draw_figures(sweep, ["won"]) if isinstance(picture, Picture)]
    assert [picture.name for picture in pictures] == [f"01-won{end}" for end in ends]
    assert all(picture.table == sweep.tabulate("won") for picture in pictures)


# ---- what it shows ----


def test_each_cell_stands_at_its_values_whatever_the_order_of_the_rows() -> None:
    sweep = make_sweep([10, 2, 3], [0.5, 0.25, 1.0])
    figure = draw_heat_map(sweep, "x", "y", "height")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "3", "10"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.25", "0.5", "1"]
    assert read_cells(figure) == [[101.0, 201.0, 1.0], [100.0, 200.0, 0.0], [102.0, 202.0, 2.0]]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title("left")) == ("x", "y", "height")


def test_shares_have_the_colours_of_0_to_1_and_numbers_those_of_their_own() -> None:
    sweep = make_sweep([1, 2, 3], [1, 2, 3])
    for name in ("training.test_accuracy", "training.shares.honest.coins"):
        sweep.frame[f"{name}.mean"] = 0.5 + 0.01 * sweep.frame["x"]
    found = {}
    for name in ("won", "height", "training.test_accuracy", "training.shares.honest.coins"):
        bar = draw_heat_map(sweep, "x", "y", name).axes[1]
        found[name] = (*bar.get_ylim(), bar.get_ylabel())
    assert found == {
        "won": (0.0, 1.0, "share of repeats"),
        "height": (0.0, 202.0, "mean of repeats"),
        "training.test_accuracy": (0.0, 1.0, "mean of repeats"),
        "training.shares.honest.coins": (0.0, 1.0, "mean of repeats"),
    }


def test_cells_without_a_figure_are_hatched_and_the_legend_says_why() -> None:
    sweep = make_sweep([1, 2, 3], [1, 2, 3])
    sweep.frame.loc[0, ["height.mean", "n"]] = [math.nan, 0.0]
    sweep.frame.loc[4, "height.mean"] = math.nan
    sweep.frame = sweep.frame.drop(index=8)
    figure = draw_heat_map(sweep, "x", "y", "height")
    marked = {}
    for part in figure.axes[0].collections:
        if isinstance(part, PolyQuadMesh):
            mask = np.ma.getmaskarray(np.ma.asarray(part.get_array())).reshape(3, 3)
            marked[part.get_hatch()] = np.argwhere(~mask).tolist()
    assert marked == {"////": [[0, 0]], "xxx": [[1, 1]], "": [[2, 2]]}
    assert read_legend(figure) == ["no finished run", "no value in any run", "not in the sweep"]
    assert len(figure.axes[0].texts) == 6
    assert read_legend(draw_heat_map(make_sweep([1, 2, 3], [1, 2, 3]), "x", "y", "height")) == []


def test_values_are_written_where_the_longest_has_room() -> None:
    texts = [text.get_text() for text in draw_heat_map(make_sweep([1, 2, 3], [1, 2, 3]), "x", "y", "won").axes[0].texts]
    assert sorted(texts) == ["0", "0.1", "0.1", "0.2", "0.2", "0.2", "0.3", "0.3", "0.4"]
    wide = make_sweep(list(range(21)), [1, 2, 3], lambda x, y: 0.25)
    assert len(draw_heat_map(wide, "x", "y", "won").axes[0].texts) == 63
    wide.frame["height.mean"] += 1_000.0
    assert len(draw_heat_map(wide, "x", "y", "height").axes[0].texts) == 0


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([0.0, 0.125, 1.0 / 3.0], ["0", "0.125", "0.333"]),
        ([999.6, 1_250.4, 9_999.9], ["999.6", "1,250", "10k"]),
        ([-54_321.0, 999_999.0, 152e6], ["-54.3k", "1M", "152M"]),
        ([40.01, 40.02, 40.04], ["40.01", "40.02", "40.04"]),
        ([0.5, 7.0, math.inf], ["0.5", "7", "inf"]),
    ],
    ids=["fractions", "thousands", "letters", "alike", "no number"],
)
def test_values_are_brief_and_yet_differ(numbers: list[float], texts: list[str]) -> None:
    sweep = make_sweep([1, 2, 3], [1, 2, 3])
    sweep.frame["height.mean"] = [number for number in numbers for _ in range(3)]
    axes = draw_heat_map(sweep, "x", "y", "height").axes[0]
    assert [text.get_text() for text in axes.texts] == texts * 3


def test_names_that_are_too_many_or_too_long_are_left_out_or_cut() -> None:
    sweep = make_sweep([n / 1000 for n in range(100, 160)], [1, 2, 3])
    sweep.frame = sweep.frame.rename(columns={"y": "a.very.long.section.of.a.scenario.count"})
    sweep.keys = ("x", "a.very.long.section.of.a.scenario.count")
    axes = draw_heat_map(sweep, *sweep.keys, "won").axes[0]
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert shown[0] == "0.1"
    assert 5 <= len(shown) <= 15
    assert axes.get_ylabel() == "scenario.count"


# ---- the line at one half ----


def test_a_line_goes_where_a_proportion_crosses_one_half() -> None:
    figure = draw_heat_map(make_sweep([1, 2, 3], [1, 2, 3], lambda x, _: (0.0, 0.25, 0.75)[x]), "x", "y", "won")
    (line,) = find_boundaries(figure.axes[0])
    assert {x for x, _ in line} == {2.0}
    assert (min(y for _, y in line), max(y for _, y in line)) == (0.0, 3.0)
    assert read_legend(figure) == ["0.5, between the cells' centres"]


def test_a_closed_form_has_a_dashed_line_of_its_own() -> None:
    sweep = make_sweep([1, 2, 3], [1, 2, 3], lambda x, _: 0.1 * x)
    sweep.frame["won.closed_form"] = [0.0, 0.25, 0.75] * 3
    figure = draw_heat_map(sweep, "x", "y", "won")
    (line,) = find_boundaries(figure.axes[0])
    assert {y for _, y in line} == {2.0}
    assert read_legend(figure) == ["closed form: 0.5"]


def test_a_number_has_no_line() -> None:
    sweep = make_sweep([1, 2, 3], [1, 2, 3])
    sweep.frame["height.mean"] /= 200
    assert find_boundaries(draw_heat_map(sweep, "x", "y", "height").axes[0]) == []


# ---- what goes with it ----


def test_words_say_what_is_to_be_seen() -> None:
    picture = picture_heat_map(make_sweep([1, 2, 3], [0.5, 0.25, 0.75]), "x", "y", "height", 7)
    assert (picture.name, picture.title) == ("07-height-map", "height, as a map")
    assert picture.alt == "height over x and y: from 0 at 1 and 0.5 to 202 at 3 and 0.75, in 9 combinations."
    assert picture.note.startswith("Mean of the repeats of each combination")


def test_a_map_of_many_cells_is_small_and_the_same_every_time() -> None:
    sweep = make_sweep(list(range(40)), list(range(40)), lambda x, y: (x * y % 41) / 40)
    first, second = (render(draw_heat_map(sweep, "x", "y", "height"), "svg") for _ in range(2))
    assert first == second
    assert len(first) < 200_000

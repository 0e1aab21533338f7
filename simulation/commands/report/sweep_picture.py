"""Curves of a sweep: a figure against a varied key, with the spread of the repeats, and perhaps a formula over it.

Where curves would be many and two keys are numbers, a heat map stands beside or in place of them.
"""

import math
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from simulation.analysis import CLOSED_FORM
from simulation.commands.report.figure_names import is_share, name_figure, name_file, shorten_key
from simulation.commands.report.heat_map import choose_y, picture_heat_map
from simulation.commands.report.own_axes import MAX_TITLE, DrawnLine, count_lines, label_axes
from simulation.commands.report.picture import Missing, Picture
from simulation.commands.report.style import BLACK, CYCLE, LABEL_LENGTH, fit, make_figure, styled
from simulation.commands.report.sweep_table import SweepTable, SweepTableError, is_proportion
from simulation.commands.report.value_names import name_values, show_value
from simulation.foundation import suggest

MAX_LINES: Final = 16
MAX_FIGURES: Final = 24
LINES_WITH_MAP: Final = 4
"""From so many lines on a heat map stands beside them, where there can be one."""
LINES_AS_MAP: Final = len(CYCLE) + 1
"""From so many lines on, which no longer differ in colour, it stands in their place."""
LEGEND_ROW: Final = 0.21
"""Inches."""
LINE_WIDTH: Final = 1.5
MARKER_SIZE: Final = 4.5
WIDEST: Final = 3.0
WIDER: Final = 0.5
"""How much wider a line is than the next one, so that it can be seen below it where the two coincide."""

_FORMULA: Final = "closed form"
_MARKERS: Final = "osD^vPX*"
_WIDE_LABEL: Final = 46
_SHARES: Final = (-0.04, 1.04)
"""Ends of an axis for shares."""


def draw_sweep(
    table: pd.DataFrame,
    x: str,
    figure: str,
    lines_by: Sequence[str] = (),
    *,
    axes: Axes | None = None,
    source: str = "",
) -> Figure:
    """Return a figure of a sweep's table as curves.

    A proportion has its 95 % Wilson interval; a number is a mean with one standard deviation either side. What a closed
    form says, where the table has it, is dashed over each line.

    Args:
        table: As ``aggregate.csv`` has it: a row for each combination.
        x: Column of the horizontal axis. Values that are not numbers stand side by side in the table's order.
        figure: Name of a figure, without ".mean" or ".low".
        lines_by: Columns whose combinations each are a line.
        axes: Where to draw instead of on a new picture. Texts that they have stay; a title of ours stands where the
            caller's next one will, in lines about as wide as the axes. What is drawn there later has the next colours.

        source: What to call the table on axes that have lines of several.

    Raises:
        KeyError: The table has no such column.
    """
    place = rcParams["axes.titlelocation"]
    with styled():
        lines = sum(1 for _ in islice(iterate_lines(table, lines_by), MAX_LINES))
        canvas = make_figure(3.7 + LEGEND_ROW * math.ceil(lines / 2)) if axes is None else None
        drawn = canvas.subplots() if canvas is not None else axes
        if drawn is None:
            raise TypeError("there is always one of the two")
        places = _find_places(table[x])
        is_numeric = places.dtype == float
        name_lines = {key: name_values(table[key]) for key in lines_by}
        has_formula = is_numeric and f"{figure}{CLOSED_FORM}" in table
        first = count_lines(axes) if axes is not None else 0
        lines_drawn = []
        for number, (values, rows) in enumerate(islice(iterate_lines(table, lines_by), MAX_LINES), start=first):
            at = places[rows.index].sort_values(kind="stable")
            wider = min(WIDER, WIDEST / lines) * (lines - 1 - number + first)  # later lines may lie on this one
            told = [f"{shorten_key(key)} = {name_lines[key](value)}" for key, value in values.items()]
            name = fit(", ".join(told), 2 * LABEL_LENGTH)
            artist = _draw_line(drawn, at, rows.loc[at.index], figure, number=number, name=name, wider=wider)
            lines_drawn.append(DrawnLine(source, figure, name, artist))
            if has_formula:
                formula = rows.loc[at.index, f"{figure}{CLOSED_FORM}"].astype(float)
                drawn.plot(at, formula, "--", color=CYCLE[number % len(CYCLE)], linewidth=1.2)
        if has_formula and _FORMULA not in drawn.get_legend_handles_labels()[1]:
            drawn.plot([], [], "--", color=BLACK, linewidth=1.2, label=_FORMULA)
        if not is_numeric:
            names, name_place = list(dict.fromkeys(table[x])), name_values(table[x])
            drawn.set_xticks(range(len(names)), [fit(name_place(name)) for name in names])
        kind = _name_kind(table, figure)
        if axes is None:
            title = fit(f"{name_figure(figure)} against {x}", MAX_TITLE)
            drawn.set(xlabel=fit(x, MAX_TITLE), ylabel=kind, title=title)
        else:
            label_axes(axes, x, lines_drawn, kind, place)
        drawn.grid(visible=True, axis="y")
        if is_proportion(table, figure) and not first:
            drawn.set_ylim(_SHARES)
        elif drawn.get_ylim() == _SHARES:  # those of shares that were drawn there before
            drawn.autoscale(axis="y")
        _add_legend(drawn, canvas)
    whole = canvas or drawn.get_figure(root=True)
    if whole is None:
        raise ValueError("the axes belong to no figure")
    return whole


def iterate_lines(table: pd.DataFrame, lines_by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the rows of each line with the values that tell it from others, in the table's order."""
    if not lines_by:
        yield {}, table
        return
    for values, rows in table.groupby(list(lines_by), sort=False, dropna=False):
        yield dict(zip(lines_by, values, strict=True)), rows


def choose_figures(sweep: SweepTable, patterns: Sequence[str]) -> list[str]:
    """Return the figures of a sweep that have one of some names, in the order of the names; all where none is given.

    Args:
        sweep: The table.
        patterns: Names of columns without ".mean" and the like; * stands for anything.

    Raises:
        SweepTableError: The table has no figure of a name.
    """
    if not patterns:
        return sorted(sweep.figures, key=lambda name: (sweep.figures[name] == "number", _rank(name)))
    chosen: dict[str, None] = {}
    for pattern in patterns:
        found = sorted(name for name in sweep.figures if fnmatchcase(name, pattern))
        if not found:
            hint = suggest(pattern, sweep.figures)
            raise SweepTableError(f"--figure {pattern}: {sweep.name} has no such figure; {hint}")
        chosen |= dict.fromkeys(found)
    return list(chosen)


def draw_figures(sweep: SweepTable, patterns: Sequence[str] = ()) -> list[Picture | Missing]:
    """Return the pictures of each figure that differs between combinations, proportions first.

    Curves, and a heat map where two keys have numbers: beside them from `LINES_WITH_MAP` lines on, and in their place
    from `LINES_AS_MAP` on.

    Args:
        sweep: The table.
        patterns: Which figures, as `choose_figures` takes them.

    Raises:
        SweepTableError: The table has no such figure.
    """
    x = sweep.choose_x(MAX_LINES)
    if x is None:
        return [Missing("Curves", "The sweep varies nothing, or only one combination is in its table.")]
    if not sweep.figures:
        return [Missing("Curves", "The table holds no figure.")]
    figures = choose_figures(sweep, patterns)
    differing = [name for name in figures if sweep.get_centre(name).nunique() > 1]
    lines = sweep.count_lines(x)
    y = choose_y(sweep, x) if lines >= LINES_WITH_MAP else None
    pictures: list[Picture | Missing] = []
    for number, name in enumerate(differing[:MAX_FIGURES], start=1):
        if y is None or lines < LINES_AS_MAP:
            pictures.append(_draw_figure(sweep, x, name, number))
        if y is not None:
            pictures.append(picture_heat_map(sweep, x, y, name, number))
    same = [
        f"{name} = {show_value(float(sweep.get_centre(name).max()))}"
        for name in sorted(figures)
        if name not in differing
    ]
    if same:
        pictures.append(Missing("The same in every combination", f"{', '.join(same)}."))
    if differing[MAX_FIGURES:]:
        rest = ", ".join(differing[MAX_FIGURES:])
        why = f"A page has pictures of {MAX_FIGURES} figures at most; the table also has {rest}."
        pictures.append(Missing("More figures", why))
    return pictures


def _rank(name: str) -> int:
    """Return how early a figure comes: the summary's own first, counts of single kinds of messages last."""
    starts = ("attack.", "chain.", "employer.", "training.", "measures.", "cost.")
    place = next((place for place, start in enumerate(starts) if name.startswith(start)), len(starts))
    return len(starts) + 1 if ".by_" in name or "refused_by_" in name else place


def _draw_figure(sweep: SweepTable, x: str, name: str, number: int) -> Picture:
    drawn = draw_sweep(sweep.frame, x, name, sweep.find_lines(x))
    lines, kind, centre = sweep.count_lines(x), sweep.figures[name], sweep.get_centre(name)
    left_out = f" Only the first {MAX_LINES} of {lines} lines are drawn." if lines > MAX_LINES else ""
    alt = (
        f"{name} against {x}: from {show_value(float(centre.min()))} to {show_value(float(centre.max()))} over "
        f"{len(sweep.frame)} combinations, in {lines} {'lines' if lines > 1 else 'line'}."
    )
    note = f"{_NOTES[kind]}{left_out} In the table it is {name}."
    return Picture(name_file(name, number), name_figure(name), alt, note, drawn, sweep.tabulate(name))


_NOTES: Final = {
    "proportion": "Share of the repeats; the bars are 95 % Wilson intervals.",
    "number": "Mean of the repeats; the bars are one standard deviation either side, as far as the figure can go, "
    "and not an interval for the mean.",
}


def _find_places(column: pd.Series) -> pd.Series:
    """Return where each row stands on the horizontal axis: at its number, or side by side where there is a word."""
    numbers = pd.to_numeric(column, errors="coerce")
    if column.dtype != bool and not numbers.isna().any():
        return numbers.astype(float)
    return pd.Series(pd.factorize(column, use_na_sentinel=False)[0], index=column.index, dtype=int)


def _draw_line(
    axes: Axes, at: pd.Series, rows: pd.DataFrame, figure: str, *, number: int, name: str, wider: float
) -> ErrorbarContainer:
    centre = rows[figure if is_proportion(rows, figure) else f"{figure}.mean"].astype(float)
    return axes.errorbar(
        at,
        centre,
        _measure_bars(rows, figure, centre),
        color=CYCLE[number % len(CYCLE)],
        marker=_MARKERS[number % len(_MARKERS)],
        linestyle="-" if number < len(CYCLE) else ":",
        label=name or None,
        elinewidth=1,
        linewidth=LINE_WIDTH + wider,
        markersize=MARKER_SIZE + 2 * wider,
    )


def _measure_bars(rows: pd.DataFrame, figure: str, centre: pd.Series) -> Any:  # noqa: ANN401 - an array
    """Return how far the bars go below and above each point; nowhere where that is not known."""
    if is_proportion(rows, figure):
        low, high = rows[f"{figure}.low"].astype(float), rows[f"{figure}.high"].astype(float)
        return np.nan_to_num(np.clip(np.vstack([centre - low, high - centre]), 0, None))
    spread = f"{figure}.std"
    std = rows[spread].astype(float) if spread in rows else pd.Series(0.0, index=rows.index)
    least = 0.0 if is_share(figure) or (centre.dropna() >= 0).all() else -math.inf
    most = 1.0 if is_share(figure) else math.inf
    bars = np.vstack([np.minimum(std, centre - least), np.minimum(std, most - centre)])
    return np.nan_to_num(np.clip(bars, 0, None))


def _name_kind(table: pd.DataFrame, figure: str) -> str:
    """Return what the values of a figure are, and their bars where they have any."""
    if is_proportion(table, figure):
        return "share of repeats"
    spread = f"{figure}.std"
    has_bars = spread in table and bool(table[spread].notna().any())
    return "mean of repeats \N{PLUS-MINUS SIGN} s.d." if has_bars else "mean of repeats"


def _add_legend(axes: Axes, canvas: Figure | None) -> None:
    labels = axes.get_legend_handles_labels()[1]
    if canvas is None:
        if len(labels) > 1:
            axes.legend()
    elif labels:
        canvas.legend(loc="outside lower center", ncols=1 if max(map(len, labels)) > _WIDE_LABEL else 2)

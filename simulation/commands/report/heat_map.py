"""Heat maps of a sweep: a figure over two varied keys that are numbers, a cell for each combination."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from simulation.analysis import CLOSED_FORM
from simulation.commands.report.figure_names import is_share, name_figure, name_file, shorten_key
from simulation.commands.report.picture import Picture
from simulation.commands.report.style import BLACK, GREY, LIGHT, WIDTH, fit, make_figure, styled
from simulation.commands.report.sweep_table import SweepTable
from simulation.commands.report.value_names import show_value

FEWEST_VALUES: Final = 3
"""Of each key."""
LEAST_COVER: Final = 0.5
"""Share of a map's cells that the sweep must have; with fewer, curves say more."""
COLOURS: Final = "viridis"
"""Even steps from dark to light, also to colour-blind readers or in print; without the grey that missing cells have."""
BOUNDARY: Final = 0.5

_AROUND: Final = 2.4
"""Inches of the picture's width that are not cells: names, ticks and the colour bar."""
_ROW: Final = 0.46
"""Inches that a row has where there are few; the height of all stays between the next two."""
_LEAST_HEIGHT, _MOST_HEIGHT = 2.4, 6.4
_LETTER: Final = 0.0088
"""Inches of width to a letter and point of size."""
_SIZES: Final = (9, 8, 7)
"""Of values in cells, the best one first."""
_TICK_SIZE: Final = 10
_TICK_HEIGHT: Final = 0.2
_NAME_LENGTH: Final = 70
_NAME_LETTERS: Final = 11
"""To an inch."""
_LINE: Final = 1.5
"""Height of a line of text, in letters' sizes."""
_POINTS: Final = 72
_DARK: Final = 0.5
_PATCH: Final = 0.6
"""Points around a value in which a line that crosses it makes way."""
_MOST_SHAPES: Final = 900
"""More cells than these have no lines between them, which would hide them, nor values, and are dots in an SVG."""

_LEAST_DIGITS, _MOST_DIGITS = 3, 6
_LETTERED: Final = 10_000.0
"""Numbers from here on are written in thousands, millions and so on."""
_POWERS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of a map: rows are values of the key that goes up, columns of the one that goes across."""

    across: Sequence[Any]
    up: Sequence[Any]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    """Where each row of the table stands."""

    def lay(self, column: pd.Series) -> Cells:
        """Return a column of the table as cells; nan where there is nothing."""
        cells = np.full((len(self.up), len(self.across)), math.nan)
        cells[self.rows, self.columns] = column.to_numpy(float)
        return cells


def choose_y(sweep: SweepTable, x: str) -> str | None:
    """Return the key that goes up in a map with ``x`` across; None where the sweep makes no map.

    It makes one where no third key tells combinations apart, both are numbers, and have enough values and cells.
    """
    lines = sweep.find_lines(x)
    if len(lines) != 1 or not all(_is_number(sweep.frame[key]) for key in (x, *lines)):
        return None
    counts = [sweep.frame[key].nunique() for key in (x, *lines)]
    return lines[0] if min(counts) >= FEWEST_VALUES and len(sweep.frame) >= LEAST_COVER * math.prod(counts) else None


def picture_heat_map(sweep: SweepTable, x: str, y: str, figure: str, number: int) -> Picture:
    """Return the map of a figure with what goes with it on a page; ``number`` is the figure's place there."""
    frame, kind, centre = sweep.frame, sweep.figures[figure], sweep.get_centre(figure)
    least, most = (
        f"{show_value(float(centre.iloc[at]))} at {show_value(frame[x].iloc[at])} and {show_value(frame[y].iloc[at])}"
        for at in (centre.argmin(), centre.argmax())
    )
    alt = f"{name_figure(figure)} over {x} and {y}: from {least} to {most}, in {len(frame)} combinations."
    what = "Share" if kind == "proportion" else "Mean"
    note = (
        f"{what} of the repeats of each combination; how far they spread is among the numbers. Cells stand side by "
        f"side, however far apart the values are. In the table it is {figure}."
    )
    drawn = draw_heat_map(sweep, x, y, figure)
    title = f"{name_figure(figure)}, as a map"
    return Picture(f"{name_file(figure, number)}-map", title, alt, note, drawn, sweep.tabulate(figure))


def draw_heat_map(sweep: SweepTable, x: str, y: str, figure: str) -> Figure:
    """Return a figure of a sweep as a map with a cell for each combination.

    A share has the colours of 0 to 1, whatever its values are; of a proportion, a line goes where it crosses one half,
    and a dashed one where its closed form does.

    Args:
        sweep: The table.
        x: Column that goes across; numbers, as in the other.
        y: Column that goes up.
        figure: Name of a figure, without ".mean" or ".low".

    Raises:
        KeyError: The table has no such column or figure.
    """
    with styled():
        frame, grid = sweep.frame, _make_grid(sweep.frame, x, y)
        cells = grid.lay(sweep.get_centre(figure))
        height = min(_MOST_HEIGHT, max(_LEAST_HEIGHT, _ROW * len(grid.up)))
        canvas = make_figure(height + 1.3)
        axes = canvas.subplots()
        is_proportion = sweep.figures[figure] == "proportion"
        limits: Any = {"vmin": 0.0, "vmax": 1.0} if is_proportion or is_share(figure) else {}
        digits = _count_digits(cells)
        is_fine = cells.size > _MOST_SHAPES
        edges: Any = {} if is_fine else {"edgecolors": "white", "linewidth": 0.8}
        mesh = axes.pcolormesh(np.ma.masked_invalid(cells), cmap=COLOURS, rasterized=is_fine, **limits, **edges)
        legend = _mark_missing(axes, cells, grid.lay(frame["n"].fillna(0)))
        if not is_fine:
            _write_values(axes, mesh, cells, height, digits)
        if is_proportion:
            legend += _draw_boundary(axes, cells, "-", f"{BOUNDARY:g}, between the cells' centres")
            if f"{figure}{CLOSED_FORM}" in frame:
                formula = grid.lay(frame[f"{figure}{CLOSED_FORM}"])
                legend += _draw_boundary(axes, formula, "--", f"closed form: {BOUNDARY:g}")
        bar = canvas.colorbar(mesh, ax=axes, pad=0.02, format=lambda value, _: _show_briefly(value, digits))
        bar.set_label("share of repeats" if is_proportion else "mean of repeats")
        bar.outline.set_visible(False)
        _finish(axes, grid, height, title=name_figure(figure), x=x, y=y)
        if legend:
            canvas.legend(handles=legend, loc="outside lower center", ncols=2)
    return canvas


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool and not column.isna().any()


def _make_grid(frame: pd.DataFrame, x: str, y: str) -> Grid:
    across, columns = np.unique(frame[x].to_numpy(), return_inverse=True)
    up, rows = np.unique(frame[y].to_numpy(), return_inverse=True)
    return Grid(across.tolist(), up.tolist(), rows, columns)


def _mark_missing(axes: Axes, cells: Cells, counts: Cells) -> list[Artist]:
    """Mark the cells without a figure; return what the legend says of them."""
    is_empty = np.isnan(cells)
    kinds = (
        ("no finished run", "////", is_empty & (counts == 0)),
        ("no value in any run", "xxx", is_empty & (counts > 0)),
        ("not in the sweep", "", is_empty & np.isnan(counts)),
    )
    legend: list[Artist] = []
    for label, hatch, where in kinds:
        if not where.any():
            continue
        look: Any = {"edgecolor": GREY, "hatch": hatch, "linewidth": 0}
        axes.pcolor(np.ma.array(np.zeros_like(cells), mask=~where), cmap=ListedColormap([LIGHT]), **look)
        legend.append(Patch(label=label, facecolor=LIGHT, **look))
    return legend


def _write_values(axes: Axes, mesh: QuadMesh, cells: Cells, height: float, digits: int) -> None:
    """Write its value into each cell, unless that is too small for the longest."""
    texts = {(row, column): _show_briefly(cells[row, column], digits) for row, column in np.argwhere(~np.isnan(cells))}
    longest = max(map(len, texts.values()), default=0)
    wide, high = (WIDTH - _AROUND) / cells.shape[1], height / cells.shape[0]
    fitting = (s for s in _SIZES if (longest + 1) * _LETTER * s <= wide and _LINE * s / _POINTS <= high)
    size = next(fitting, None)
    if size is None:
        return
    for (row, column), text in texts.items():
        red, green, blue, _ = behind = mesh.to_rgba(cells[row, column])
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < _DARK
        written = axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=size)
        written.set_color("white" if is_dark else BLACK)
        written.set_bbox({"facecolor": behind, "linewidth": 0, "pad": _PATCH})


def _draw_boundary(axes: Axes, cells: Cells, style: Literal["-", "--"], label: str) -> list[Artist]:
    """Draw where cells cross one half; return what the legend says of it, which is nothing where they do not."""
    known = cells[~np.isnan(cells)]
    if not known.size or not known.min() < BOUNDARY < known.max():
        return []
    middles = [np.array([0, *np.arange(count) + 0.5, count]) for count in (cells.shape[1], cells.shape[0])]
    padded = np.ma.masked_invalid(np.pad(cells, 1, mode="edge"))  # so that the line goes on to the map's border
    for colour, width in (("white", 3.6), (BLACK, 1.6)):  # seen on every colour
        axes.contour(*middles, padded, [BOUNDARY], colors=colour, linewidths=width, linestyles=style)
    return [Line2D([], [], color=BLACK, linewidth=1.6, linestyle=style, label=label)]


def _finish(axes: Axes, grid: Grid, height: float, *, title: str, x: str, y: str) -> None:
    axes.set(title=fit(title, _NAME_LENGTH), xlabel=fit(x, _NAME_LENGTH))
    most = int(height * _NAME_LETTERS)
    axes.set_ylabel(fit(y if len(y) <= most else shorten_key(y), most))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    across, up = ([show_value(value) for value in values] for values in (grid.across, grid.up))
    width = (max(map(len, across)) + 2) * _LETTER * _TICK_SIZE
    step = math.ceil(len(across) * width / (WIDTH - _AROUND))
    axes.set_xticks(np.arange(len(across))[::step] + 0.5, across[::step])
    step = math.ceil(len(up) * _TICK_HEIGHT / height)
    axes.set_yticks(np.arange(len(up))[::step] + 0.5, up[::step])


def _count_digits(cells: Cells) -> int:
    """Return the significant digits that tell cells apart: more where their differences are small beside them."""
    known = cells[np.isfinite(cells)]
    spread = np.ptp(known) if known.size else 0.0
    ratio = np.abs(known).max() / spread if spread else 1.0
    return min(_MOST_DIGITS, max(_LEAST_DIGITS, 2 + math.ceil(math.log10(ratio))))


def _show_briefly(value: float, digits: int) -> str:
    """Return a number as a cell has it: 0.125, 1,250 and 12.5k."""
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= _LETTERED and math.isfinite(rounded):
        power, letter = next(pair for pair in _POWERS if abs(rounded) >= pair[0])
        return f"{rounded / power:.{digits}g}{letter}"
    if abs(rounded) >= _POWERS[-1][0]:
        digits = max(digits, _LEAST_DIGITS + 1)  # with fewer it would have an exponent
    return f"{value:,.{digits}g}"

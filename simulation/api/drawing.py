"""Pictures as matplotlib figures. Drawing sets matplotlib's style for a moment, so one thread draws at a time."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.commands.report import Missing, Run, animate_tree, draw_source, draw_sweep, read_source

_DRAWING: Final = threading.Lock()


def draw_pictures(path: Path, figures: Sequence[str] = ()) -> dict[str, Figure]:
    """Return the pictures of a run or a sweep by name; what there is nothing to draw of is left out.

    Raises:
        SourceError: There is neither a run nor a sweep.
        SweepTableError: The sweep has no such figure.
    """
    source = read_source(path)
    with _DRAWING:
        drawn = draw_source(source, figures)
    return {picture.name: picture.figure for picture in drawn if not isinstance(picture, Missing)}


def draw_growth(folder: Path) -> bytes | None:
    """Return the growth of a run's tree of blocks as the bytes of a GIF; None where there is no block.

    Raises:
        SourceError: There is no log to draw from.
    """
    source = read_source(folder)
    if not isinstance(source, Run):
        return None
    with _DRAWING:
        return animate_tree(source)


def draw_curves(table: pd.DataFrame, x: str, figure: str, lines_by: Sequence[str], axes: Axes | None) -> Figure:
    """Return curves of a sweep's aggregated table; see `simulation.commands.report.draw_sweep`.

    Raises:
        KeyError: The table has no such column.
    """
    with _DRAWING:
        return draw_sweep(table, x, figure, lines_by, axes=axes)

"""Pictures as matplotlib figures. Drawing sets matplotlib's style for a moment, so one thread draws at a time."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.api.arguments import show
from simulation.api.result import NotThereError
from simulation.api.stored import warn_of, warn_of_damage
from simulation.commands.report import (
    MAX_LINES,
    Missing,
    Run,
    SweepTable,
    animate_tree,
    draw_source,
    draw_sweep,
    find_keys,
    read_source,
)
from simulation.foundation import SimulationError, suggest
from simulation.records import EVENTS_NAME, LOG_NAME

_DRAWING: Final = threading.Lock()
_ENDS: Final = (".mean", ".std", ".median", ".low", ".high", ".n")
"""What the columns of a figure end with."""


def draw_pictures(path: Path, figures: Sequence[str] = ()) -> dict[str, Figure]:
    """Return the pictures of a run or a sweep by name; what there is nothing to draw of is left out.

    Raises:
        SourceError: There is neither a run nor a sweep.
        SweepTableError: The sweep has no such figure.
    """
    source = _read_whole(path)
    with _DRAWING:
        drawn = draw_source(source, figures)
    return {picture.name: picture.figure for picture in drawn if not isinstance(picture, Missing)}


def draw_growth(folder: Path) -> bytes | None:
    """Return the growth of a run's tree of blocks as the bytes of a GIF; None where there is no block.

    Raises:
        SourceError: There is no log to draw from.
    """
    source = _read_whole(folder)
    if not isinstance(source, Run):
        return None
    with _DRAWING:
        return animate_tree(source)


def _read_whole(path: Path) -> Run | SweepTable:
    """Return what is to be drawn, of a run from the log that is whole; say what was changed."""
    source = read_source(path)
    if isinstance(source, SweepTable):
        warn_of_damage(source.changes)
        return source
    warnings = source.warnings
    if warnings and source.log.path.name == EVENTS_NAME and (path / LOG_NAME).is_file():
        other = read_source(path / LOG_NAME)
        if not other.warnings:
            source, warnings = other, [*warnings[:-1], f"{warnings[-1]}; what is read is {LOG_NAME}, which is whole"]
    warn_of_damage(warnings)
    return source


def make_table(name: str, frame: pd.DataFrame) -> SweepTable:
    """Return a sweep's aggregated table as reports have it."""
    return SweepTable(name, frame, find_keys(frame) or ())


def draw_curves(sweep: SweepTable, x: str, figure: str, lines_by: str | Sequence[str], axes: Axes | None) -> Figure:
    """Return curves of a sweep's aggregated table; see `simulation.commands.report.draw_sweep`.

    Args:
        sweep: The table; errors have its name.
        x: Key of the horizontal axis.
        figure: Name of a figure.
        lines_by: Keys whose combinations each are a line; none for those that are needed.
        axes: Where to draw instead of on a new picture.

    Raises:
        NotThereError: The table has no such key or figure.
        SimulationError: A line would go through several combinations at one place.
    """
    keys = [lines_by] if isinstance(lines_by, str) else list(lines_by)
    for key in (x, *keys):
        if key not in sweep.keys:
            raise NotThereError(f"{sweep.name}: {key!r} is not a key that the sweep varies; {suggest(key, sweep.keys)}")
    name = _find_figure(sweep, figure)
    keys = _choose_lines(sweep, x, keys)
    lines = len(sweep.frame[keys].drop_duplicates()) if keys else 1
    if lines > MAX_LINES:
        warn_of(f"{name}: only the first {MAX_LINES} of {lines} lines are drawn")
    with _DRAWING:
        return draw_sweep(sweep.frame, x, name, keys, axes=axes, source=Path(sweep.name).name)


def _find_figure(sweep: SweepTable, figure: str) -> str:
    """Return the name of a figure, which may have been given as one of its columns."""
    figures = sweep.figures
    if not isinstance(figure, str):
        raise SimulationError(f"draw: write the name of one figure, and call it again for another, not {show(figure)}")
    if figure in figures:
        return figure
    stem, _, end = figure.rpartition(".")
    if stem in figures and f".{end}" in _ENDS:
        return stem
    raise NotThereError(f"{sweep.name}: {figure!r} is not a figure of the sweep; {suggest(figure, figures)}")


def _choose_lines(sweep: SweepTable, x: str, keys: list[str]) -> list[str]:
    """Return the keys that tell lines apart: those given, or those that are needed where there are none."""
    needed = sweep.find_lines(x)
    if not keys:
        return needed
    across = [x, *(key for key in keys if key != x)]
    if len(sweep.frame[across].drop_duplicates()) < len(sweep.frame):
        left_out = next(key for key in needed if key not in across)
        raise SimulationError(
            f"draw: lines_by leaves out {left_out!r}, which varies too, so that a line would go through several "
            f"combinations at one place; add it, or leave lines_by out"
        )
    return [key for key in keys if key != x]

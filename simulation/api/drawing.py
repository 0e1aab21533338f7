"""Pictures as matplotlib figures. Drawing sets matplotlib's style for a moment, so one thread draws at a time."""

import threading
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from simulation.commands.report import Missing, draw_source, read_source

_DRAWING: Final = threading.Lock()


def draw_run_pictures(path: Path, figures: tuple[str, ...] = ()) -> dict[str, Figure]:
    """Return the pictures of a run or a sweep by name; what there is nothing to draw of is left out.

    Raises:
        SourceError: There is neither a run nor a sweep.
        SweepTableError: The sweep has no such figure.
    """
    source = read_source(path)
    with _DRAWING:
        drawn = draw_source(source, figures)
    return {picture.name: picture.figure for picture in drawn if not isinstance(picture, Missing)}

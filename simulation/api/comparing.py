"""Several results side by side: as a table, or as one page with pictures."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from simulation.foundation import OutputError, SimulationError, load_named_plugin, put_in_force
from simulation.records import read_log

if TYPE_CHECKING:
    import pandas as pd


class Kept(Protocol):
    """A result that lies in a folder: a `Run` or a `Sweep`."""

    @property
    def folder(self) -> Path:
        """Return where its files lie."""


Source = Kept | str | Path
"""A run, its folder, or its log."""

MAX_OUT_PARTS: Final = 100


def compare(*runs: Source, warn: Callable[[str], object] = warnings.warn) -> "pd.DataFrame":
    """Return runs side by side, a row for each figure and a column for each run, from their logs alone.

    Where `scenario.yaml` lies beside at least two logs, the keys in which they differ are rows behind the figures:
    their names begin with ``key``, such as ``key populations.honest.count``; ``?`` is in a run without one.

    Args:
        runs: Two or more runs, their folders or their logs.
        warn: Takes a sentence about each log that is damaged but still of use.

    Raises:
        LogError: A log cannot be used at all.
        SimulationError: There are fewer than two.
    """
    from simulation.analysis import build_frame  # noqa: PLC0415 - loads pandas

    logs = [read_log(get_path(run)) for run in runs]
    if len(logs) < 2:
        raise SimulationError("compare: name at least two runs")
    for log in logs:
        for warning in log.warnings:
            warn(warning)
    return build_frame(logs)


def report(
    *sources: Source,
    out: str | Path = "report",
    figures: Sequence[str] = (),
    warn: Callable[[str], object] = warnings.warn,
    plugins: Sequence[str | Path] = (),
) -> Path:
    """Draw runs and sweeps into a new folder, as pictures and one page that needs no network; return the page.

    Args:
        sources: Runs, their folders or logs, or folders of sweeps.
        out: The folder to make; numbered if there is one already.
        figures: Figures of sweeps to draw, such as ``chain.*``; all where there is none.
        warn: Takes a sentence about each log that is damaged but still of use.
        plugins: Files of code, or names of installed packages, whose pictures are drawn too; no others are,
            whatever the runs had.

    Raises:
        PluginError: One of them cannot be loaded, or a picture of it fails.
        OutputError: It cannot be written; nothing is left of it.
        SourceError: What was named cannot be drawn.
        SweepTableError: A sweep has no such figure.
    """
    from simulation.commands.report import read_source, write_report  # noqa: PLC0415 - loads matplotlib

    folder = Path(out).expanduser()
    if not folder.name.strip(".") or len(folder.parts) > MAX_OUT_PARTS:
        raise SimulationError(f"--out: write the name of a new folder, not {str(folder)[:80]}")
    put_in_force([load_named_plugin(Path(file)) for file in plugins])
    read = [read_source(get_path(source)) for source in sources]
    for source in read:
        for warning in source.warnings:
            warn(warning)
    try:
        return write_report(read, folder, figures)
    except OSError as error:
        what = f"{error.filename or folder}: cannot be written: {error.strerror}; there is no report"
        raise OutputError(what) from None


def get_path(run: Source) -> Path:
    """Return where the files of a result lie."""
    return Path(run).expanduser() if isinstance(run, str | Path) else run.folder

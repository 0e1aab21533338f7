"""Several results side by side: as a table, or as one page with pictures."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulation.api.arguments import checked
from simulation.api.sources import Source, get_path, spread
from simulation.foundation import OutputError, SimulationError, load_named_plugin, put_in_force
from simulation.records import LOG_NAME, SWEEP_NAME, read_log

if TYPE_CHECKING:
    import pandas as pd


MAX_OUT_PARTS: Final = 100


@checked
def compare(*runs: Source | Iterable[Source], warn: Callable[[str], object] = warnings.warn) -> "pd.DataFrame":
    """Return runs side by side, a row for each figure and a column for each run, from their logs alone.

    Where `scenario.yaml` lies beside at least two logs, the keys in which they differ are rows behind the figures:
    their names begin with ``key``, such as ``key populations.honest.count``; ``?`` is in a run without one.

    Args:
        runs: Two or more runs, their folders or their logs; lists of them too.
        warn: Takes a sentence about each log that is damaged but still of use.

    Raises:
        LogError: A log cannot be used at all.
        SimulationError: There are fewer than two, or one is a sweep.
    """
    from simulation.analysis import build_frame  # noqa: PLC0415 - loads pandas

    paths = [get_path(run) for run in spread(runs)]
    for path in paths:
        if (path / SWEEP_NAME).is_file() and not (path / LOG_NAME).is_file():
            raise SimulationError(
                f"{path}: a sweep, and runs are compared; a report draws it, its tables have its cells"
            )
    logs = [read_log(path) for path in paths]
    if len(logs) < 2:
        raise SimulationError("compare: name at least two runs")
    for log in logs:
        for warning in log.warnings:
            warn(warning)
    return build_frame(logs)


@checked
def report(
    *sources: Source | Iterable[Source],
    out: str | Path = "report",
    figures: str | Sequence[str] = (),
    warn: Callable[[str], object] = warnings.warn,
    plugins: Sequence[str | Path] = (),
) -> Path:
    """Draw runs and sweeps into a new folder, as pictures and one page that needs no network; return the page.

    Args:
        sources: Runs, their folders or logs, or sweeps or their folders; lists of them too.
        out: The folder to make; numbered if there is one already.
        figures: A figure of sweeps to draw, or several, such as ``chain.*``; all where there is none.
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
    read = [read_source(get_path(source)) for source in spread(sources)]
    for source in read:
        for warning in source.warnings:
            warn(warning)
    try:
        return write_report(read, folder, [figures] if isinstance(figures, str) else figures)
    except OSError as error:
        what = f"{error.filename or folder}: cannot be written: {error.strerror}; there is no report"
        raise OutputError(what) from None

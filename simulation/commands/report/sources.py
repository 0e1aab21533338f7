"""From a path that the user names to what can be drawn: a run's records, or a sweep's table."""

from dataclasses import dataclass
from pathlib import Path

from simulation.analysis import find_log_mechanism
from simulation.commands.report.series import RunSeries
from simulation.commands.report.sweep_table import (
    AGGREGATE_NAME,
    COPY_NAME,
    SweepTable,
    SweepTableError,
    read_sweep_table,
)
from simulation.commands.report.windows import Window, read_windows
from simulation.foundation import SimulationError
from simulation.records import (
    EVENTS_NAME,
    LOG_NAME,
    SWEEP_NAME,
    LogError,
    RunLog,
    Tally,
    parse_json,
    parse_line,
    read_log,
)
from simulation.scenario import ENGINE_TRAITS


class SourceError(SimulationError, ValueError):
    """What was named is neither a run nor a sweep, or cannot be read; the text says which and why."""


@dataclass(slots=True)
class Run:
    """A run, as its records tell it."""

    name: str
    log: RunLog
    series: RunSeries
    mechanism: str
    """The name of its mechanism; empty where nothing tells it."""
    windows: tuple[Window, ...] = ()
    """When some parties could not reach others; none where no scenario lies beside the log."""

    @property
    def tally(self) -> Tally:
        """Return the figures."""
        return self.log.tally

    @property
    def warnings(self) -> list[str]:
        """Return what is wrong with the log."""
        return self.log.warnings

    @property
    def is_simulated(self) -> bool:
        """Return whether its seconds are simulated ones."""
        traits = ENGINE_TRAITS.get(self.tally.get_opening().engine)
        return traits is not None and traits.is_simulated

    @property
    def is_counted(self) -> bool:
        """Return whether its parties counted most of what they did instead of recording it."""
        return self.series.is_counted


Source = Run | SweepTable


def read_source(path: Path) -> Source:
    """Return what a path stands for.

    Args:
        path: A run's folder, its ``events.jsonl`` or ``pot_sim.log``, or a sweep's folder.

    Raises:
        SourceError: It stands for nothing that can be drawn.
    """
    if not path.exists():
        raise SourceError(f"{path}: not there; name a run's folder, its log, or a sweep's folder")
    is_sweep = _has_one(path, AGGREGATE_NAME, COPY_NAME, SWEEP_NAME)
    if path.is_dir() and not is_sweep and not _has_one(path, EVENTS_NAME, LOG_NAME):
        raise SourceError(f"{path}: neither a run nor a sweep: it has no {EVENTS_NAME}, {LOG_NAME} or {SWEEP_NAME}")
    try:
        return read_sweep_table(path) if is_sweep else read_run(path)
    except (LogError, SweepTableError) as error:
        raise SourceError(str(error)) from None


def _has_one(folder: Path, *names: str) -> bool:
    return any((folder / name).is_file() for name in names)


def read_run(path: Path) -> Run:
    """Return a run from its folder or one of its two logs.

    Raises:
        LogError: There is no log, or no line of it is one.
    """
    file = path
    if path.is_dir():
        file = path / EVENTS_NAME if (path / EVENTS_NAME).is_file() else path / LOG_NAME
    series = RunSeries()
    log = read_log(file, series.add, parse_json if file.suffix == ".jsonl" else parse_line)
    log.name = file.resolve().parent.name or file.name
    windows = read_windows(file.parent, log.tally.genesis_time)
    return Run(log.name, log, series, find_log_mechanism(log), windows)

"""Running a scenario: the one place that commands and programs share."""

import io
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console

from simulation.api.arguments import checked
from simulation.api.elsewhere import can_train_here, work_elsewhere
from simulation.api.result import Run
from simulation.api.scenario import Scenario, take
from simulation.api.temporary import TemporaryPlace
from simulation.foundation import EXIT_FAILED, Interruption, OutputError, SimulationError
from simulation.records import Record, Tally
from simulation.runs import Detail, Follower, RunOutcome, run_scenario

MAX_OUT_PARTS: Final = 100
TELL_EVERY_S: Final = 0.1
"""Seconds between two calls of who wants to hear of progress, at least."""

_PROCESSES: Final = threading.Lock()
"""Held by a run whose parties are processes: they are forked from one server, which loads what one mechanism needs."""


class Cancel(Protocol):
    """Says whether a run is to end; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Return whether it is."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    phase: str
    """What the engine is doing, in words."""
    seconds: float
    """Since the run was started."""
    height: int
    """Blocks that the employer has."""
    length: int
    """Blocks of the whole chain."""
    rejected: int
    """Messages that honest nodes have refused."""


class CancelledError(SimulationError):
    """What was asked for was cancelled before there was a result; the text says what is kept."""

    exit_code = EXIT_FAILED


OnProgress = Callable[[Progress], object]


def execute(
    scenario: Scenario,
    out: Path,
    *,
    interruption: Interruption,
    console: Console | None = None,
    log_beside: Path | None = None,
    detail: str = "quiet",
    is_drawn: bool = True,
    follow: Follower | None = None,
) -> RunOutcome:
    """Run a scenario, and leave its folder behind.

    Args:
        scenario: What to run.
        out: Folder that the run's own folder is made in.
        interruption: Tells when the user wants it to end.
        console: Where the user looks; None for nowhere.
        log_beside: Where a second ``pot_sim.log`` goes; None for none.
        detail: How much is shown: `quiet`, `progress` or `verbose`.
        is_drawn: Whether pictures go into the folder, where the scenario wants them.
        follow: A program that is told what happens meanwhile.

    Raises:
        SimulationError: It cannot be run, as `OutputError` where something cannot be written.
    """
    if len(out.parts) > MAX_OUT_PARTS:
        raise SimulationError(f"--out: write at most {MAX_OUT_PARTS} nested folders, not {len(out.parts)}")
    if "\0" in str(out):
        raise SimulationError(f"--out: no folder has a name such as {str(out)!r}")
    has_processes = not scenario.keys.traits.is_simulated
    try:
        with _PROCESSES if has_processes else nullcontext():
            return run_scenario(
                scenario.keys,
                out,
                console=console if console is not None else make_silent_console(),
                log_beside=log_beside,
                interruption=interruption,
                draw=_draw if is_drawn else None,
                detail=Detail(detail),
                follow=follow,
            )
    except OSError as error:
        what = f"{error.filename or out}: cannot be written: {error.strerror or error}; the run has ended"
        raise OutputError(what) from error


@checked
def run(
    scenario: Scenario | str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    on_progress: OnProgress | None = None,
    cancel: Cancel | None = None,
    take_record: Callable[[Record], None] | None = None,
) -> Run:
    """Run a scenario to its end, and return what has come of it.

    Args:
        scenario: A `Scenario`, or what `load` takes.
        out: Folder that the run's own folder is made in; None for one that is deleted when the `Run` is not used any
            more, without pictures in it.
        on_progress: Is called up to ten times a second while the run goes on, by the thread that runs it.
        cancel: Ends the run in order as soon as it is set; the run then has ``ended == "interrupted"``.
        take_record: Takes every record as it happens, by the thread that runs it, and must not raise; most programs
            want `start`, which hands them over one by one.

    Raises:
        SimulationError: The scenario is not valid, or cannot be run here; the text says what to do about it.
    """
    chosen = take(scenario)
    wants_end = cancel.is_set if cancel is not None else _never
    if out is not None:
        return Run(_run_order(_Order(chosen, Path(out).expanduser()), on_progress, take_record, wants_end))
    place = make_place()
    try:
        folder = _run_order(_Order(chosen, place.path, is_drawn=False), on_progress, take_record, wants_end)
        return Run(folder, place=place)
    except BaseException:
        place.close()
        raise


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be run."""

    scenario: Scenario
    out: Path
    is_drawn: bool = True

    def run(self, follow: Follower, wants_end: Callable[[], bool]) -> Path:
        """Run it in this process; return the run's own folder."""
        interruption = Interruption(wants_end)
        interruption.is_orderly = True
        scenario, out = self.scenario, self.out
        return execute(scenario, out, interruption=interruption, is_drawn=self.is_drawn, follow=follow).folder


def _run_order(
    order: _Order,
    on_progress: OnProgress | None,
    take_record: Callable[[Record], None] | None,
    wants_end: Callable[[], bool],
) -> Path:
    """Run in this process, if that can train; otherwise in a clean one."""
    keys = order.scenario.keys
    trains_here = keys.is_training and keys.traits.is_simulated and not keys.is_training_made_up
    if not trains_here or can_train_here():
        return order.run(_Follower(keys.length, on_progress, take_record), wants_end)

    def hear(told: object) -> None:
        if isinstance(told, Progress) and on_progress is not None:
            on_progress(told)
        elif isinstance(told, Record) and take_record is not None:
            take_record(told)

    return work_elsewhere(partial(_run_there, order, take_record is not None), hear, wants_end)


def _run_there(
    order: _Order, tells_records: bool, tell: Callable[[object], None], wants_end: Callable[[], bool]
) -> Path:
    return order.run(_Follower(order.scenario.keys.length, tell, tell if tells_records else None), wants_end)


def _never() -> bool:
    return False


def make_place() -> TemporaryPlace:
    """Return a folder for a result that is not to be kept.

    Raises:
        OutputError: There is no room for one.
    """
    try:
        return TemporaryPlace()
    except OSError as error:
        raise OutputError(f"{error.filename or 'TMPDIR'}: cannot be written: {error.strerror or error}") from None


def make_silent_console() -> Console:
    """Return a console that nobody sees; Rich would write into a notebook's cell whatever file it is given."""
    return Console(file=io.StringIO(), force_terminal=False, force_jupyter=False)


class _Follower:
    """Tells a program how far the run has come, now and then, and hands records on."""

    take_holdings = None

    def __init__(
        self, length: int, on_progress: OnProgress | None, take_record: Callable[[Record], None] | None
    ) -> None:
        self._length = length
        self._on_progress = on_progress
        self._take_record = take_record
        self._started = time.monotonic()
        self._told = 0.0

    def take(self, record: Record) -> None:
        if self._take_record is not None:
            self._take_record(record)

    def tick(self, phase: str, tally: Tally) -> None:
        now = time.monotonic()
        if self._on_progress is None or now < self._told + TELL_EVERY_S:
            return
        self._told = now
        rejected = tally.rejected.total()
        height = tally.employer.height
        self._on_progress(Progress(phase, now - self._started, height, self._length, rejected))


def _draw(folder: Path) -> None:
    from simulation.commands.report import draw_run  # noqa: PLC0415 - loads matplotlib

    draw_run(folder)

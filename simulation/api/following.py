"""A run that goes on while a program looks at it: an iterator of what happens."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from simulation.api.arguments import checked
from simulation.api.result import Run
from simulation.api.running import Progress, run
from simulation.api.scenario import Scenario, take
from simulation.records import Record

MOST_WAITING: Final = 20_000
"""Records that wait for who takes them, before simulated time waits too. Real time waits for nobody."""

LOOK_EVERY_S: Final = 0.2
"""How often a waiting program looks whether Ctrl-C has been pressed."""


class _Records:
    """Records on their way from the thread that runs to the one that looks."""

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._records: deque[Record] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._is_wanted = True
        self._is_taken = False
        """Whether somebody has begun to take them; before that nothing waits for who may never come."""

    def put(self, record: Record) -> None:
        """Hand a record over; wait where it can wait and there are too many."""
        if not self._is_wanted:
            return
        self._records.append(record)
        if len(self._records) == 1:
            self._tell()
        elif self._waits and self._is_taken and len(self._records) > MOST_WAITING:
            with self._changed:
                while self._is_wanted and len(self._records) > MOST_WAITING // 2:
                    self._changed.wait(LOOK_EVERY_S)

    def end(self) -> None:
        """Say that no more will come."""
        self._is_over = True
        self._tell()

    def drop(self) -> None:
        """Say that nobody wants what is left."""
        self._is_wanted = False
        self._records.clear()
        self._tell()

    def take(self) -> Iterator[Record]:
        """Yield records in their order until the last."""
        self._is_taken = True
        while True:
            while self._records:
                yield self._records.popleft()
            with self._changed:
                self._changed.notify_all()
                if self._records:
                    continue
                if self._is_over or not self._is_wanted:
                    return
                self._changed.wait(LOOK_EVERY_S)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


class RunInProgress:
    """A run in a thread of its own.

    Go through it for the records as they come, ask it how far it is, end it, or wait for the result. As a context
    manager it ends the run when it is left.
    """

    def __init__(self, scenario: Scenario, out: str | Path | None) -> None:
        """Begin; use `start` instead."""
        self._records = _Records(waits=scenario.keys.traits.is_simulated)
        self._end = threading.Event()
        self._run: Run | None = None
        self._error: BaseException | None = None
        self.progress: Progress | None = None
        """How far it has come; None before the engine has begun."""
        self._thread = threading.Thread(target=self._live, args=(scenario, out), name="pot-run", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Record]:
        """Yield every record, each with `time`, `level`, `who` and a typed `fact`.

        Raises:
            SimulationError: The run has failed.
        """
        yield from self._records.take()
        self._raise()

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """End the run in order, soon; `result` then says ``ended == "interrupted"``."""
        self._end.set()
        self._records.drop()

    def result(self) -> Run:
        """Wait until it has ended; return what has come of it. Records that nobody has taken until then are dropped.

        Raises:
            SimulationError: The run has failed.
        """
        if self._thread.is_alive():
            self._records.drop()
        while self._thread.is_alive():
            self._thread.join(LOOK_EVERY_S)
        self._raise()
        if self._run is None:
            raise RuntimeError("a thread has ended without a result or an error")
        return self._run

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, if it still goes on, and wait for that."""
        if self._thread.is_alive():
            self.cancel()
        self._thread.join()

    def _live(self, scenario: Scenario, out: str | Path | None) -> None:
        try:
            self._run = run(scenario, out, on_progress=self._note, cancel=self._end, take_record=self._records.put)
        except BaseException as error:  # noqa: BLE001 - raised again where the program looks
            self._error = error
        finally:
            self._records.end()

    def _note(self, progress: Progress) -> None:
        self.progress = progress

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


@checked
def start(scenario: Scenario | str | Path | Mapping[str, Any], out: str | Path | None = None) -> RunInProgress:
    """Begin a run in a thread of its own, and return at once.

    Args:
        scenario: A `Scenario`, or what `load` takes.
        out: As for `run`.

    Raises:
        ScenarioError: The scenario is not valid; what goes wrong later is raised where the run is looked at.
    """
    return RunInProgress(take(scenario), out)

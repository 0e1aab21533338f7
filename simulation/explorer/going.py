"""A run in a process of its own, followed by the page: it goes on whether or not anybody looks.

The page keeps the latest snapshot. If the page's own process ends, the run notices, and ends in order.
"""

import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import simulation as pot
from simulation.api import execute
from simulation.explorer.following import LiveFollower, Snapshot
from simulation.explorer.pace import Pace
from simulation.foundation import SPAWN, Interruption, SimulationError

PATIENCE_S: Final = 60.0
"""How long a run that is to end in order may take for that."""


class GoingRun:
    """A run that the page has started."""

    def __init__(self, scenario: pot.Scenario, out: Path, *, pace: float | None = None) -> None:
        """Start it.

        Args:
            scenario: What to run.
            out: Folder that its own folder is made in.
            pace: How fast simulated time passes at first; see `set_pace`.
        """
        self.scenario = scenario
        self.snapshot: Snapshot | None = None
        """How far it is; None before its engine has begun."""
        self.updates = 0
        """How often that has changed."""
        self.folder: Path | None = None
        """What it has left behind; None where it goes on, or has failed."""
        self.error: str | None = None
        """Why it has failed, in a sentence."""
        self.pace = pace
        """How fast simulated time passes, as was asked for last."""
        self.started = time.monotonic()
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_run, args=(theirs, scenario, out, pace), name="pot-explored-run")
        self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._listen, name="pot-explored", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def set_pace(self, pace: float | None) -> None:
        """Let simulated seconds pass at this pace a second; 0 halts them, None lets them pass as fast as they can."""
        self.pace = pace
        self._tell(("pace", pace))

    def step(self, *, is_to_block: bool) -> None:
        """Let simulated time pass until the next record, or the next block that nobody had, and halt it there."""
        self.pace = 0.0
        self._tell(("step", is_to_block))

    def stop(self) -> None:
        """End it in order, soon."""
        self._tell(("stop", None))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most so long; return whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def end(self) -> None:
        """End it in order and wait for that; if that takes too long, end it at once."""
        self.stop()
        if not self.wait(PATIENCE_S):
            self._process.kill()
            self.wait()

    def _tell(self, told: tuple[str, Any]) -> None:
        try:
            self._pipe.send(told)
        except OSError:  # it has just ended
            return

    def _listen(self) -> None:
        try:
            while True:
                kind, value = self._pipe.recv()
                if kind == "snapshot":
                    self.snapshot, self.updates = value, self.updates + 1
                elif kind == "done":
                    self.folder = Path(value)
                else:
                    self.error = value
        except (EOFError, OSError):
            self._process.join()
            if self.folder is None and self.error is None:
                code = self._process.exitcode
                self.error = f"the process of the run has ended (exit code {code}); its folder has what was written"


def _run(pipe: Connection, scenario: pot.Scenario, out: Path, begin: float | None = None) -> None:
    """Run it, and say what comes of it: the target of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the page says what is to happen
    pace = Pace(begin)
    threading.Thread(target=_hear, args=(pipe, pace), daemon=True).start()
    interruption = Interruption(lambda: pace.is_over)
    interruption.is_orderly = True
    teller = _Teller(pipe)
    follower = LiveFollower(scenario, pace, teller.show)
    try:
        outcome = execute(scenario, out, interruption=interruption, follow=follower)
    except SimulationError as error:
        teller.end("failed", str(error))
    except Exception as error:
        teller.end("failed", f"a fault of the program: {type(error).__name__}: {error}; the terminal has its trace")
        raise
    else:
        follower.finish()
        teller.end("done", str(outcome.folder))


class _Teller:
    """Tells the page the latest snapshot, in a thread of its own: the run never waits for the page."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._latest: Snapshot | None = None
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()

    def show(self, snapshot: Snapshot) -> None:
        """Let the page have this snapshot, in place of one that it has not taken yet."""
        with self._changed:
            self._latest = snapshot
            self._changed.notify()

    def end(self, kind: str, value: str) -> None:
        """Tell what is left, then the last word."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()
        _say(self._pipe, (kind, value))

    def _tell(self) -> None:
        while True:
            with self._changed:
                while self._latest is None and not self._is_over:
                    self._changed.wait()
                snapshot, self._latest = self._latest, None
            if snapshot is None:
                return
            _say(self._pipe, ("snapshot", snapshot))


def _say(pipe: Connection, told: tuple[str, Any]) -> None:
    try:
        pipe.send(told)
    except OSError:  # the page has gone; `_hear` knows
        return


def _hear(pipe: Connection, pace: Pace) -> None:
    """Take what the page wants, until there is no page any more."""
    try:
        while True:
            kind, value = pipe.recv()
            if kind == "pace":
                pace.set(value)
            elif kind == "step":
                pace.step(is_to_block=value)
            else:
                pace.end()
    except (EOFError, OSError):
        pace.end()

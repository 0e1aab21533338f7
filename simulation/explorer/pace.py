"""How fast simulated time passes in a run that is watched: the page says so, and the run asks."""

import threading
import time
from typing import Final, Protocol

LOOK_EVERY_S: Final = 0.25
"""Seconds between two looks of who is held up at its clock."""


class Meanwhile(Protocol):
    """What is done while a run is held up."""

    def __call__(self, seconds: float, *, is_halted: bool) -> None:
        """Take the simulated time by now, and whether it stands still."""


class Pace:
    """How fast simulated seconds pass, and whether the run is to end: set by the page, asked by the run."""

    def __init__(self, pace: float | None = None) -> None:
        """Begin with a pace; see `set`."""
        self.is_over = False
        self._pace = pace
        self._changed = threading.Condition()
        self._origin: tuple[float, float] | None = None
        self._steps = 0
        self._is_to_block = False

    @property
    def is_held(self) -> bool:
        """Whether anybody has to wait."""
        return self._pace is not None and not self.is_over

    def set(self, pace: float | None) -> None:
        """Let so many simulated seconds pass each second; 0 halts them, None lets them pass."""
        with self._changed:
            self._pace, self._origin = pace, None
            self._steps, self._is_to_block = 0, False
            self._changed.notify_all()

    def step(self, *, is_to_block: bool) -> None:
        """Let time pass until the next record, or until the next block that nobody had, and halt there."""
        with self._changed:
            self._pace, self._origin = 0.0, None
            self._is_to_block = is_to_block
            self._steps += not is_to_block
            self._changed.notify_all()

    def end(self) -> None:
        """End the run."""
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def wait(self, now: float, meanwhile: Meanwhile, *, is_block: bool = False) -> None:
        """Wait until a simulated time has come.

        Args:
            now: The time, in simulated seconds.
            meanwhile: Is called again and again while the run waits, and once if it is halted.
            is_block: Whether there is a block now that nobody had before.
        """
        if not self.is_held:
            return
        with self._changed:
            if is_block and self._is_to_block:
                self._is_to_block = False
            is_told = False
            while not self.is_over and self._pace is not None:
                if self._is_to_block:
                    return
                if self._steps:
                    self._steps -= 1
                    return
                if not self._pace:
                    if not is_told:
                        meanwhile(now, is_halted=True)
                    is_told = True
                    self._changed.wait()
                    continue
                here = time.monotonic()
                if self._origin is None:
                    self._origin = (here, now)
                passed = self._origin[1] + (here - self._origin[0]) * self._pace
                if passed >= now:
                    return
                meanwhile(passed, is_halted=False)
                self._changed.wait(min(LOOK_EVERY_S, (now - passed) / self._pace))

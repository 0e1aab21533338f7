"""Ctrl-C, SIGTERM and a closed terminal as data: a run notices them between two turns and ends in order."""

import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

OF_THE_TERMINAL: Final = (signal.SIGINT, signal.SIGHUP)
"""Those that a terminal sends to every process of the group, also to those that their starter ends."""

_OUTPUTS: Final = (1, 2)
EXIT_BASE: Final = 128
"""A shell reports a process ended by signal n as exit code 128 + n."""


class Interrupted(BaseException):
    """A signal came while nothing had to be put in order."""

    def __init__(self, signum: int) -> None:
        """Keep the signal."""
        super().__init__(signal.Signals(signum).name)
        self.exit_code = EXIT_BASE + signum


class Interruption:
    """Handles the signals while it is entered."""

    def __init__(self, wants_end: Callable[[], bool] | None = None) -> None:
        """Nothing has come yet.

        Args:
            wants_end: Tells whether the run is to end without any signal, for who starts it from a program.
        """
        self._signum: int | None = None
        self._wants_end = wants_end
        self.is_orderly = False
        """Whether a signal is only noted, because the run looks at it and puts things in order itself."""
        self.is_urgent = False
        """Whether the user pressed Ctrl-C again, so that nothing is worth waiting for; the next one is not just noted.

        Only that counts: a closed terminal may well send its signal twice.
        """
        self._raised = 0
        self._before: dict[int, object] = {}
        self._terminals: list[int] = []
        """Which of standard output and standard error are one."""

    @property
    def signum(self) -> int | None:
        """The signal that has come, or that stands for the wish of the program; None while the run is to go on."""
        if self._signum is None and self._wants_end is not None and self._wants_end():
            self._signum = signal.SIGINT
        return self._signum

    @signum.setter
    def signum(self, signum: int | None) -> None:
        self._signum = signum

    def __enter__(self) -> Self:
        """Take over the signals; what ``nohup`` has started goes on when its terminal is closed."""
        self._raised = 0
        is_kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        taken = [signum for signum in SIGNALS if not (is_kept and signum == signal.SIGHUP)]
        self._terminals = [number for number in _OUTPUTS if os.isatty(number)]
        self._before = {signum: signal.signal(signum, self._on_signal) for signum in taken}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGHUP:
            self._leave_terminal()
        if self.is_orderly and self.signum is None:
            self.signum = signum
            return
        if self.is_orderly and (signum != signal.SIGINT or not self.is_urgent):
            self.is_urgent = self.is_urgent or signum == signal.SIGINT
            return
        self._raised += 1
        if self._raised != 2:  # a second one would hit what the first one is just being cleaned up by
            raise Interrupted(signum)

    def _leave_terminal(self) -> None:
        """Write nowhere from now on where a terminal was: each word to one that is gone would be an error."""
        for number in self._terminals:
            if not os.isatty(number):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)


@contextmanager
def hold_back(signals: Collection[signal.Signals]) -> Iterator[None]:
    """Block signals: a process that is started meanwhile does not get them before it says so itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        resource_tracker.ensure_running()  # a group's signal must not end it, and starting it unblocks some of them
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

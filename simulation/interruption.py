"""Ctrl-C and SIGTERM as data: a run notices them between two turns and ends in order."""

import signal
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
EXIT_BASE: Final = 128
"""A shell reports a process ended by signal n as exit code 128 + n."""


class Interrupted(BaseException):
    """A signal came while nothing had to be put in order."""

    def __init__(self, signum: int) -> None:
        """Keep the signal."""
        super().__init__(signal.Signals(signum).name)
        self.exit_code = EXIT_BASE + signum


class Interruption:
    """Handles both signals while it is entered."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.signum: int | None = None
        self.is_orderly = False
        """Whether a signal is only noted, because the run looks at it and puts things in order itself."""
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Take over the signals."""
        self._before = {signum: signal.signal(signum, self._on_signal) for signum in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.is_orderly and self.signum is None:
            self.signum = signum
            return
        raise Interrupted(signum)

"""Standard output that may be closed, full, or read by somebody who has had enough."""

import errno
import os
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TextIO, cast

from simulation.foundation import EXIT_FAILED, complain

_STANDARD: Final = 3
"""Standard input, output and error are the first descriptors."""


class GuardedOutput:
    """Stands for standard output while it is entered; what cannot be written is dropped, and said at the end."""

    def __init__(self) -> None:
        """Nothing has gone wrong yet."""
        self.is_optional = False
        """Whether a command does more than to write here, and goes on when nobody reads."""
        self._error: OSError | None = None
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        """Take the place of standard output."""
        self.is_optional, self._error = False, None
        self._stream = sys.stdout
        if sys.stdout is None:  # closed by whoever has started us
            _open_closed()
        sys.stdout = cast(TextIO, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is still held back, and give standard output back."""
        self.is_optional, was_optional = True, self.is_optional  # the command has ended: nothing is to be broken off
        self.flush()
        self.is_optional = was_optional
        sys.stdout = cast(TextIO, self._stream)
        if self._error is not None and self._stream is not None:
            _discard(self._stream)

    def write(self, text: str) -> int:
        """Write text, or drop it.

        Raises:
            BrokenPipeError: Nobody reads any more what a command is for.
        """
        if self._stream is None or self._error is not None:
            return len(text)
        try:
            return self._stream.write(text)
        except OSError as error:
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            BrokenPipeError: Nobody reads any more what a command is for.
        """
        if self._stream is None or self._error is not None:
            return
        try:
            self._stream.flush()
        except OSError as error:
            self._fail(error)

    def isatty(self) -> bool:
        """Return whether this is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        """Return what else a stream has."""
        return getattr(self._stream, name)

    def judge(self, code: int) -> int:
        """Return the exit code of a command that would end with one, after saying what was not written."""
        if self._error is None or isinstance(self._error, BrokenPipeError):
            return code
        rest = "the rest is not shown" if self.is_optional else "nothing more is shown"
        complain(f"standard output: cannot be written: {self._error.strerror}; {rest}", EXIT_FAILED)
        return code if self.is_optional else code or EXIT_FAILED

    def _fail(self, error: OSError) -> None:
        self._error = error
        if error.errno == errno.EPIPE and not self.is_optional:
            raise error


def _open_closed() -> None:
    """Open the standard descriptors that are closed, so that no file of ours gets the number of one."""
    for number in range(_STANDARD):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _discard(stream: TextIO) -> None:
    """Let what a stream still holds back go nowhere: it would fail once more when the interpreter ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

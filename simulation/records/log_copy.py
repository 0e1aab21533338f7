"""The copy of a run's log in the working directory: where one may be written, and where something is in the way."""

import fcntl
import os
import stat
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from simulation.records.lines import RecordError, parse_line

_FIRST_LINE: Final = 2**16
"""Bytes that are looked at; the first line of a log is shorter."""


class CopyError(Exception):
    """No copy can be kept at a path; the text says why."""


def open_copy(path: Path) -> TextIOWrapper:
    """Return a file to write the copy to; an earlier copy is emptied, anything else is left as it is.

    Until the file is closed, no other run writes there.

    Raises:
        CopyError: There is something else, another run is writing there, or the file cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if path.is_symlink():
        raise CopyError("a symbolic link is in the way")
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise CopyError(error.strerror) from None
    try:
        _claim(descriptor)
        os.ftruncate(descriptor, 0)
        return os.fdopen(descriptor, "w", encoding="utf-8")
    except OSError as error:
        os.close(descriptor)
        raise CopyError(error.strerror) from None
    except CopyError:
        os.close(descriptor)
        raise


def _claim(descriptor: int) -> None:
    """Lock a file that is empty or an earlier copy."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise CopyError("what is there is no file")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CopyError("another run is writing its own there") from None
    except OSError:
        pass  # a file system without locks
    first = os.pread(descriptor, _FIRST_LINE, 0)
    if first and not _is_log(first):
        raise CopyError("the file there is no log of a run, and is left as it is; move it away")


def _is_log(text: bytes) -> bool:
    """Return whether text begins as every log does: with the opening record of a run."""
    with suppress(UnicodeDecodeError, RecordError, RecursionError):
        line = parse_line(text.partition(b"\n")[0].decode("utf-8"))
        return (line.who, line.event) == ("run", "run")
    return False

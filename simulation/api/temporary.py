"""Folders that go when nobody uses them any more, at the latest when the next one is made.

A notebook's kernel may be killed, and then cleans up nothing. So whoever makes a folder holds a lock on a file in it,
and deletes those whose lock nobody holds.
"""

import fcntl
import os
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Final

PREFIX: Final = "pot-result-"
_LOCK: Final = "lock"


class TemporaryPlace:
    """A folder that is deleted with this object, or by `close`."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: It cannot be made.
        """
        _clear_abandoned(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(self.path / f"new-{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        (self.path / f"new-{_LOCK}").rename(self.path / _LOCK)  # nobody sees it before it is held
        self.close: Callable[[], object] = weakref.finalize(self, _delete, self.path, lock)
        """Deletes it now."""


def _delete(path: Path, lock: int) -> None:
    rmtree(path, ignore_errors=True)
    os.close(lock)


def _clear_abandoned(above: Path) -> None:
    """Delete the folders of this user whose makers have ended."""
    for path in above.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or just going
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)

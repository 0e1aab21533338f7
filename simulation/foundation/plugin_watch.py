"""Ends a plug-in that does not come back: no call of its code may take longer than a limit."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

from simulation.foundation.plugin_table import is_plugin

LOOK_EVERY_S: Final = 0.2

GRACE_S: Final = 2.0
"""How long a call may still take once nobody wants the run to go on."""


class PluginOvertime(BaseException):
    """Raised in the middle of a plug-in's code; no `except Exception` of its own holds it up."""


class PluginWatch:
    """Watches the thread that enters it; a call into a plug-in that takes too long ends with `PluginOvertime`.

    It looks from a thread of its own, so it works in any thread, and where signals are in use. Code that waits inside
    of a library is ended when it comes back from there.
    """

    def __init__(self, limit_s: float, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Take how long to wait.

        Args:
            limit_s: The longest that a call may take, in seconds by the wall.
            is_over: Tells whether the run is to end; a call has `GRACE_S` then.
        """
        self._limit_s = limit_s
        self._is_over = is_over
        self._ended = threading.Event()
        self._watched = 0
        self._watcher = threading.Thread(target=self._watch, name="plug-in watch", daemon=True)
        self.place = ""
        """File and line that were being executed when the time was over."""
        self.was_hurried = False
        """Whether the time was over because the run was to end."""

    def __enter__(self) -> Self:
        """Begin to look."""
        self._watched = threading.get_ident()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        self._ended.set()
        self._watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._watched), None)

    def _watch(self) -> None:
        call: FrameType | None = None
        since = time.monotonic()
        over_since: float | None = None
        while not self._ended.wait(LOOK_EVERY_S):
            now = time.monotonic()
            if over_since is None and self._is_over():
                over_since = now
            frame = sys._current_frames().get(self._watched)
            found = _list_plugin_frames(frame)
            if not found or found[-1] is not call:
                call, since = found[-1] if found else None, now
            elif self._is_due(now, since, over_since):
                self.place = f"{found[0].f_code.co_filename}:{found[0].f_lineno}"
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._watched), ctypes.py_object(PluginOvertime)
                )
            del frame, found  # frames hold whatever is in their variables

    def _is_due(self, now: float, since: float, over_since: float | None) -> bool:
        """Return whether a call that has lasted since then is to end now."""
        if over_since is not None and now - max(since, over_since) >= GRACE_S:
            self.was_hurried = True
        return self.was_hurried or now - since >= self._limit_s


def _list_plugin_frames(frame: FrameType | None) -> list[FrameType]:
    """Return the frames of plug-ins among those that wait for a frame, the innermost first."""
    found = []
    while frame is not None:
        if is_plugin(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found

"""Processes that do not run the script again which has started them.

`multiprocessing` has each new process import the main module of its starter, so that a script without
``if __name__ == "__main__"`` would start everything once more in each. Ours need nothing of it: what they run are
functions of our packages.
"""

from multiprocessing import context, popen_forkserver, popen_spawn_posix, spawn
from multiprocessing.process import BaseProcess
from types import FunctionType, SimpleNamespace
from typing import Any, Final


def _prepare_without_main(name: str) -> dict[str, Any]:
    """Return what a new process is told before it does anything: all but which main module to import."""
    told = spawn.get_preparation_data(name)
    return {key: value for key, value in told.items() if not key.startswith("init_main_from")}


def _rebind(launch: FunctionType) -> FunctionType:
    """Return Python's own way to launch a process, which sees a `spawn` that does not tell of the main module.

    Nothing is replaced for anybody else: what other libraries start meanwhile is told as always.
    """
    shown = {name: getattr(spawn, name) for name in dir(spawn)} | {"get_preparation_data": _prepare_without_main}
    return FunctionType(launch.__code__, {**launch.__globals__, "spawn": SimpleNamespace(**shown)})


class _SpawnPopen(popen_spawn_posix.Popen):
    _launch = _rebind(popen_spawn_posix.Popen._launch)  # type: ignore[attr-defined]


class _ForkServerPopen(popen_forkserver.Popen):
    _launch = _rebind(popen_forkserver.Popen._launch)  # type: ignore[attr-defined]


class SpawnProcess(context.SpawnProcess):
    """A process of a fresh interpreter."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_spawn_posix.Popen:
        return _SpawnPopen(process_obj)


class ForkServerProcess(context.ForkServerProcess):
    """A process that is forked from the server."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_forkserver.Popen:
        return _ForkServerPopen(process_obj)


class _SpawnContext(context.SpawnContext):
    Process = SpawnProcess


class _ForkServerContext(context.ForkServerContext):
    Process = ForkServerProcess


SPAWN: Final = _SpawnContext()
"""Starts each process in a fresh interpreter."""

FORKSERVER: Final = _ForkServerContext()
"""Forks each process from one clean one."""

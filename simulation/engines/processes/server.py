"""The clean process that parties are forked from, with what they need loaded once."""

import os
import signal
import tempfile
from contextlib import suppress
from multiprocessing import forkserver
from typing import Final

from simulation.engines import EngineStartError
from simulation.foundation import OF_THE_TERMINAL, ROOT, find_part_module, hold_back
from simulation.training import prepare_environment

ROLES: Final = "simulation.engines.processes.roles"
"""What every party needs, whatever the mechanism."""

NEEDED: Final = ("party_tools", "reporter")
"""Parts of a mechanism that its parties load at once; those of proof of training load TensorFlow."""

LONGEST_TEMPORARY: Final = 70
"""Bytes of a folder's path that leave room for the name of a socket in it on every system (macOS has the least)."""

_preloaded: tuple[str, ...] = ()
"""What the server that was started last has loaded, or is loading."""


def list_preload(mechanism: str) -> tuple[str, ...]:
    """Return the modules that the server loads for a mechanism's parties, and for no other mechanism's."""
    modules = (find_part_module(mechanism, part) for part in NEEDED)
    return (ROLES, *dict.fromkeys(module for module in modules if module is not None))


def start_server(mechanism: str) -> int | None:
    """Start the server, which loads what a mechanism's parties need while the caller goes on; return its process id.

    The environment it starts with is the one all parties have. A server that was started for another mechanism ends.

    Raises:
        EngineStartError: The path of the folder for temporary files is too long for the server's socket.
        OSError: The system does not allow another process, pipe or file.
    """
    global _preloaded  # noqa: PLW0603 - there is one server, as `multiprocessing` has it
    wanted = list_preload(mechanism)
    if wanted != _preloaded:
        kill_server()
        _preloaded = wanted
    prepare_environment()
    forkserver.set_forkserver_preload(list(wanted))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (str(ROOT), before) if part)
    # The server is in the terminal's process group: Ctrl-C must not end it, nor what it forks, while it loads.
    try:
        with hold_back(OF_THE_TERMINAL):
            forkserver.ensure_running()
    except OSError as error:
        if error.errno is None and "AF_UNIX path too long" in str(error):  # Python's own check, before any system call
            raise EngineStartError(_describe_long_path()) from None
        raise
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return _find_pid()


def kill_server() -> None:
    """End the server at once, whatever it is doing; `start_server` starts another one.

    Nobody collects it here: that is left to whoever starts the next one, or to the end of this process.
    """
    pid = _find_pid()
    if pid is not None:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _describe_long_path() -> str:
    folder = tempfile.gettempdir()
    return (
        f"the path of the folder for temporary files has {len(os.fsencode(folder))} bytes, too many for the name of a "
        f"socket in it: {folder}; set TMPDIR to a folder whose path has at most {LONGEST_TEMPORARY}"
    )


def _find_pid() -> int | None:
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    return int(pid) if pid is not None else None

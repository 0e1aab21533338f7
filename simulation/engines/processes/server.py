"""The clean process that parties are forked from, with Keras loaded once."""

import multiprocessing as mp
import os
import signal
from contextlib import suppress
from multiprocessing import forkserver
from typing import Final

from simulation.foundation import OF_THE_TERMINAL, ROOT, hold_back
from simulation.training import prepare_environment

PRELOAD: Final = (
    "simulation.engines.processes.roles",
    "simulation.mechanisms.proof_of_training.party_tools",
)

CONTEXT: Final = mp.get_context("forkserver")


def start_server() -> int | None:
    """Start the server, which loads TensorFlow while the caller goes on; return its process id.

    The environment it starts with is the one all parties have.
    """
    prepare_environment()
    forkserver.set_forkserver_preload(list(PRELOAD))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (str(ROOT), before) if part)
    # The server is in the terminal's process group: Ctrl-C must not end it, nor what it forks, while it loads.
    try:
        with hold_back(OF_THE_TERMINAL):
            forkserver.ensure_running()
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


def _find_pid() -> int | None:
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    return int(pid) if pid is not None else None

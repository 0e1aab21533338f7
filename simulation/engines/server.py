"""The clean process that parties are forked from, with Keras loaded once."""

import multiprocessing as mp
import os
import signal
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Final

from simulation.profile import prepare_environment

PRELOAD: Final = ("simulation.engines.roles",)
_ROOT: Final = Path(__file__).resolve().parent.parent.parent

CONTEXT: Final = mp.get_context("forkserver")


def start_server() -> int | None:
    """Start the server, which loads TensorFlow while the caller goes on; return its process id.

    The environment it starts with is the one all parties have.
    """
    prepare_environment()
    forkserver.set_forkserver_preload(list(PRELOAD))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (str(_ROOT), before) if part)
    # The server is in the terminal's process group: Ctrl-C must not end it, nor what it forks, while it loads.
    resource_tracker.ensure_running()  # it unblocks the signal when it starts, so it must run before
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    return int(pid) if pid is not None else None

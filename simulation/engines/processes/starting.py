"""Starting the first process of a run, which waits until the server has loaded what it needs."""

import threading
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Final

from simulation.engines.processes.server import kill_server

TICK_S: Final = 0.1
"""Seconds between two questions whether the process is still wanted."""


def start_first(process: ForkServerProcess, is_wanted: Callable[[], bool]) -> bool:
    """Start the first process of a server; return False, with the server gone, if it is not wanted for so long.

    Raises:
        OSError: The system does not allow another process, pipe or file.
        EOFError: The server has ended.
    """
    errors: list[Exception] = []

    def start() -> None:
        try:
            process.start()
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            errors.append(error)

    # A thread of its own: `start` waits for the server, and no signal makes it come back.
    thread = threading.Thread(target=start, name="starter", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(TICK_S)
        if thread.is_alive() and not is_wanted():
            kill_server()
            thread.join()
            if process.pid is not None:
                process.kill()
            return False
    if errors:
        raise errors[0]
    return True

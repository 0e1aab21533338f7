"""Slow work in a process of its own, for work that leaves a core no rest.

The deciding thread of a party needs the interpreter for each message. A thread that hashes gives it up every 5 ms while
it runs, and not at all while it waits for a core; a process beside the party keeps nobody from deciding.
"""

import gc
import os
import select
import signal
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Final, NoReturn

from simulation.engines import PromptWorker, WorkDone

NICENESS: Final = 10
"""What the work gives way by: a party that has something to decide goes first."""

MILLISECONDS: Final = 1e3


class WorkerProcess:
    """Does one piece of slow work after the other, and breaks off what another piece waits for."""

    def __init__(self, worker: PromptWorker) -> None:
        """Fork the process; do so before anything has started a thread.

        Raises:
            OSError: The system does not allow another process or pipe.
        """
        self._tasks: deque[Hashable] = deque()
        self._connection, theirs = Pipe()
        gc.freeze()  # what the two share is not written to
        self.pid: Final = os.fork()
        if self.pid == 0:
            _live(worker, theirs)
        theirs.close()
        self.wake_up: Final = self._connection.fileno()
        """Readable where a piece of work is done."""

    def submit(self, task: Hashable) -> None:
        """Queue a task."""
        self._tasks.append(task)
        with suppress(OSError):  # who has ended is found in `take`
            self._connection.send(task)

    def take(self) -> tuple[Hashable, WorkDone]:
        """Return a task that is done and what has come of it; call it when `wake_up` is readable.

        Raises:
            ChildProcessError: The process has ended by itself.
            BaseException: What the work raised.
        """
        try:
            done = self._connection.recv()
        except (EOFError, OSError):
            raise ChildProcessError(f"the process {self.pid}, which did the slow work, has ended") from None
        if isinstance(done, BaseException):
            raise done
        return self._tasks.popleft(), done

    def end(self) -> float:
        """End the process, whatever it does, and return the CPU-seconds that it has taken."""
        self._connection.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, _, usage = os.wait4(self.pid, 0)
        return usage.ru_utime + usage.ru_stime


def _live(worker: PromptWorker, connection: Connection) -> NoReturn:
    """Work until the party has gone, and keep nothing open that is the party's."""
    code = 1
    try:
        descriptor = connection.fileno()
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
        _give_way()
        _serve(worker, connection)
    except (EOFError, OSError):  # the party has gone
        code = 0
    finally:
        os._exit(code)  # nothing that the party has begun is to be ended here


def _give_way() -> None:
    os.nice(NICENESS)
    if hasattr(os, "SCHED_BATCH"):  # where the system knows it: who wakes up does not wait for this one's turn to end
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _serve(worker: PromptWorker, connection: Connection) -> NoReturn:
    is_waiting = _watch(connection)
    while True:
        task = connection.recv()
        try:
            done: WorkDone | BaseException = worker.perform(task, is_waiting)
        except Exception as error:  # noqa: BLE001 - raised again in the party
            done = error
        connection.send(done)


def _watch(connection: Connection) -> Callable[[float], bool]:
    """Return what waits for another task; made once, since it is asked a thousand times a second."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)

    def is_waiting(seconds: float) -> bool:
        return bool(poll.poll(seconds * MILLISECONDS))

    return is_waiting

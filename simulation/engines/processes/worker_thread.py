"""Slow work in a thread, so that the deciding thread goes on reading its pipes."""

import os
import threading
from collections import deque
from collections.abc import Hashable
from queue import SimpleQueue

from simulation.engines import WorkDone, Worker


class WorkerThread:
    """Does one piece of slow work after the other."""

    def __init__(self, worker: Worker) -> None:
        """Start the thread."""
        self._worker = worker
        self._tasks: SimpleQueue[Hashable] = SimpleQueue()
        self._done: deque[tuple[Hashable, WorkDone | BaseException]] = deque()
        self.wake_up, self._signal = os.pipe()
        """Readable once for each piece of work that is done."""
        threading.Thread(target=self._run, name="worker", daemon=True).start()

    def submit(self, task: Hashable) -> None:
        """Queue a task."""
        self._tasks.put(task)

    def take(self) -> tuple[Hashable, WorkDone]:
        """Return a task that is done and what has come of it; call it when `wake_up` is readable.

        Raises:
            BaseException: What the work raised.
        """
        os.read(self.wake_up, 1)
        task, done = self._done.popleft()
        if isinstance(done, BaseException):
            raise done
        return task, done

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                self._done.append((task, self._worker.perform(task)))
            except BaseException as error:  # noqa: BLE001 - raised again in the deciding thread
                self._done.append((task, error))
            os.write(self._signal, b"!")

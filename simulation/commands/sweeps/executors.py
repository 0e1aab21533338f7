"""Where the cells of a sweep run: the interface of executors, and the one that uses the cores of this machine."""

import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Final, Protocol

from simulation.commands.sweeps.cell_runner import CellRunner, Outcome, WorkerSetup
from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.errors import KEPT, SweepError
from simulation.foundation import SIGNALS, SPAWN, Interrupted, Interruption, hold_back

LOOK_EVERY_S: Final = 0.2
"""How often an executor asks whether the user has had enough."""

END_WITHIN_S: Final = 10.0
"""How long workers may take to end in order."""

MAX_CHUNK: Final = 20
"""Cells that a worker is handed at once where a cell takes milliseconds."""


class Executor(Protocol):
    """Runs cells somewhere, and hands their outcomes over as they come."""

    def run(
        self, setup: WorkerSetup, chunks: Sequence[Sequence[Cell]], wants_end: Callable[[], bool]
    ) -> Generator[Outcome, None, None]:
        """Yield the outcome of each cell, in any order, until all are done or the user wants an end.

        Raises:
            SweepError: No worker can be had.
        """


def cut_into_chunks(cells: Sequence[Cell], workers: int, *, is_heavy: bool) -> list[Sequence[Cell]]:
    """Return cells in portions that cost little to hand over and leave no worker idle for long."""
    size = 1 if is_heavy else max(1, min(MAX_CHUNK, len(cells) // (4 * workers)))
    return [cells[start : start + size] for start in range(0, len(cells), size)]


class LocalExecutor:
    """Processes of this machine, each with a pipe over which cells go in and outcomes come out, one by one."""

    def __init__(self, workers: int) -> None:
        """Take the number of processes."""
        self._wanted = workers
        self._chunks: deque[Sequence[Cell]] = deque()
        self._workers: dict[Connection, _Worker] = {}

    def run(
        self, setup: WorkerSetup, chunks: Sequence[Sequence[Cell]], wants_end: Callable[[], bool]
    ) -> Generator[Outcome, None, None]:
        """Yield outcomes; the cell that a dead worker had in hand has failed, and the others go to another one."""
        self._chunks = deque(chunks)
        try:
            while not wants_end():
                while self._chunks and len(self._workers) < min(self._wanted, len(self._chunks) + self._count_busy()):
                    worker = _Worker(setup)
                    self._workers[worker.pipe] = worker
                if not self._chunks and not self._count_busy():
                    return
                for pipe in wait(list(self._workers), LOOK_EVERY_S):
                    yield from self._hear(self._workers[pipe])  # type: ignore[index]  # only these were waited for
        finally:
            _end(list(self._workers.values()))
            self._workers = {}

    def _count_busy(self) -> int:
        return sum(bool(worker.cells) or not worker.is_ready for worker in self._workers.values())

    def _hear(self, worker: "_Worker") -> Iterator[Outcome]:
        """Take what a worker has to say, and give it more to do."""
        try:
            outcome: Outcome | None = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._handle_exit(worker)
            return
        worker.is_ready = True
        if outcome is not None:
            worker.cells.popleft()
            yield outcome
        if not worker.cells and self._chunks:
            worker.give(self._chunks.popleft())

    def _handle_exit(self, worker: "_Worker") -> Iterator[Outcome]:
        """Take leave of a worker whose pipe is closed: it has ended, or is about to."""
        del self._workers[worker.pipe]
        worker.pipe.close()
        _await_end([worker])
        code = worker.process.exitcode
        if not worker.is_ready:
            raise SweepError(f"a worker process ended before it was ready (exit code {code}); {KEPT}")
        if worker.cells and code != 0:  # with 0 a signal has ended it in order, and the cell has not failed
            cell = worker.cells.popleft()
            yield Outcome(cell.index, error=f"its worker process ended before it did (exit code {code})")
        if worker.cells:
            self._chunks.appendleft(tuple(worker.cells))


class _Worker:
    """A process as its starter sees it."""

    def __init__(self, setup: WorkerSetup) -> None:
        self.pipe, theirs = SPAWN.Pipe()
        self.cells: deque[Cell] = deque()
        """What it has been given and not yet answered, in order."""
        self.is_ready = False
        self.process = SPAWN.Process(target=work, args=(theirs, setup))
        # A Ctrl-C of the terminal goes to the workers too, and must wait until they can look after it.
        try:
            with hold_back(SIGNALS):
                self.process.start()
        except OSError as error:
            text = f"a worker process cannot be started: {error.strerror}; write a smaller --jobs; {KEPT}"
            raise SweepError(text) from None
        theirs.close()

    def give(self, cells: Sequence[Cell]) -> None:
        """Hand cells over; if the worker has just died, its pipe says so next."""
        self.cells.extend(cells)
        with suppress(OSError):
            self.pipe.send(tuple(cells))


def _end(workers: Sequence[_Worker]) -> None:
    """End workers in order: idle ones see their pipe closed, the others are asked to stop."""
    for worker in workers:
        worker.pipe.close()
        if worker.cells or not worker.is_ready:
            worker.process.terminate()
    _await_end(workers)


def _await_end(workers: Sequence[_Worker]) -> None:
    """Wait for workers that are ending; kill those that take too long."""
    deadline = time.monotonic() + END_WITHIN_S
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()


def work(pipe: Connection, setup: WorkerSetup) -> None:
    """Run cells until the pipe is closed or a signal comes: the target of a worker's process."""
    interruption = Interruption()
    with interruption, suppress(EOFError, OSError, Interrupted):  # whoever wants the outcomes has gone
        interruption.is_orderly = True
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        runner = CellRunner(setup, interruption)
        pipe.send(None)
        while True:
            for cell in pipe.recv():
                outcome = runner.run(cell)
                if interruption.signum is not None:
                    return
                pipe.send(outcome)

"""Slow work in a process of its own: results in order, errors, and an end whatever happens."""

import os
import signal
from collections.abc import Callable, Hashable, Iterator

import pytest

from simulation.engines import WorkDone
from simulation.engines.processes.worker_process import NICENESS, WorkerProcess

HOUR_S = 3_600.0


class Clerk:
    """Works on "long" until another task waits, on "spin" for ever, and says of others who has done them."""

    def perform(self, task: Hashable, is_waiting: Callable[[float], bool]) -> WorkDone:
        if task == "wrong":
            raise ValueError("no such work")
        while task == "spin":
            pass
        if task == "long":
            return WorkDone(is_waiting(HOUR_S), None)
        return WorkDone((os.getpid(), os.getppid(), os.nice(0), len(os.listdir("/proc/self/fd"))), None)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    process = WorkerProcess(Clerk())
    yield process
    process.end()


def ask(process: WorkerProcess) -> tuple[int, int, int, int]:
    """Return who works, for whom, how nice it is and how many descriptors it holds."""
    process.submit("who")
    task, done = process.take()
    assert task == "who"
    assert isinstance(done.result, tuple)
    own, parent, niceness, descriptors = done.result
    return own, parent, niceness, descriptors


def test_it_works_beside_its_party_gives_way_and_holds_nothing_of_it(process: WorkerProcess) -> None:
    own, parent, niceness, descriptors = ask(process)
    assert parent == os.getpid() != own
    assert niceness == os.nice(0) + NICENESS
    assert descriptors <= 5  # of the terminal, its end of the pipe, and the folder that was looked at


def test_a_task_that_waits_ends_the_one_before(process: WorkerProcess) -> None:
    process.submit("long")
    process.submit("who")
    assert process.take() == ("long", WorkDone(True, None))
    assert process.take()[0] == "who"


def test_what_the_work_raises_is_raised_in_the_party(process: WorkerProcess) -> None:
    process.submit("wrong")
    with pytest.raises(ValueError, match="no such work"):
        process.take()


def test_who_has_ended_by_itself_is_told(process: WorkerProcess) -> None:
    own, *_rest = ask(process)
    os.kill(own, signal.SIGKILL)
    process.submit("who")
    with pytest.raises(ChildProcessError, match="has ended"):
        process.take()


def test_it_is_ended_in_the_middle_of_its_work() -> None:
    process = WorkerProcess(Clerk())
    own, *_rest = ask(process)
    process.submit("spin")
    assert process.end() > 0
    with pytest.raises(ProcessLookupError):
        os.kill(own, 0)

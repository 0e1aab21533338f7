"""Starting the first process of a run, with a process of which only the start matters."""

import threading
from multiprocessing.context import ForkServerProcess

import pytest

from simulation.engines.processes import starting
from simulation.engines.processes.starting import start_first


class Loading(ForkServerProcess):
    """A process whose server loads until something happens to it."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        super().__init__()
        self.server = threading.Event()
        self._error = error

    def start(self) -> None:
        assert self.server.wait(10), "nobody ended the server"
        if self._error is not None:
            raise self._error


def test_a_process_that_is_wanted_is_waited_for() -> None:
    process = Loading()
    asked = []

    def is_wanted() -> bool:
        asked.append(True)
        if len(asked) == 2:
            process.server.set()
        return True

    assert start_first(process, is_wanted)
    assert len(asked) >= 2


def test_a_process_that_is_not_wanted_any_more_is_given_up_with_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Loading(EOFError)
    monkeypatch.setattr(starting, "kill_server", process.server.set)
    assert not start_first(process, lambda: False)


def test_what_starting_raises_is_raised_here() -> None:
    process = Loading(BlockingIOError)
    process.server.set()
    with pytest.raises(BlockingIOError):
        start_first(process, lambda: True)

"""Starting the server, and the first process of a run with a process of which only the start matters."""

import re
import socket
import threading
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from simulation.commands.cli import main
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


def test_too_long_a_path_for_temporary_files_is_exit_2_with_the_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(tmp_path / ("long" * 30))
    monkeypatch.setattr("tempfile.tempdir", folder)

    def bind() -> None:  # what newer versions of Python evade
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{folder}/pymp-12345678/listener-12345678")

    monkeypatch.setattr(forkserver, "ensure_running", bind)
    assert main(["run", "honest"]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"the path of .* has {len(folder)} bytes, .*: {folder}; set TMPDIR .* at most 70\n", told)
    assert list(tmp_path.iterdir()) == []

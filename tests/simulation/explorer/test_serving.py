import socket
from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.explorer import serving
from simulation.explorer.desk import Desk


def test_a_port_that_is_taken_is_told_in_a_sentence(fresh: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["explore", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"--port {port}: 127.0.0.1:{port} cannot be served")
    assert told.count("\n") == 1


def test_without_streamlit_it_says_what_to_install(
    fresh: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    assert main(["explore"]) == 2
    assert capsys.readouterr().err == "the explorer needs Streamlit, which is not installed: make explore\n"


@pytest.mark.parametrize("told", ["..", "/", "gone"])
def test_folders_elsewhere_are_refused_at_once(fresh: Desk, capsys: pytest.CaptureFixture[str], told: str) -> None:
    assert main(["explore", told]) == 2
    assert capsys.readouterr().err.startswith(f"{told}: ")


def test_a_plugin_that_is_not_there_is_told(fresh: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--plugin", "gone.py"]) == 2
    assert capsys.readouterr().err.startswith("--plugin gone.py: there is no such file")


def test_only_this_machine_is_served() -> None:
    assert serving.HOST == "127.0.0.1"
    assert serving._OPTIONS["server.address"] == serving.HOST
    assert serving._OPTIONS["browser.gatherUsageStats"] is False
    assert serving._OPTIONS["server.headless"] is True
    assert Path(serving._APP).is_file()

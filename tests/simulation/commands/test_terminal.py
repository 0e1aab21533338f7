"""What a user sees on a terminal."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.processes import SMALL, find_traces, make_environment, poll, sets
from tests.support.scenarios import ROOT
from tests.support.sweeps import save_sweep

pytestmark = pytest.mark.processes

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def watch(cwd: Path, *arguments: str) -> tuple[int, str]:
    """Run the program on a terminal of 120 columns; return its exit code and all that was drawn."""
    ours, theirs = pty.openpty()
    environment = make_environment(TERM="xterm-256color", COLUMNS="120", LINES="40")
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    drawn = b""
    try:
        while part := os.read(ours, 65536):
            drawn += part
    except OSError:  # the other end has been closed: everybody has ended
        pass
    os.close(ours)
    return process.wait(60), drawn.decode("utf-8", errors="replace")


def test_a_terminal_shows_a_live_view_and_a_closing_table_instead_of_lines(tmp_path: Path) -> None:
    settings = sets("populations.honest.count=5", "populations.poisoners.count=1", *SMALL, "job.stages=4")
    code, drawn = watch(tmp_path, "run", "default", *settings)
    assert code == 0
    text = _CONTROLS.sub("", drawn)
    assert find_traces(text) == []
    assert not re.search(r"\d\.\d{6} (INFO|DEBUG|WARNING)", text)
    frames = text.split("employer's chain")
    assert len(frames) > 5, "the view was drawn again and again"
    heights = [int(found) for found in re.findall(r"(\d)/4", text)]
    assert heights == sorted(heights)
    assert len(set(heights)) > 1
    for word in ("honest", "poisoners", "data_injection", "training", "stages trained", "accepted", "rejected"):
        assert word in text
    assert re.search(r"starting: \d of 7 processes are ready", text)
    closing = text[text.rindex("ended") :]
    for word in ("complete", "honest chain", "agreement 1.00", "poisoned stages", "cost", "most rejected for"):
        assert word in closing


def close_terminal(cwd: Path, is_time: Callable[[], bool], *command: str) -> int:
    """Run a command on a terminal that is closed when it is time; return its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=make_environment(TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call, which takes no lock
    )
    os.close(theirs)
    os.set_blocking(ours, False)

    def look() -> bool:
        """Read what was drawn, as a terminal does: a program that nobody listens to stops at a full buffer."""
        with suppress(OSError):
            while os.read(ours, 65536):
                pass
        return is_time()

    try:
        poll(look, lambda: "never", process)
        os.close(ours)
        return process.wait(60)
    finally:
        process.kill()


def test_a_run_whose_terminal_is_closed_ends_in_order(tmp_path: Path) -> None:
    settings = sets("populations.honest.count=3", *SMALL, "job.stages=500")
    command = [sys.executable, str(ROOT / "main.py"), "run", "honest", *settings]

    def is_time() -> bool:
        log = tmp_path / "pot_sim.log"
        return log.is_file() and "employer appended" in log.read_text("utf-8")

    code = close_terminal(tmp_path, is_time, *command)
    (folder,) = (tmp_path / "runs").iterdir()
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["ended"] == "interrupted"
    assert summary["employer"]["height"] > 0
    assert code == 128 + signal.SIGHUP


@pytest.mark.parametrize("nohup", [False, True], ids=["ends in order", "goes on with nohup"])
def test_a_sweep_whose_terminal_is_closed(nohup: bool, tmp_path: Path) -> None:
    save_sweep(tmp_path, repeats=40)
    command = [sys.executable, str(ROOT / "main.py"), "sweep", "sweep.yaml", "--jobs", "1"]

    def count() -> int:
        return sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("sweeps/*/cells.jsonl"))

    code = close_terminal(tmp_path, lambda: count() > 5, *(["nohup"] if nohup else []), *command)
    if nohup:
        assert (code, count()) == (0, 160)
    else:
        assert code == 128 + signal.SIGHUP
        assert 5 < count() < 160

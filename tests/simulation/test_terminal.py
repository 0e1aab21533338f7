"""What a user sees on a terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.launching import SMALL, find_traces, make_environment, sets
from tests.simulation.material import ROOT

pytestmark = pytest.mark.slow

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
    for word in ("honest", "poisoners", "data_injection", "training", "stages trained", "accepted", "refused"):
        assert word in text
    assert re.search(r"starting: \d of 7 processes are ready", text)
    closing = text[text.rindex("ended") :]
    for word in ("complete", "honest chain", "agreement 1.00", "poisoned stages", "cost", "most refused for"):
        assert word in closing

import os
from pathlib import Path

import pytest

from simulation.records import Dropped, Record, RecordWriter
from simulation.records.run_files import EVENTS_NAME, LOG_NAME

RECORD = Record(0.5, Dropped.level, "honest-0", Dropped(peer="honest-1", frames=2, bytes=10))


def write_beside(folder: Path, beside: Path) -> None:
    writer = RecordWriter(folder, log_beside=beside, shows=None)
    try:
        writer.write(RECORD)
    finally:
        writer.close()


def test_a_record_stands_in_the_log_its_copy_and_the_events(tmp_path: Path) -> None:
    beside = tmp_path / "beside.log"
    write_beside(tmp_path, beside)
    assert (tmp_path / LOG_NAME).read_text("utf-8") == f"{RECORD.to_line().to_text()}\n"
    assert beside.read_text("utf-8") == (tmp_path / LOG_NAME).read_text("utf-8")
    assert (tmp_path / EVENTS_NAME).read_text("utf-8") == f"{RECORD.to_line().to_json()}\n"


def test_a_named_pipe_that_nobody_reads_keeps_no_run_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.log"
    os.mkfifo(pipe)
    write_beside(tmp_path, pipe)
    assert (tmp_path / LOG_NAME).read_text("utf-8") == f"{RECORD.to_line().to_text()}\n"
    assert "no copy of the log is kept here" in capsys.readouterr().err

"""The copy of the log in the working directory: it replaces earlier copies, and nothing else."""

import os
from pathlib import Path

import pytest

from simulation.records.log_copy import CopyError, open_copy
from simulation.records.writing import RecordWriter
from tests.support.scenarios import made_up_run, opening, to_log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pot_sim.log"


def refuse(path: Path) -> str:
    with pytest.raises(CopyError) as caught:
        open_copy(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "before",
    [None, "", to_log(made_up_run()), to_log([opening(scenario="an-earlier-one")])],
    ids=["nothing", "an empty file", "an earlier copy", "a copy that was cut off"],
)
def test_a_copy_replaces_nothing_or_an_earlier_one(path: Path, before: str | None) -> None:
    if before is not None:
        path.write_text(before, "utf-8")
    with open_copy(path) as file:
        file.write("new\n")
    assert path.read_text("utf-8") == "new\n"


@pytest.mark.parametrize(
    "before",
    [b"my notes\n", b"\xff\xfe\x00", b"\n" + to_log(made_up_run()).encode(), to_log(made_up_run()[1:]).encode()],
    ids=["text", "bytes", "a blank line first", "a log without its opening"],
)
def test_a_file_of_the_users_is_left_as_it_is(path: Path, before: bytes) -> None:
    path.write_bytes(before)
    assert "no log of a run" in refuse(path)
    assert path.read_bytes() == before


def test_what_a_link_points_at_is_left_as_it_is(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.log"
    target.write_text(to_log(made_up_run()), "utf-8")
    path.symlink_to(target)
    assert "symbolic link" in refuse(path)
    assert target.read_text("utf-8") == to_log(made_up_run())


def test_a_pipe_that_nobody_reads_holds_nobody_up(path: Path) -> None:
    os.mkfifo(path)
    assert "no file" in refuse(path)


def test_a_folder_is_in_the_way(path: Path) -> None:
    path.mkdir()
    assert refuse(path) == "Is a directory"


def test_two_runs_at_once_do_not_mix_their_copies(path: Path) -> None:
    text = to_log([opening()])
    with open_copy(path) as first:
        first.write(text)
        first.flush()
        assert "another run" in refuse(path)
    assert path.read_text("utf-8") == text
    open_copy(path).close()


def test_a_run_goes_on_without_its_copy_and_says_why(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text("my notes\n", "utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    writer = RecordWriter(folder, log_beside=path, shows=None)
    writer.write(opening())
    writer.close()
    assert path.read_text("utf-8") == "my notes\n"
    assert (folder / "pot_sim.log").read_text("utf-8") == to_log([opening()])
    assert capsys.readouterr().err.startswith(f"{path}: no copy of the log is kept here: the file there is no log")

"""What replay says of journals that are not whole: nothing is passed over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulation.commands.cli import main

pytestmark = pytest.mark.many_runs

SETTINGS = (
    "engine=virtual",
    "virtual.trainer=fake",
    "dataset.name=digits",
    "job.stages=2",
    "output.pictures=false",
    "output.journal=true",
)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the folder of a run with journals."""
    monkeypatch.chdir(tmp_path)
    arguments = [part for setting in SETTINGS for part in ("--set", setting)]
    assert main(["run", "honest", *arguments, "--out", "runs"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    capsys.readouterr()
    return folder


def cut(journal: Path) -> None:
    journal.write_text("".join(journal.read_text("utf-8").splitlines(keepends=True)[:-5]), "utf-8")


def take_out(journal: Path) -> None:
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join(line for number, line in enumerate(lines) if number != len(lines) - 2), "utf-8")


def go_on(journal: Path) -> None:
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join([*lines, lines[0]]), "utf-8")


def go_back(journal: Path) -> None:
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join([*lines[:9], lines[9].replace('"now": ', '"now": -', 1), *lines[10:]]), "utf-8")


def make_folder(journal: Path) -> None:
    journal.unlink()
    journal.mkdir()


DIFFERENT: dict[str, tuple[Callable[[Path], object], str]] = {
    "its end is cut off": (cut, "its journal is cut off"),
    "it is empty": (lambda journal: journal.write_text("", "utf-8"), "its journal is cut off"),
    "it is gone": (lambda journal: journal.unlink(), "its journal is missing"),
    "a line is gone": (take_out, "lines, its closing line says"),
}
UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte is no text": (lambda journal: journal.write_bytes(b"\xff" + journal.read_bytes()), "cannot be read"),
    "it is a folder": (make_folder, "cannot be read"),
    "it goes on": (go_on, "it goes on after its end"),
    "time goes back": (go_back, "its time is before that of the line above"),
}


def test_whole_journals_are_replayed(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(run_folder)]) == 0
    assert "of 12 parties replayed, 0 parties differ" in capsys.readouterr().out


@pytest.mark.parametrize("damage", DIFFERENT)
def test_a_journal_that_is_not_whole_is_a_difference(
    damage: str, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, wanted = DIFFERENT[damage]
    change(run_folder / "journal" / "honest-3.jsonl")
    assert main(["replay", str(run_folder)]) == 1
    told = capsys.readouterr()
    assert "DIFFERENT: honest-3: " in told.err
    assert wanted in told.err
    assert "1 parties differ" in told.out


@pytest.mark.parametrize("damage", UNREADABLE)
def test_a_journal_that_cannot_be_read_is_bad_input(
    damage: str, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, wanted = UNREADABLE[damage]
    change(run_folder / "journal" / "honest-3.jsonl")
    assert main(["replay", str(run_folder)]) == 2
    assert wanted in capsys.readouterr().err

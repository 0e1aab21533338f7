"""How much of a run is shown."""

from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.mechanisms.proof_of_training.view import TrainingView
from simulation.records.lines import DEBUG, parse_line
from simulation.records.reading import read_record
from simulation.runs.detail import shows_progress

RUN = ["run", "honest", "--engine", "virtual", "--seed", "3"]
SETTINGS = ("virtual.trainer=fake", "output.pictures=false", "job.stages=2", "populations.honest.count=4")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[list[str], list[str]]:
    """Return the lines that a run has shown, and those of its log."""
    assert main([*RUN, *(word for setting in SETTINGS for word in ("--set", setting)), *options]) == 0
    return capsys.readouterr().out.splitlines(), Path("pot_sim.log").read_text("utf-8").splitlines()


def test_by_default_a_few_lines_show_how_it_comes_on(capsys: pytest.CaptureFixture[str]) -> None:
    shown, log = run(capsys)
    records = {line: read_record(parse_line(line)) for line in log}
    lines = [line for line in shown if line in records]
    assert lines == [line for line, record in records.items() if shows_progress(record)]
    assert [records[line].event for line in lines if records[line].who == "employer"][-1] == "final"
    assert sum(records[line].event == "appended" for line in lines) >= 2
    assert len("\n".join(shown)) < 6_000 < len("\n".join(log))


def test_verbose_shows_all_but_what_is_a_partys_own(capsys: pytest.CaptureFixture[str]) -> None:
    shown, log = run(capsys, "--verbose")
    wanted = [line for line in log if read_record(parse_line(line)).level != DEBUG]
    assert [line for line in shown if line in set(log)] == wanted


def test_quiet_shows_the_folder_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = run(capsys, "--quiet")[0]
    assert (Path(folder) / "summary.json").is_file()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("protocol.rules=1", "version 1"),
        ("protocol.without=[own_secrets, ranked_ties]", "version 2 without own_secrets, ranked_ties"),
    ],
)
def test_the_closing_table_says_which_rules_were_in_force(
    setting: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, _ = run(capsys, "--set", setting)
    assert [line.split(maxsplit=1)[1].strip() for line in shown if line.startswith("  rules ")] == [told]


def test_quiet_tells_what_is_wrong_with_the_result_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingView, "list_warnings", lambda self, tally: [f"height {tally.employer.height}"])
    assert main([*RUN, *(word for setting in SETTINGS for word in ("--set", setting)), "--quiet"]) == 0
    told = capsys.readouterr()
    assert told.err == f"{told.out.strip()}: warning: height 2\n"


def test_quiet_and_verbose_are_not_both_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "-q", "-v"]) == 2
    assert capsys.readouterr().err == "--quiet contradicts --verbose; leave one of them out\n"

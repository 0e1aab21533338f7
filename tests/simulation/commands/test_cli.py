from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.foundation.code_version import compute_code_version
from simulation.scenario.loading import list_shipped
from tests.support.scenarios import complete, save

BAD_INPUT = {
    "unknown key": ("populations.honest.cuont=3", "populations.0.cuont: unknown key; did you mean 'count'?"),
    "wrong type": ("seed=yes", "seed: write a whole number, not true"),
    "quoted number": ("populations.honest.count='3'", "populations.0.count: write a whole number, not '3'"),
    "fraction": ("job.stages=1.5", "job.stages: write a whole number, not 1.5"),
    "count below 0": ("populations.honest.count=-1", "populations.0.count: write 0 or more, not -1"),
    "no honest node": ("populations.honest.role=silent", "populations: no honest node"),
    "share outside 0..1": ("network.rewiring=1.5", "network.rewiring: write 1 or less, not 1.5"),
    "duplicate population": ("populations.honest.name=poisoners", "the name 'poisoners' stands twice"),
    "unreachable count": ("protocol.confidence.count=12", "protocol.confidence.count: 12 can never be reached"),
    "unreachable share": ("protocol.confidence.stake_share=1.0", "protocol.confidence.stake_share"),
    "no item": ("populations.nobody.count=1", "no item 'nobody'"),
    "no equals sign": ("seed", "dotted.key=value"),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, and fail at once if a run is really started."""
    monkeypatch.chdir(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a run was started")

    monkeypatch.setattr("simulation.api.running.run_scenario", fail)


@pytest.mark.parametrize(("setting", "wanted"), BAD_INPUT.values(), ids=list(BAD_INPUT))
def test_a_bad_setting_is_exit_2_with_one_clear_message_and_nothing_written(
    setting: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "default", "--set", setting]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert wanted in told.err
    assert len(told.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("name: a\njob: [\n", "mine.yaml:3:1: not valid YAML"),
        ("name: a\nname: b\n", "mine.yaml:2:1: not valid YAML: the key 'name' stands twice"),
        ("- a\n", "mine.yaml: there are no keys at its top level; write name, description and populations there"),
        ("", "mine.yaml: the file is empty; write name, description and populations there"),
        ("name: a\n", "mine.yaml: description: missing"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_bad_file_is_exit_2_with_its_place(
    command: str, text: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, text, "mine.yaml")
    assert main([command, "mine.yaml"]) == 2
    told = capsys.readouterr()
    assert wanted in told.err
    assert "Traceback" not in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("arguments", [["defualt"], ["nowhere.yaml"], ["default", "--seed", "-1"], ["."]])
def test_a_run_of_nothing_is_exit_2(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "setting"), [(["--engine", "virtual"], "engine=processes"), (["--seed", "3"], "seed=4")]
)
def test_an_option_that_contradicts_a_setting_is_exit_2(
    option: list[str], setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "default", *option, "--set", setting]) == 2
    assert capsys.readouterr().err == f"{' '.join(option)} contradicts --set {setting}; leave one of them out\n"
    with pytest.raises(AssertionError, match="a run was started"):
        main(["run", "default", "--engine", "virtual", "--seed", "3", "--set", "engine=virtual", "--set", "seed=3"])


@pytest.mark.parametrize("arguments", [["report", ""], ["compare", "a", "", "b"], ["run", "default", "--out", ""]])
def test_an_empty_word_is_exit_2_and_not_the_working_directory(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = " ".join(arguments[: arguments.index("")])
    assert capsys.readouterr().err == f"{told} '': the last word is empty; write a name or a path there\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "default", "--seed", "x"], ["fly"], ["run", "default", "--fast"], ["verify"]]
)
def test_a_command_that_does_not_exist_is_exit_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("soak --count 0", "--count: write 1 or more, not 0"),
        ("soak --jobs 999", "--jobs: write 256 or less, not 999"),
        ("fuzz --frames -5", "--frames: write 1 or more, not -5"),
        ("soak --first 1e3", "--first: write a whole number, not 1e3"),
        ("sweep example --jobs 0", "--jobs: write 1 or more, not 0"),
        ("stamp mint somebody --bits 161", "--bits: write 160 or less, not 161"),
        ("stamp check 1:20 --days 36501", "--days: write 36500 or less, not 36501"),
        ("--seed x", "--seed: write a whole number, not x"),
        ("run", "run: SCENARIO is missing; `python main.py run --help` says what to write"),
        ("run default --sed 3", "run: no such option: --sed; did you mean --seed, --set?"),
        ("repplay x", "repplay: no such command; did you mean 'replay'?"),
        ("stamp fly", "fly: no such command; there are mint, check"),
        ("soak --count", "option '--count' requires an argument; `python main.py --help` says what to write"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_one_sentence_as_all_others(
    arguments: str, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"{wanted}\n")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("run", "scenarios", "validate", "compare", "verify"))


def test_scenarios_are_listed_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_shipped())
    assert all(len(line.split()) > 3 for line in lines)


def test_shipped_scenarios_and_files_are_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = list(list_shipped())
    raw = complete()
    raw["dataset"]["path"] = None
    mine = save(tmp_path, raw, "mine.yaml")
    assert main(["validate", *names, str(mine)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(names) + 1


def test_one_bad_file_among_good_ones_is_exit_2_and_all_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = save(tmp_path, {**complete(), "sede": 1}, "bad.yaml")
    assert main(["validate", "default", str(bad), "honest"]) == 2
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["default", "honest"]
    assert "sede: unknown key; did you mean 'seed'?" in told.err


def test_verify_refuses_a_folder_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "not the folder of a finished run" in capsys.readouterr().err


def test_the_version_is_that_of_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{compute_code_version()}\n"


def test_a_seed_before_a_command_says_where_to_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "3", "run", "honest"]) == 2
    assert capsys.readouterr().err == "--seed 3: write it behind the command: run ... --seed\n"


def test_a_seed_without_a_command_is_that_of_the_default_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def remember(*arguments: object) -> int:
        given.extend(arguments)
        return 0

    monkeypatch.setattr("simulation.commands.cli._run", remember)
    assert main(["--seed", "3"]) == 0
    assert given[:3] == ["default", (), 3]

"""The true cause, in our words: not what a library says, nor where the fault only shows."""

import os
from pathlib import Path
from typing import Any, Final

import pytest

from simulation.commands.cli import main
from simulation.scenario import loading
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, find_scenario, load_scenario
from tests.support.scenarios import save

HEAD = "name: a\ndescription: b\n"
NODES = "populations:\n- {name: h, role: honest, count: 4}\n"


def refuse(file: Path, *settings: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file, settings)
    return str(caught.value).replace(f"{file}", "FILE")


# ---- missing keys ----


def test_a_missing_key_is_the_files_fault_and_not_a_constants(tmp_path: Path) -> None:
    assert refuse(save(tmp_path, HEAD)) == "FILE: populations: missing; this key has no default"


def test_a_misspelt_key_is_not_missing_as_well(tmp_path: Path) -> None:
    told = refuse(save(tmp_path, f"{HEAD}population: []\n"))
    assert told == "FILE: population: unknown key; did you mean 'populations'?"


def test_a_missing_key_is_told_beside_a_misspelling_of_another_one(tmp_path: Path) -> None:
    told = refuse(save(tmp_path, "name: a\ndescription: b\nemgine: x\nsede: 3\n"))
    assert told.splitlines() == [
        "FILE: populations: missing; this key has no default",
        "FILE: emgine: unknown key; did you mean 'engine'?",
        "FILE: sede: unknown key; did you mean 'seed'?",
    ]


# ---- files ----


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "no such file"),
        (Path.mkdir, "a folder; name a YAML file"),
        (make_fifo, "not a regular file; name a YAML file"),
        (lambda path: path.symlink_to(path), "a symbolic link that leads back to itself"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link that leads nowhere"),
    ],
    ids=["nothing", "folder", "pipe", "loop", "dangling link"],
)
def test_what_is_in_a_files_place_is_named(
    tmp_path: Path, make: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("scenario.yaml")
    make(path)
    with pytest.raises(ScenarioError) as caught:
        find_scenario(str(path))
    assert str(caught.value) == f"scenario.yaml: {told}"


def test_a_folder_is_no_misspelt_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    with pytest.raises(ScenarioError, match=r"\Amine: a folder; name a YAML file\Z"):
        find_scenario("mine")


# ---- values ----


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("protocol.slot_ms=.nan", "protocol.slot_ms: write a finite number, not nan"),
        ("run.time_limit_s=.nan", "run.time_limit_s: write a finite number, not nan"),
        ("run.time_limit_s=.inf", "run.time_limit_s: write 100000000 or less, not inf"),
        ("populations.honest.stake=1e-9", "populations.0.stake: write 0, or 0.000001 or more"),
        ("users.fee=1e-7", "users.fee: write 0, or 0.000001 or more"),
        (
            "populations.honest={name: h, role: honest, count: 4, stake: 0.000005, identities: 6}",
            "0.identities: 5e-06 ",
        ),
    ],
)
def test_a_value_is_refused_for_what_is_wrong_with_it(setting: str, told: str) -> None:
    assert told in refuse(CONFIGS / "honest.yaml", setting)


def test_the_smallest_stake_there_is_can_be_written() -> None:
    scenario = load_scenario(CONFIGS / "honest.yaml", ["populations.honest.stake=0.000001"])
    assert scenario.populations[0].stake == 1e-6


# ---- YAML ----


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"seed: {'9' * 10_000}", "FILE:3:7: not valid YAML: a whole number of 10,000 digits is too long"),
        (f"seed: {'[' * 5_000}{']' * 5_000}", "FILE: not valid YAML: lists or keys are nested too deep"),
        ("seed: 2001-99-99", "FILE:3:7: not valid YAML: '2001-99-99' is not a date; text needs quotes"),
        (
            "engine: x: y",
            "FILE:3:10: not valid YAML: a colon stands where none can; text with a colon in it needs quotes",
        ),
        ("run:\n\ttime_limit_s: 3", "FILE:4:1: not valid YAML: a tab; write spaces in front of a key"),
        ("engine: !!set virtual", "FILE:3:9: not valid YAML: expected a mapping node, but found scalar"),
        ("engine: !mine virtual", "FILE:3:9: not valid YAML: the tag !mine is not read; leave it out"),
        ("engine: *it", "FILE:3:9: not valid YAML: *it stands for nothing; text that begins with * needs quotes"),
        ("engine: %it", "FILE:3:9: not valid YAML: text cannot begin with %; write it in quotes"),
        ('engine: "virtual', "FILE:6:1: not valid YAML: a quote that is opened is not closed"),
        ("---\nname: b", "FILE:3:1: not valid YAML: a second document begins (---); write one"),
        ("run: &r {linger_s: 1}\nusers: {<<: *r}", "FILE:4:9: not valid YAML: merge keys (<<) are not read"),
    ],
    ids=lambda item: str(item)[:20],
)
def test_what_is_not_yaml_is_explained_in_our_words(tmp_path: Path, text: str, told: str) -> None:
    assert refuse(save(tmp_path, f"{HEAD}{text}\n{NODES}")).startswith(told)


def test_an_override_says_why_it_is_not_yaml() -> None:
    told = refuse(CONFIGS / "honest.yaml", f"seed={'9' * 10_000}")
    assert told.endswith("the value is not valid YAML: a whole number of 10,000 digits is too long")


def test_a_copy_without_the_shipped_scenarios_says_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CONFIGS", tmp_path)
    with pytest.raises(ScenarioError, match=r"default: no such scenario; .* install in place \(pip install -e \.\)"):
        find_scenario("default")


def test_a_missing_data_file_is_told_without_a_number_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ["engine=virtual", "virtual.trainer=keras", "dataset.path=nowhere.npz"]
    assert main(["run", "honest", *(word for setting in settings for word in ("--set", setting))]) == 3
    told = capsys.readouterr().err
    assert told == (
        f"{tmp_path}/nowhere.npz: cannot be read (dataset.path (nowhere.npz)): No such file or directory; "
        "write where it is now, for example --set dataset.path=FILE\n"
    )


STAKELESS: Final = """
name: stakeless
description: nobody has a stake
populations:
  - {name: a, role: honest, count: 4, stake: 0.0}
  - {name: b, role: honest, count: 1, stake: 0.0}
"""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ([], "mine.yaml: populations: no node has a stake, so nobody may declare, propose or sign"),
        (["mechanism=proof_of_activity"], "mine.yaml: populations: no node has a stake, so nobody is drawn to sign"),
        (["mechanism.name=stake_chain"], "mine.yaml: populations: no node has a stake, so nobody ever leads a slot"),
        (["mechanism.name=stake_bft"], "mine.yaml: populations: nobody has any stake, so nobody may"),
        (
            ["mechanism.name=proof_of_activity", "populations.b.stake=5"],
            "--set populations.b.stake=5: mechanism.drawn: a group of 3 is drawn, and 1 nodes have a stake",
        ),
        (
            ["mechanism=proof_of_work", "populations.b.role=data_injection"],
            "--set populations.b.role=data_injection: populations.1.role: proof_of_work trains nothing",
        ),
    ],
)
def test_neither_constants_nor_the_choice_of_a_mechanism_are_blamed_for_what_populations_lack(
    settings: list[str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save(tmp_path, STAKELESS, "mine.yaml"), settings)
    assert told in str(caught.value)
    assert "constants.py" not in str(caught.value)


def test_the_length_that_a_mechanism_takes_from_a_constant_is_told_with_it(tmp_path: Path) -> None:
    settings = ["mechanism=stake_chain", "populations.a.stake=5", "protocol.slot_ms=1000", "run.time_limit_s=2"]
    with pytest.raises(ScenarioError, match=r"with simulation/constants.py: STAGES = \d+: mechanism.length: "):
        load_scenario(save(tmp_path, STAKELESS, "mine.yaml"), settings)

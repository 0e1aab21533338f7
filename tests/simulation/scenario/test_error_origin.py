"""Whose fault it is: the scenario file, ``--set``, ``--seed``, or an edited `simulation/constants.py`."""

import sys
from pathlib import Path
from typing import Any

import pytest

import simulation
from simulation import constants
from simulation.commands.cli import main
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from tests.support.scenarios import complete, save

DEFAULT = CONFIGS / "default.yaml"


def refuse(file: Path, *settings: str, seed: int | None = None) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file, settings, seed=seed)
    return str(caught.value)


# ---- constants ----

NONSENSE: list[tuple[str, Any, str]] = [
    ("SEED", "a", "SEED = 'a': write a whole number, not 'a'"),
    ("ENGINE", "steam", "ENGINE = 'steam': write 'processes' or 'virtual', not 'steam'"),
    ("HIDDEN_LAYERS", 64, "HIDDEN_LAYERS = 64: write a list"),
    ("HIDDEN_LAYERS", (64, 0), "HIDDEN_LAYERS = (64, 0): write 1 or more, not 0"),
    ("HIDDEN_LAYERS", (10**6, 10**6), "HIDDEN_LAYERS = (1000000, 1000000): write fewer or smaller layers"),
    ("CONFIDENCE_RULE", "stak_share", "CONFIDENCE_RULE = 'stak_share': write one rule, count or stake_share"),
    ("CONFIDENCE_RULE", [], "CONFIDENCE_RULE = []: write one rule, count or stake_share"),
    ("CONFIDENCE_STAKE_SHARE", 2, "CONFIDENCE_STAKE_SHARE = 2: write 0.999999 or less, not 2"),
    ("DECLARATIONS_PER_SLOT_BY_STAKE", None, "DECLARATIONS_PER_SLOT_BY_STAKE = None: write a number, not nothing"),
    ("DECLARATIONS_PER_SLOT_BY_STAKE", "many", "DECLARATIONS_PER_SLOT_BY_STAKE = 'many': write a number, not 'many'"),
    ("REWARD_PROPOSER", 0.9, "REWARD_PROPOSER = 0.9, REWARD_DECLARERS = 0.3, REWARD_STAKEHOLDERS = 0.3: "),
    ("XLA", 1, "XLA = 1: write true or false, not 1"),
    ("STAKE_COINS", -1, "STAKE_COINS = -1: write 0 or more, not -1"),
    ("POISON_SHARE", 0.0, "POISON_SHARE = 0.0: 0 alters nothing"),
    ("POISON_KIND", "backdoor", "POISON_KIND = 'backdoor': backdoor takes target"),
    ("USERS", 1, "USERS = 1: transactions need at least 2 users"),
    ("LATENCY_KIND", "uniform", "LATENCY_KIND = 'uniform': uniform needs max_ms"),
    ("BATCH_SIZE", 10**6, "BATCH_SIZE = 1000000: write a smaller one or fewer steps_per_stage"),
]


@pytest.mark.parametrize(("name", "value", "wanted"), NONSENSE, ids=lambda item: str(item)[:24])
def test_a_constant_that_can_never_be_is_blamed_by_name(
    name: str, value: Any, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, name, value)
    told = refuse(DEFAULT)
    assert told.startswith(f"simulation/constants.py: {wanted}")
    assert "default.yaml" not in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "used"),
    [
        ("protocol.rules=2", "DECLARATIONS_PER_SLOT_BY_STAKE"),
        ("protocol.confidence={stake_share: 0.4}", "DECLARATIONS_PER_SLOT_BY_STAKE"),
        ("protocol.rules=1", "DECLARATIONS_PER_SLOT"),
        ("protocol.confidence={count: 3}", "DECLARATIONS_PER_SLOT"),
    ],
)
def test_of_two_constants_for_one_key_the_one_that_was_used_is_blamed(
    setting: str, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, used, "many")
    assert refuse(DEFAULT, setting) == f"simulation/constants.py: {used} = 'many': write a number, not 'many'"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("STAKEHOLDERS", 5000, "protocol.stakeholders: 5000 cannot be drawn from 11"),
        ("TOPOLOGY", "edges", "network.topology: edges needs network.edges"),
        ("RECORDS", "essential", "output.records: the process engine records everything"),
    ],
)
def test_a_constant_that_does_not_fit_a_file_is_told_with_the_file(
    name: str, value: object, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, name, value)
    assert refuse(DEFAULT).startswith(f"{DEFAULT}, with simulation/constants.py: {name} = {value!r}: {wanted}")


def test_the_count_of_declarations_is_blamed_under_its_own_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "CONFIDENCE_RULE", "count")
    monkeypatch.setattr(constants, "CONFIDENCE_COUNT", -1)
    assert refuse(DEFAULT).startswith("simulation/constants.py: CONFIDENCE_COUNT = -1: write 1 or more")


def test_a_constant_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(constants, "SEED")
    assert refuse(DEFAULT).startswith("simulation/constants.py: SEED is missing: ")


def test_a_file_that_says_every_key_is_never_blamed_on_the_constants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save(tmp_path, {**complete(), "seed": "x"})
    monkeypatch.setattr(constants, "SEED", "y")
    assert refuse(file) == f"{file}: seed: write a whole number, not 'x'"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SEED = 1\nENGINE = virtual\n", "simulation/constants.py:2: name 'virtual' is not defined"),
        ("SEED = = 1\n", "simulation/constants.py:1: not valid Python"),
    ],
)
def test_constants_that_are_no_python_are_exit_2_with_their_line(
    text: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "constants.py").write_text(text, "utf-8")
    monkeypatch.setattr("simulation.__path__", [str(tmp_path), *simulation.__path__])
    monkeypatch.delitem(sys.modules, "simulation.constants")
    assert main(["validate", str(DEFAULT)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(wanted)
    assert len(told.splitlines()) == 1


# ---- options ----


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("job.stages=0", "job.stages: write 1 or more, not 0"),
        ("protocol.rewards.proposer=0.9", "protocol.rewards: proposer + declarers + stakeholders must be 1, got 1.5"),
        ("populations.honest.role=silent", "populations: no honest node"),
        ("populations.0={name: a}", "populations.0.role: missing"),
        ("network.latency.kind=uniform", "network.latency.kind: uniform needs max_ms"),
    ],
)
def test_a_value_from_the_command_line_is_blamed_on_the_option(setting: str, wanted: str) -> None:
    told = refuse(DEFAULT, setting)
    assert told.startswith(f"--set {setting}: {wanted}")
    assert "default.yaml" not in told


def test_of_several_settings_the_one_that_broke_it_is_named() -> None:
    told = refuse(DEFAULT, "seed=3", "populations.honest.count=1", "populations.poisoners.count=1", "job.stages=2")
    assert told.startswith("--set populations.poisoners.count=1, with simulation/constants.py: STAKEHOLDERS = 3: ")


def test_each_fault_is_blamed_on_its_own_source(tmp_path: Path) -> None:
    file = save(tmp_path, {**complete(), "engine": "steam"})
    told = refuse(file, "job.stages=0", "users.count=-1", seed=-1).splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "--seed -1",
        str(file),
        "--set job.stages=0",
        "--set users.count=-1",
    ]


def test_a_fault_of_the_file_stays_the_fault_of_the_file(tmp_path: Path) -> None:
    raw = complete()
    raw["populations"][0]["role"] = "silent"
    assert refuse(save(tmp_path, raw), "job.stages=2").startswith(
        f"{tmp_path / 'scenario.yaml'}: populations: no honest"
    )


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000, "0x" + "f" * 5000, "a\nb"])
def test_a_setting_without_end_is_told_in_one_short_line(value: str) -> None:
    told = refuse(DEFAULT, f"seed={value}")
    assert told.startswith("--set seed=")
    assert len(told.splitlines()) == 1
    assert len(told) < 250

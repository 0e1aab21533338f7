"""Sweep files: strict, resolved without loss, and known by a fingerprint."""

from pathlib import Path
from typing import Any

import pytest

from simulation.commands.cli import main
from simulation.commands.sweeps.cells import plan_cells
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS
from tests.support.scenarios import save
from tests.support.sweeps import VARY, make_sweep, read_sweep, save_sweep

EXAMPLE = CONFIGS / "sweeps" / "example.yaml"


def test_the_shipped_example_is_small_and_valid() -> None:
    plan = plan_cells(load_sweep(EXAMPLE), "code")
    assert 10 <= len(plan.cells) <= 200
    assert plan.datasets == []  # training is made up


def test_a_sweep_of_one_scenario_needs_neither_set_nor_vary(tmp_path: Path) -> None:
    path = save_sweep(tmp_path, vary=None, repeats=None, seed=None)
    sweep = load_sweep(path)
    assert (sweep.count_cells(), sweep.keys, sweep.repeats, sweep.seed) == (1, (), 1, 42)


def test_a_shipped_scenario_is_found_by_its_name(tmp_path: Path) -> None:
    sweep = load_sweep(save(tmp_path, make_sweep(scenario="default", vary=None), "elsewhere.yaml"))
    assert sweep.scenario["name"] == "default"


def test_the_resolved_sweep_stands_for_the_same_one(tmp_path: Path) -> None:
    vary = {**VARY, "network.duplication": {"from": 0.0, "to": 1e-05, "count": 2}}
    sweep = read_sweep(tmp_path, vary=vary, set={"job.learning_rate": 1e-05, "run": {"time_limit_s": 90.0}})
    folder = tmp_path / "copy"
    folder.mkdir()
    save(folder, sweep.to_yaml(), "sweep.yaml")
    save(folder, sweep.scenario_text, "scenario.yaml")
    again = load_sweep(folder / "sweep.yaml")
    assert again.compute_fingerprint("code") == sweep.compute_fingerprint("code")
    assert (again.axes, again.settings, again.scenario) == (sweep.axes, sweep.settings, sweep.scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"vary": {**VARY, "network.loss": [0.0, 0.06]}},
        {"vary": dict(reversed(VARY.items()))},
        {"set": {"job.stages": 2}},
        {"repeats": 4},
        {"seed": 6},
        {"name": "other"},
        {"scenario": "honest"},
    ],
)
def test_everything_that_decides_the_table_changes_the_fingerprint(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = read_sweep(tmp_path).compute_fingerprint("code")
    assert read_sweep(tmp_path, **changes).compute_fingerprint("code") != before


def test_so_does_other_code_but_not_another_description(tmp_path: Path) -> None:
    sweep = read_sweep(tmp_path)
    assert sweep.compute_fingerprint("code") != sweep.compute_fingerprint("other code")
    other = read_sweep(tmp_path, description="the same in other words")
    assert other.compute_fingerprint("code") == sweep.compute_fingerprint("code")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"varry": {}}, "varry: unknown key; did you mean 'vary'?"),
    "no scenario": ({"scenario": None}, "scenario: missing"),
    "unknown scenario": ({"scenario": "defualt"}, "scenario: defualt: no such scenario; did you mean 'default'?"),
    "missing file": ({"scenario": "nowhere.yaml"}, "nowhere.yaml: no such file; a file is looked for from the folder"),
    "name": ({"name": "Two Words"}, "name: write 1 to 40 lower-case letters"),
    "no repeats": ({"repeats": 0}, "repeats: write 1 or more, not 0"),
    "half a repeat": ({"repeats": 1.5}, "repeats: write a whole number"),
    "vary is a list": ({"vary": ["network.loss"]}, "vary: write dotted keys of the scenario below it, not a list"),
    "set is a number": ({"set": 3}, "set: write dotted keys of the scenario below it, not 3"),
    "seed in set": ({"set": {"seed": 3}}, "set.seed: seeds are derived"),
    "seed varies": ({"vary": {"seed": [1, 2]}}, "vary.seed: seeds are derived"),
    "two keys, one place": ({"vary": {"network": [{}], "network.loss": [0.1]}}, "overwrite each other"),
    "one key twice": ({"vary": {"g": {"keys": ["a", "a"], "values": [[1, 2]]}}}, "overwrite each other"),
    "too many cells": (
        {"vary": {"network.loss": {"from": 0.0, "to": 0.5, "count": 1001}}, "repeats": 1000},
        "1001 combinations, 1000 times each, are 1,001,000 cells",
    ),
    "unknown setting": ({"set": {"network.los": 0.1}}, "set: network.los = 0.1: network.los: unknown key"),
    "unknown varied key": ({"vary": {"network.los": [0.1]}}, "network.los: unknown key; did you mean 'loss'?"),
    "unknown population": ({"vary": {"populations.honst.count": [3]}}, "no item 'honst'; write 0 to 1 or honest"),
    "invalid combination": (
        {"vary": {"network.loss": [0.0, 0.1], "protocol.stakeholders": [2, 9]}},
        "9 cannot be drawn from 4 bonded nodes; write a smaller number or add nodes "
        "(in the combination network.loss=0.0, protocol.stakeholders=9)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_with_its_place_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # the way to a folder of tests may be too long for one sentence
    changes, told = BAD[name]
    raw = {**make_sweep(), **changes}
    save_sweep(Path())
    path = save(Path(), {key: value for key, value in raw.items() if value is not None}, "sweep.yaml")
    assert main(["sweep", str(path), "--out", "sweeps"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"{path}: ")
    assert told in errors
    assert errors.count("\n") == 1
    assert not Path("sweeps").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "the file is empty"), ("- 1\n", "there are no keys at its top level"), ("text\n", "there are no keys")],
)
def test_a_file_without_keys_is_told_what_a_sweep_needs(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=rf"sweep\.yaml: {told}[^;]*; write name, description and scenario there$"):
        load_sweep(save(tmp_path, text, "sweep.yaml"))


def test_dates_and_numbers_without_end_are_no_settings(tmp_path: Path) -> None:
    save_sweep(tmp_path)
    text = "name: s\ndescription: d\nscenario: base.yaml\nset: {network.loss: 2020-01-01}\n"
    with pytest.raises(ScenarioError, match=r"set\.network\.loss: write text, a number"):
        load_sweep(save(tmp_path, text, "sweep.yaml"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--executor", "cloud"], "--executor: write local or ray, not 'cloud'"),
        (["--address", "auto"], "--address belongs to --executor ray"),
        (["--cell", "0123"], "--cell 0123: this sweep has no such cell"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_options_that_do_not_fit_are_bad_input(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    assert main(["sweep", str(path), "--out", str(tmp_path / "sweeps"), *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "sweeps").exists()


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save_sweep(tmp_path)
    assert main(["sweep", str(path), "--out", str(path)]) == 2
    assert "cannot be made" in capsys.readouterr().err

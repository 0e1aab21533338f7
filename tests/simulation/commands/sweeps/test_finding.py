"""Sweeps by name, checked without being run, and tried out."""

from pathlib import Path

import pytest
import yaml

from simulation.commands.cli import main
from simulation.commands.sweeps.sweep_file import find_sweep, list_shipped_sweeps
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS
from tests.support.sweeps import save_sweep


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_shipped_sweeps_have_names_and_studies_scenarios_are_none_of_them() -> None:
    shipped = list_shipped_sweeps()
    assert {"example", "a_majority", "h_tolerance"} <= set(shipped)
    assert "race" not in shipped
    assert find_sweep("example") == CONFIGS / "sweeps" / "example.yaml"
    assert find_sweep("mine.yaml") == Path("mine.yaml")


@pytest.mark.parametrize(
    ("name", "told"),
    [("exam", "did you mean 'example'?"), ("zzz", "write a path ending in .yaml, or one of example")],
)
def test_a_sweep_that_is_not_there_is_answered_with_names(name: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=f"\\A{name}: no such sweep; ") as caught:
        find_sweep(name)
    assert told in str(caught.value)


SHIPPED = "example: valid; 9 combinations, 90 cells"


def test_validate_knows_sweeps_and_looks_at_every_combination(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = save_sweep(tmp_path, vary={"network.loss": [0.0, 0.1]}, repeats=3)
    assert main(["validate", str(good), "honest", "example"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{good}: valid; 2 combinations, 6 cells", "honest: valid; 11 nodes, 5 stages", SHIPPED]
    bad = save_sweep(tmp_path, vary={"network.loss": [0.0, 7.0]})
    assert main(["validate", str(bad)]) == 2
    assert "network.loss" in capsys.readouterr().err


def test_a_dry_run_tries_two_cells_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save_sweep(tmp_path, vary={"network.loss": [0.0, 0.1]}, repeats=3)
    before = sorted(tmp_path.rglob("*"))
    assert main(["sweep", str(file), "--dry-run", "--jobs", "1"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(": 2 combinations, 3 times each: 6 cells")
    assert second.startswith("tried 2 of them, in ")
    assert second.endswith(" on 1 core; nothing was written")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_of_a_cell_that_fails_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = yaml.safe_load(save_sweep(tmp_path).read_text("utf-8"))
    raw["set"] = {**raw.get("set", {}), "virtual.trainer": "keras", "dataset.path": "nowhere.npz"}
    (tmp_path / "failing.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    assert main(["sweep", "failing.yaml", "--dry-run"]) == 1
    assert "nowhere.npz: cannot be read" in capsys.readouterr().err

"""Sweeps whose cells are whole runs: real training in simulated time, and node processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulation.commands.sweeps.cell_runner import flatten, is_of_execution
from tests.support.processes import find_traces, launch
from tests.support.sweeps import find_folder, read_cells, save_sweep

pytestmark = pytest.mark.processes

TRAINING: dict[str, Any] = {
    "virtual.trainer": "keras",
    "dataset.name": "digits",
    "job": {"layers": [16], "steps_per_stage": 10, "stages": 1},
}


def test_cells_with_real_training_are_the_runs_of_their_scenarios(tmp_path: Path) -> None:
    save_sweep(tmp_path, set=TRAINING, vary={"network.loss": [0.0, 0.05]}, repeats=2)
    finished = launch(tmp_path, "sweep", "sweep.yaml", "--jobs", "1")
    assert finished.code == 0, finished.err
    assert find_traces(finished.told) == []
    assert "honest-0" not in finished.out  # the records of a cell are nobody's business
    folder = find_folder(tmp_path / "sweeps")
    lines = read_cells(folder)
    assert len(lines) == 4
    assert not (folder / "running").exists()
    last = lines[-1]
    assert last["figures"]["dataset.name"] == "digits"
    settings = {"virtual.trainer": "keras", "dataset.name": "digits", "network.loss": last["values"]["network.loss"]}
    settings |= {"job": json.dumps(TRAINING["job"])}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    run = launch(tmp_path, "run", "base.yaml", *options, "--seed", str(last["seed"]))
    assert run.code == 0, run.err
    summary = {name: part for name, part in run.summary.items() if name != "files"}
    expected = {name: value for name, value in flatten(summary).items() if not is_of_execution(name, "virtual")}
    assert last["figures"] == expected
    assert last["figures"]["training.test_accuracy"] > 0


def test_node_processes_run_below_a_worker(tmp_path: Path) -> None:
    settings = {**TRAINING, "engine": "processes", "run": {"time_limit_s": 60.0, "linger_s": 1.0}}
    save_sweep(tmp_path, set=settings, vary={"populations.honest.count": [2, 3]}, repeats=1)
    finished = launch(tmp_path, "sweep", "sweep.yaml", "--jobs", "1")
    assert finished.code == 0, finished.err
    lines = read_cells(find_folder(tmp_path / "sweeps"))
    assert [line["figures"]["ended"] for line in lines] == ["complete"] * 2
    assert [line["figures"]["measures.populations.honest.nodes"] for line in lines] == [2, 3]
    assert all(line["execution"]["cost.cpu_s"] > 0 for line in lines)

"""One cell: its figures, the same each time and in every order, and its failures as data."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from simulation.commands.sweeps.cell_runner import CellRunner, Outcome, WorkerSetup, flatten, is_of_execution
from simulation.commands.sweeps.cells import Cell, build_recipe, plan_cells
from simulation.commands.sweeps.tables import COUNTED
from simulation.engines.result import PartyError
from simulation.foundation.code_version import compute_code_version
from simulation.foundation.interruption import Interruption
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.world.key_pairs import make_keys
from tests.support.memory_runs import simulate
from tests.support.sweeps import read_sweep


def prepare(folder: Path, **changes: Any) -> tuple[CellRunner, list[Cell]]:
    sweep = read_sweep(folder, **changes)
    job = WorkerSetup(build_recipe(sweep), compute_code_version(), str(folder), str(Path.cwd()))
    return CellRunner(job, Interruption()), plan_cells(sweep, compute_code_version()).cells


def strip(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error is None, outcome.trace
    return outcome.figures


def test_a_cell_comes_to_the_same_in_any_order(tmp_path: Path) -> None:
    runner, cells = prepare(tmp_path)
    found = [strip(runner.run(cell)) for cell in cells]
    again = [strip(prepare(tmp_path)[0].run(cell)) for cell in cells[::-1]][::-1]
    assert found == again
    assert len({figures["chain.head"] for figures in found}) == len(cells)


def test_its_figures_are_those_of_the_same_run(tmp_path: Path) -> None:
    runner, cells = prepare(tmp_path)
    sweep = read_sweep(tmp_path)
    figures = strip(runner.run(cells[0]))
    ended = simulate({**build_recipe(sweep).build(cells[0].values, cells[0].seed).model_dump(mode="json")})
    agreement, best = ended.tally.compute_agreement()
    assert (figures["chain.height"], figures["chain.honest_agreement"]) == (best.height, agreement)
    assert figures["chain.head"] == best.head
    assert figures["messages.bytes"] == ended.tally.sent_bytes
    assert figures["events"] == ended.result.events
    assert (figures["ended"], figures["delivered"]) == (ended.reason, True)
    assert figures["invariants_hold"] is True
    assert figures["training.coverage"] == pytest.approx(100 * 32 / 60_000)


def test_figures_hold_neither_lists_nor_what_is_about_the_execution(tmp_path: Path) -> None:
    runner, cells = prepare(tmp_path)
    outcome = runner.run(cells[0])
    assert all(isinstance(value, bool | int | float | str) for value in outcome.figures.values())
    names = set(outcome.figures)
    assert not names & {"seed", "scenario", "fingerprint", "code_version", "engine", "dataset.source"}
    assert not [name for name in names if name.startswith("nodes") or "wall" in name or "memory" in name]
    assert "seconds" in outcome.execution
    assert json.loads(json.dumps(outcome.figures)) == outcome.figures
    assert [name for name in names if COUNTED.fullmatch(name) and name.startswith("messages.sent.")]


def test_flattening_names_numbers_of_a_list_and_leaves_out_what_is_unknown() -> None:
    summary = {
        "ended": "time-limit",
        "seed": 3,
        "broken_invariant": "poison: 1",
        "a": {"b": {"c": 1, "list": [1, 0.5], "empty": []}, "none": None, "yes": True},
        "nodes": [{"label": "honest-0"}],
    }
    assert flatten(summary) == {
        "ended": "time-limit",
        "a.b.c": 1,
        "a.b.list.0": 1,
        "a.b.list.1": 0.5,
        "a.yes": True,
        "delivered": False,
        "invariants_hold": False,
    }


def test_seconds_of_training_are_figures_only_where_they_are_simulated() -> None:
    assert not is_of_execution("cost.train_cpu_s_useful", "virtual")
    assert is_of_execution("cost.train_cpu_s_useful", "processes")
    assert not is_of_execution("measures.cost.cpu_s_each", "processes")
    assert is_of_execution("measures.populations.honest.coins_per_cpu_s", "processes")
    assert all(is_of_execution("cost.wall_s", engine) for engine in ("virtual", "processes"))


def test_keys_of_one_cell_are_forgotten_before_the_next(tmp_path: Path) -> None:
    runner, cells = prepare(tmp_path)
    for cell in cells[:2]:
        runner.run(cell)
        assert make_keys.cache_info().currsize == 0


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(MemoryRun, "run", fail)


def test_an_exception_is_an_outcome_in_one_line_with_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, cells = prepare(tmp_path)
    fail_with(monkeypatch, PartyError("honest-0 failed\nat event 3; see it again: python main.py run gone.yaml"))
    outcome = runner.run(cells[1])
    assert outcome.error == "PartyError: honest-0 failed at event 3"
    assert (outcome.index, outcome.figures, outcome.is_full) == (1, {}, False)
    assert outcome.trace is not None
    assert outcome.trace.startswith("Traceback")


def test_a_full_disk_is_no_fault_of_the_cell_wherever_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, cells = prepare(tmp_path)
    error = PartyError("honest-0 failed")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    fail_with(monkeypatch, error)
    assert runner.run(cells[0]).is_full
    fail_with(monkeypatch, OSError(errno.ENOENT, "No such file"))
    assert not runner.run(cells[0]).is_full


def test_a_worker_with_other_code_gives_no_figures(tmp_path: Path) -> None:
    sweep = read_sweep(tmp_path)
    job = WorkerSetup(build_recipe(sweep), "1.0.0+other", str(tmp_path), str(Path.cwd()))
    outcome = CellRunner(job, Interruption()).run(plan_cells(sweep, "1.0.0+other").cells[0])
    assert outcome.error is not None
    assert "this worker runs other code" in outcome.error

"""Cells: every combination and repeat, seeds that belong to the cell alone, identifiers of what is run."""

from pathlib import Path
from typing import Any

import pytest

from simulation.commands.sweeps.cells import Cell, build_recipe, plan_cells
from simulation.commands.sweeps.sweep_file import Sweep
from simulation.scenario.errors import ScenarioError
from simulation.scenario.scenario import Scenario
from tests.support.sweeps import VARY, read_sweep


def plan(sweep: Sweep) -> list[Cell]:
    return plan_cells(sweep, "code").cells


def by_what(sweep: Sweep) -> dict[tuple[Any, ...], tuple[int, str]]:
    """Return seed and identifier of each cell by its values, in order of their keys, and its repeat."""
    order = sorted(range(len(sweep.keys)), key=sweep.keys.__getitem__)
    return {(*(str(cell.values[place]) for place in order), cell.repeat): (cell.seed, cell.id) for cell in plan(sweep)}


def test_every_combination_comes_in_order_and_as_often_as_asked(tmp_path: Path) -> None:
    cells = plan(read_sweep(tmp_path))
    rows = [(0.0, 3, 1), (0.0, 4, 2), (0.05, 3, 1), (0.05, 4, 2)]
    assert [(cell.values, cell.repeat) for cell in cells] == [(row, repeat) for row in rows for repeat in range(3)]
    assert [cell.index for cell in cells] == list(range(12))
    assert [cell.combination for cell in cells] == [place // 3 for place in range(12)]
    assert len({cell.seed for cell in cells}) == len({cell.id for cell in cells}) == 12


@pytest.mark.parametrize(
    "changes",
    [
        {"repeats": 7},
        {"vary": {**VARY, "network.loss": [0.2, 0.05, 0.1, 0.0]}},
        {"vary": dict(reversed(VARY.items()))},
        {"vary": {**VARY, "network.loss": {"from": 0.0, "to": 0.1, "step": 0.05}}},
        {
            "vary": {
                **VARY,
                "crowd": {"keys": ["protocol.stakeholders", "populations.honest.count"], "values": [[2, 4], [1, 3]]},
            }
        },
    ],
    ids=["repeats", "values", "order of axes", "range", "order in a group"],
)
def test_other_cells_and_other_ways_to_write_them_change_no_seed(tmp_path: Path, changes: dict[str, Any]) -> None:
    before, after = by_what(read_sweep(tmp_path)), by_what(read_sweep(tmp_path, **changes))
    shared = before.keys() & after.keys()
    assert len(shared) == len(before)
    assert {what: before[what] for what in shared} == {what: after[what] for what in shared}


def test_another_seed_of_the_sweep_changes_every_seed(tmp_path: Path) -> None:
    before, after = plan(read_sweep(tmp_path)), plan(read_sweep(tmp_path, seed=6))
    assert not {cell.seed for cell in before} & {cell.seed for cell in after}


def test_an_identifier_covers_the_scenario_the_seed_and_the_code(tmp_path: Path) -> None:
    sweep = read_sweep(tmp_path)
    here = plan(sweep)
    assert [cell.id for cell in plan(sweep)] == [cell.id for cell in here]
    for other in (plan_cells(sweep, "other code").cells, plan(read_sweep(tmp_path, set={"job.stages": 2}))):
        assert [cell.seed for cell in other] == [cell.seed for cell in here]
        assert not {cell.id for cell in other} & {cell.id for cell in here}


def test_a_cell_has_its_values_its_settings_and_its_seed(tmp_path: Path) -> None:
    sweep = read_sweep(tmp_path, set={"job.stages": 2, "populations.poisoners": {"stake": 5.0}}, vary=None)
    with pytest.raises(ScenarioError):  # a setting replaces all that stands there
        plan(sweep)
    sweep = read_sweep(tmp_path, set={"job.stages": 2, "populations.poisoners.stake": 5.0})
    cell = plan(sweep)[-1]
    scenario = build_recipe(sweep).build(cell.values, cell.seed)
    assert isinstance(scenario, Scenario)
    assert (scenario.seed, scenario.job.stages, scenario.network.loss) == (cell.seed, 2, 0.05)
    assert [(item.name, item.count) for item in scenario.populations] == [("honest", 4), ("poisoners", 1)]
    assert scenario.populations[1].stake == 5.0
    assert scenario.protocol.stakeholders == 2
    assert scenario.compute_fingerprint("code", 16) == cell.id


def test_a_corruption_that_cannot_be_is_an_invalid_combination(tmp_path: Path) -> None:
    corruption = {"name": "turned", "role": "data_injection", "of": ["honest"], "count": 2}
    vary = {"corruptions.turned.count": [2, 4]}
    with pytest.raises(ScenarioError, match=r"in the combination corruptions\.turned\.count=4"):
        plan(read_sweep(tmp_path, set={"corruptions": [corruption]}, vary=vary))


def test_only_real_training_needs_images(tmp_path: Path) -> None:
    assert plan_cells(read_sweep(tmp_path), "code").datasets == []
    vary = {"dataset.name": ["mnist", "digits"], "virtual.trainer": ["keras", "fake"]}
    found = plan_cells(read_sweep(tmp_path, vary=vary), "code").datasets
    assert found == [("mnist", None, False), ("digits", None, False)]

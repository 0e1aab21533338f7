"""Cells of a sweep have the plug-ins of its scenario, of the version that was read first, in every worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.commands import cli
from simulation.commands.sweeps.cell_runner import CellRunner, WorkerSetup
from simulation.commands.sweeps.cells import build_recipe, plan_cells
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.foundation.code_version import compute_code_version
from simulation.foundation.interruption import Interruption
from simulation.foundation.plugin_loading import list_sources
from simulation.foundation.plugin_table import put_in_force
from tests.simulation.plugins.material import INVERTED, poisoned, save_lab, write
from tests.support.scenarios import save


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def test_a_plugin_is_not_added_to_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_lab(tmp_path, plugins=[], virtual={"trainer": "fake"})
    raw = {"name": "sweep", "description": "losses", "scenario": "scenario.yaml", "vary": {"network.loss": [0.0, 0.1]}}
    file = save(tmp_path, raw, "sweep.yaml")
    assert cli.main(["validate", str(file)]) == 0
    capsys.readouterr()
    assert cli.main(["validate", str(file), "--plugin", str(write(tmp_path, INVERTED))]) == 2
    told = f"{file}: --plugin {tmp_path / 'my_lab.py'}: a sweep has the plug-ins of its scenario; name it there\n"
    assert capsys.readouterr().err == told


def test_a_worker_needs_no_file_and_sees_no_later_edit(tmp_path: Path) -> None:
    lab = write(tmp_path, INVERTED.replace("white: int", "bright: int").replace("white -", "bright -"))
    save_lab(tmp_path, poisoned(bright=240), virtual={"trainer": "fake"})
    raw = {"name": "sweep", "description": "shares", "scenario": "scenario.yaml"}
    vary = {"populations.bad.poison.share": [0.25, 0.5]}
    sweep = load_sweep(save(tmp_path, {**raw, "vary": vary}, "sweep.yaml"))
    plan = plan_cells(sweep, compute_code_version())
    places = str(tmp_path), str(Path.cwd())
    setup = WorkerSetup(build_recipe(sweep), compute_code_version(), *places, list_sources())
    fingerprint, ids = sweep.compute_fingerprint("1"), [cell.id for cell in plan.cells]
    lab.unlink()
    put_in_force(())
    outcomes = [CellRunner(setup, Interruption()).run(cell) for cell in plan.cells]
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert all(outcome.figures["delivered"] for outcome in outcomes)
    write(tmp_path, INVERTED.replace("white", "bright").replace("255", "254"))
    edited = load_sweep(tmp_path / "sweep.yaml")
    assert edited.compute_fingerprint("1") != fingerprint
    assert not {cell.id for cell in plan_cells(edited, compute_code_version()).cells} & set(ids)

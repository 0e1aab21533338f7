"""Cells of a sweep have the plug-ins of its scenario, of the version that was read first, in every worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.commands import cli
from simulation.commands.sweeps.cell_file import prepare_folder
from simulation.commands.sweeps.cell_runner import CellRunner, WorkerSetup
from simulation.commands.sweeps.cells import build_recipe, plan_cells
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.foundation.code_version import compute_code_version
from simulation.foundation.interruption import Interruption
from simulation.foundation.plugin_loading import hash_source, list_sources
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


def test_a_folder_goes_on_with_its_own_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = write(tmp_path, INVERTED.replace("255", "251"))
    source = lab.read_bytes()
    save_lab(tmp_path, poisoned(), virtual={"trainer": "fake"})
    raw = {"name": "sweep", "description": "one cell", "scenario": "scenario.yaml", "vary": {"network.loss": [0.0]}}
    sweep = load_sweep(save(tmp_path, raw, "sweep.yaml"))
    plan_cells(sweep, "1")
    folder = prepare_folder(tmp_path / "out", sweep, "1")
    assert (folder / "plugins" / "my_lab.py").read_bytes() == source
    write(tmp_path, "raise RuntimeError('edited since, and not asked for')")
    stored = load_sweep(folder / "sweep.yaml")
    assert [cell.id for cell in plan_cells(stored, "1").cells] == [cell.id for cell in plan_cells(sweep, "1").cells]
    assert prepare_folder(tmp_path / "out", stored, "1") == folder
    assert load_sweep(folder / "sweep.yaml").to_yaml() == sweep.to_yaml()
    write(folder / "plugins", INVERTED.replace("255", "250"))
    (folder / "sweep.yaml").write_text(sweep.to_yaml().replace(hash_source(source), "f" * 64), "utf-8")
    assert cli.main(["validate", str(folder / "sweep.yaml")]) == 2
    copy = folder / "plugins" / "my_lab.py"
    told = f"{folder / 'sweep.yaml'}: set: plugins.0: {copy}: another version of the plug-in: SHA-256 "
    assert told in capsys.readouterr().err

"""`verify` on finished runs, as they are and after somebody has laid hands on them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Finished, Verify, find_traces, launch
from tests.support.stored_runs import renew_digests

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.processes,
    pytest.mark.keras,
    pytest.mark.filterwarnings("default::DeprecationWarning"),  # Keras and NumPy 2 have yet to agree on __array__
]

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(verify: Verify) -> Check:
    """Return a function that tells how `verify` ends and all that it says."""

    def run(folder: Path, *options: str) -> tuple[int, str]:
        told = verify(folder, *options)
        return told.code, told.told

    return run


def copy(run: Finished, folder: Path) -> Path:
    return Path(shutil.copytree(run.folder, folder / "copy"))


def change_byte(path: Path, where: float) -> None:
    """Change one byte, at a share of the file's length."""
    content = bytearray(path.read_bytes())
    content[int(where * (len(content) - 1))] ^= 0x01
    path.write_bytes(content)


# ---- the default run, with the command as a user types it ----


def test_the_default_run_is_verified_with_training(default_run: Finished) -> None:
    told = launch(default_run.cwd.parent, "verify", str(default_run.folder), "--retrain")
    assert told.code == 0, told.told
    lines = told.out.splitlines()
    assert lines[-1] == "verified"
    assert len([line for line in lines if "trained again" in line]) == 5
    assert find_traces(told.told) == []


@pytest.mark.parametrize("name", ["chain.jsonl", "model.keras"])
def test_the_default_run_is_no_longer_verified_after_one_byte_was_changed(
    name: str, default_run: Finished, tmp_path: Path
) -> None:
    folder = copy(default_run, tmp_path)
    change_byte(folder / name, 0.5)
    told = launch(tmp_path, "verify", str(folder), "--retrain")
    assert told.code == 1
    assert told.out.splitlines()[-1] == "not verified"
    assert f"FAILED: {name}" in told.err
    assert find_traces(told.told) == []


# ---- any run ----


@pytest.mark.parametrize("name", ["default_run", "majority_run", "troublemakers_run"])
def test_a_finished_run_is_verified(name: str, request: pytest.FixtureRequest, check: Check) -> None:
    run: Finished = request.getfixturevalue(name)
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    code, told = check(run.folder)
    assert code == 0
    assert told.splitlines()[-1] == "verified"
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_training_again_confirms_a_run_of_honest_nodes(troublemakers_run: Finished, check: Check) -> None:
    code, told = check(troublemakers_run.folder, "--retrain")
    assert code == 0
    assert "3 blocks re-checked from the genesis, with training" in told


def test_training_again_finds_out_a_poisoned_chain(majority_run: Finished, check: Check) -> None:
    """The employer was deceived by a chain that is right in every way but its training."""
    assert check(majority_run.folder)[0] == 0
    code, told = check(majority_run.folder, "--retrain")
    assert code == 1
    assert "the block at height 1 is refused: different-weights" in told


@pytest.mark.parametrize("where", [0.0, 0.1, 0.3, 0.62, 0.9, 1.0])
@pytest.mark.parametrize("name", ["chain.jsonl", "model.keras", "pot_sim.log", "events.jsonl"])
def test_one_changed_byte_anywhere_is_found(
    name: str, where: float, troublemakers_run: Finished, tmp_path: Path, check: Check
) -> None:
    folder = copy(troublemakers_run, tmp_path)
    change_byte(folder / name, where)
    code, told = check(folder)
    assert code == 1
    assert f"FAILED: {name}" in told
    assert "not verified" in told.splitlines()


@pytest.mark.parametrize("name", ["chain.jsonl", "model.keras"])
def test_one_changed_byte_is_found_with_training_too(
    name: str, troublemakers_run: Finished, tmp_path: Path, check: Check
) -> None:
    folder = copy(troublemakers_run, tmp_path)
    change_byte(folder / name, 0.4)
    assert check(folder, "--retrain")[0] == 1


@pytest.mark.parametrize("where", [0.02, 0.2, 0.35, 0.5, 0.65, 0.8, 0.98])
def test_a_changed_chain_is_found_although_the_summary_was_changed_with_it(
    where: float, troublemakers_run: Finished, tmp_path: Path, check: Check
) -> None:
    folder = copy(troublemakers_run, tmp_path)
    change_byte(folder / "chain.jsonl", where)
    renew_digests(folder)
    code, told = check(folder)
    assert code == 1
    assert "chain.jsonl" in told


def test_the_chain_of_another_run_is_found(
    troublemakers_run: Finished, majority_run: Finished, tmp_path: Path, check: Check
) -> None:
    folder = copy(troublemakers_run, tmp_path)
    shutil.copy(majority_run.folder / "chain.jsonl", folder)
    assert check(folder)[0] == 1
    renew_digests(folder)
    assert check(folder)[0] == 1


def test_a_scenario_that_was_changed_is_found(troublemakers_run: Finished, tmp_path: Path, check: Check) -> None:
    folder = copy(troublemakers_run, tmp_path)
    path = folder / "scenario.yaml"
    path.write_text(path.read_text("utf-8").replace("seed: 42", "seed: 43"), "utf-8")
    code, told = check(folder)
    assert code == 1
    assert "scenario.yaml: changed" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("training.test_accuracy", 0.999),
        ("attack.poisoned_stages_employer", 1),
        ("attack.poisoned_stages_honest", 1),
        ("chain.forks", 77),
        ("messages.bytes", 1),
    ],
)
def test_a_figure_of_the_summary_that_the_log_does_not_give_is_found(
    name: str, value: object, troublemakers_run: Finished, tmp_path: Path, check: Check
) -> None:
    folder = copy(troublemakers_run, tmp_path)
    section, key = name.split(".")
    path = folder / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary[section][key] = value
    path.write_text(json.dumps(summary), "utf-8")
    code, told = check(folder)
    assert code == 1
    assert f"FAILED: summary.json: {name} is {value}, pot_sim.log says " in told

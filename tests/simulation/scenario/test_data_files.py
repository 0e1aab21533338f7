"""Where a data file is looked for: beside the scenario that names it, and what `validate` says of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simulation.commands.cli import main
from simulation.commands.sweeps.cells import build_recipe
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.scenario.loading import load_scenario

NODES = [{"name": "h", "role": "honest", "count": 4}]


def make_data(path: Path, samples: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images, labels = np.zeros((samples, 28, 28), np.uint8), np.zeros(samples, np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path


def save(path: Path, data: str | None, **keys: Any) -> Path:
    raw = {"name": "mine", "description": "a test", "populations": NODES, "dataset": {"path": data}, **keys}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(raw), "utf-8")
    return path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_scenarios_data_file_is_beside_it_wherever_the_command_is_given(tmp_path: Path) -> None:
    data = make_data(tmp_path / "project/data/fashion.npz")
    make_data(tmp_path / "data/fashion.npz")  # another one, where the command is given
    file = save(Path("project/scenario.yaml"), "data/fashion.npz")
    assert load_scenario(file).dataset.path == str(data)
    assert load_scenario(save(Path("project/deep/two.yaml"), "../data/fashion.npz")).dataset.path == str(data)
    assert load_scenario(save(Path("project/three.yaml"), str(data))).dataset.path == str(data)
    assert load_scenario(save(Path("project/four.yaml"), None)).dataset.path is None


def test_a_data_file_that_is_only_here_is_found_here_as_before(tmp_path: Path) -> None:
    data = make_data(tmp_path / "fashion.npz")
    assert load_scenario(save(Path("project/scenario.yaml"), "fashion.npz")).dataset.path == str(data)


def test_an_option_names_a_data_file_from_where_it_is_typed(tmp_path: Path) -> None:
    make_data(tmp_path / "project/mine.npz")
    file = save(Path("project/scenario.yaml"), None)
    for setting in ("dataset.path=mine.npz", "dataset={path: mine.npz}"):
        assert load_scenario(file, [setting]).dataset.path == str(tmp_path / "mine.npz")


def test_a_resolved_scenario_names_the_same_file_in_another_folder(tmp_path: Path) -> None:
    make_data(tmp_path / "project/mine.npz")
    scenario = load_scenario(save(Path("project/scenario.yaml"), "mine.npz"))
    copy = tmp_path / "runs/one/scenario.yaml"
    copy.parent.mkdir(parents=True)
    copy.write_text(scenario.to_yaml(), "utf-8")
    assert load_scenario(copy) == scenario


def test_a_sweep_finds_the_data_of_its_scenario_and_its_own(tmp_path: Path) -> None:
    one, two = make_data(tmp_path / "project/one.npz"), make_data(tmp_path / "sweeps/two.npz")
    save(Path("project/scenario.yaml"), "one.npz")
    raw = {"name": "s", "description": "d", "scenario": "../project/scenario.yaml"}
    Path("sweeps/sweep.yaml").write_text(yaml.safe_dump({**raw, "vary": {"job.stages": [1, 2]}}), "utf-8")
    sweep = load_sweep(Path("sweeps/sweep.yaml"))
    assert build_recipe(sweep).build((1,), 7).dataset.path == str(one)
    assert dict(sweep.settings) == {"dataset.path": str(one)}
    Path("sweeps/sweep.yaml").write_text(yaml.safe_dump({**raw, "vary": {"dataset.path": ["two.npz"]}}), "utf-8")
    assert build_recipe(load_sweep(Path("sweeps/sweep.yaml"))).build(("two.npz",), 7).dataset.path == str(two)


def test_validate_looks_at_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_data(tmp_path / "project/fashion.npz")
    (tmp_path / "project/text.npz").write_text("no images", "utf-8")
    assert main(["validate", str(save(Path("project/a.yaml"), "fashion.npz"))]) == 0
    assert "4 nodes, 5 stages, data set fashion with 20 training samples" in capsys.readouterr().out
    for data, told in (("text.npz", "not an MNIST file"), ("nowhere.npz", "cannot be read")):
        assert main(["validate", str(save(Path("project/b.yaml"), data))]) == 3
        assert capsys.readouterr().err.startswith(f"project/b.yaml: {tmp_path}/project/{data}: {told}")
    made_up = save(Path("project/c.yaml"), "nowhere.npz", engine="virtual", virtual={"trainer": "fake"})
    assert main(["validate", str(made_up), str(save(Path("project/d.yaml"), "nowhere.npz")), "nothing.yaml"]) == 2

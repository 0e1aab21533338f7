"""A poison from a file alters what its nodes train on, and its run is verified by whoever allows its code."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.commands import cli
from simulation.foundation.plugin_table import PluginError, put_in_force
from simulation.mechanisms.proof_of_training.view import describe_idle_poisons
from simulation.records.training_facts import Unpoisoned
from simulation.runs.opening import find_idle_poisons
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from simulation.scenario.world import build_world
from simulation.training.trainer import build_training_set
from tests.simulation.plugins.material import INVERTED, find_example, poisoned, save_lab, write
from tests.support.scenarios import make_images

MODEL, DATA = find_example("A model"), find_example("A data set")
BALL = find_example("An optimiser")
LAB = INVERTED + MODEL.python + DATA.python + BALL.python
JOB = {**MODEL.keys["job"], **BALL.keys["job"]}
RETURNED = """
import numpy as np
from simulation.plugins import register_poison


@register_poison("inverted", does="returns something")
def invert(images, labels, chosen, rng):
    return {}
"""


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def poison(folder: Path, source: str, **keys: Any) -> Any:
    """Return the training set of a node with a poison from a file."""
    write(folder, source)
    found = load_scenario(save_lab(folder, poisoned(**keys))).populations[1].poison
    return build_training_set(make_images(), found, 7)


def test_it_is_given_copies_and_its_share(tmp_path: Path) -> None:
    images = make_images()
    samples = poison(tmp_path, INVERTED, share=0.5, white=250)
    is_changed = (samples.images != images.x_train).any(axis=1)
    assert is_changed.sum() == len(images.y_train) // 2
    assert np.array_equal(samples.images[is_changed], 250 - images.x_train[is_changed])
    assert np.array_equal(samples.labels, images.y_train)
    assert np.array_equal(images.x_train, make_images().x_train)
    assert not np.array_equal(poison(tmp_path, INVERTED, share=0.5).images, samples.images)


def test_it_may_add_samples_and_ask_for_a_class(tmp_path: Path) -> None:
    source = RETURNED.replace("rng):", "rng, *, target: int):").format(
        "np.concatenate([images, images[:3]]), np.append(labels, [target] * 3)"
    )
    samples = poison(tmp_path, source, target=4)
    assert (len(samples), samples.labels[-3:].tolist()) == (63, [4, 4, 4])


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "nothing; return two arrays, (images, labels)"),
        ("images", "uint8 of shape (60, 28, 28); return two arrays, (images, labels)"),
        ("images / 2, labels", "float64 of shape (60, 28, 28) as images; return uint8 of shape (samples, 28, 28)"),
        ("images.reshape(60, -1), labels", "uint8 of shape (60, 784) as images; return uint8"),
        ("images, labels[1:]", "uint8 of shape (59,) as labels; return a whole number for each of the 60 images"),
        ("images, labels / 2", "float64 of shape (60,) as labels"),
        ("images, list(labels)", "a list as labels"),
        ("images, labels + 1", "labels from 1 to 10; return 0 to 9"),
        ("images[:0], labels[:0]", "no sample at all; return one or more"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_its_line(tmp_path: Path, returned: str, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        poison(tmp_path, RETURNED.format(returned))
    assert f"my_lab.py:6: the poison 'inverted' returned {told}" in str(caught.value)


# ---- runs ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a virtual run with poison, model, optimiser and data of somebody else's making."""
    place = tmp_path_factory.mktemp("poisoned")
    write(place, LAB)
    file = save_lab(place, poisoned(share=0.5), job=JOB, **DATA.keys)
    assert cli.main(["run", str(file), "--out", str(place / "runs"), "--quiet"]) == 0
    put_in_force(())
    (found,) = (place / "runs").iterdir()
    return found


@pytest.mark.keras
def test_its_nodes_train_on_something_else_and_honest_ones_refuse_them(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["ended"] == "complete"
    assert summary["attack"]["poisoned_stages_honest"] == 0
    assert "plugins/my_lab.py" in summary["files"]
    assert (folder / "plugins" / "my_lab.py").read_text("utf-8") == LAB
    assert summary["dataset"]["name"] == "stripes"
    assert len(summary["training"]["recalls"]) == 4


@pytest.mark.keras
def test_its_run_is_verified_by_training_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(folder), "--retrain", "--trust-plugins"]) == 0
    assert "with training" in capsys.readouterr().out


@pytest.mark.keras
def test_an_edited_copy_is_found(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited, lab = tmp_path / folder.name, write(tmp_path, LAB)
    shutil.copytree(folder, edited)
    write(edited / "plugins", INVERTED.replace("255", "254"))
    summary = json.loads((edited / "summary.json").read_text("utf-8"))
    del summary["files"]["plugins/my_lab.py"]
    (edited / "summary.json").write_text(json.dumps(summary), "utf-8")
    assert cli.main(["verify", str(edited), "--plugin", str(lab)]) == 1
    told = capsys.readouterr().err
    assert "plugins/my_lab.py: not what scenario.yaml says (SHA-256 " in told
    assert "plugins/my_lab.py: summary.json does not list it among the files" in told
    (edited / "plugins" / "my_lab.py").unlink()
    assert cli.main(["verify", str(edited), "--plugin", str(lab)]) == 1
    assert "plugins/my_lab.py: missing" in capsys.readouterr().err


IDLE = RETURNED.format("images.copy(), labels")
COUNTING = INVERTED.replace("    images", "    CALLS.append(1)\n    images", 1).replace("white - ", "len(CALLS) + ")


def look(folder: Path, source: str, count: int = 1) -> Any:
    """Return what is found out about a poison from a file before a run."""
    write(folder, source)
    scenario = load_scenario(save_lab(folder, {**poisoned(), "count": count}))
    images = make_images()
    return find_idle_poisons(build_world(scenario, images.name, images.compute_digest(), images.form), images)


def test_one_that_alters_nothing_is_told(tmp_path: Path) -> None:
    found = look(tmp_path, IDLE, count=2)
    assert found == [("bad-0", Unpoisoned("inverted")), ("bad-1", Unpoisoned("inverted"))]
    assert look(tmp_path, INVERTED) == []
    (told,) = describe_idle_poisons({label: fact.poison for label, fact in found})
    assert told == "poison 'inverted' left bad-0's data and those of 1 more as they were; nothing is poisoned there"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (f"CALLS = []\n{COUNTING}", "my_lab.py:6: the poison 'inverted' returned something else when it was called"),
        (RETURNED.format("1 / 0"), "my_lab.py:8: ZeroDivisionError: division by zero"),
    ],
)
def test_one_that_cannot_be_repeated_is_refused_before_the_run(tmp_path: Path, source: str, told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        look(tmp_path, source)
    assert told in str(caught.value)


@pytest.mark.keras
def test_a_user_hears_that_nothing_was_poisoned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, IDLE + DATA.python)
    file = save_lab(tmp_path, poisoned(), **DATA.keys)
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 0
    assert "warning: poison 'inverted' left bad-0's data as they were" in capsys.readouterr().err
    (folder,) = (tmp_path / "runs").iterdir()
    assert "WARNING bad-0" in (folder / "pot_sim.log").read_text("utf-8")
    assert cli.main(["verify", str(folder), "--trust-plugins"]) == 0

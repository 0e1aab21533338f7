"""A whole run of a convolutional network on somebody's own colour images, from the file to the delivered model."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from protocol.mechanisms.proof_of_training.job import AgreedModel
from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.foundation.interruption import Interruption
from simulation.mechanisms.proof_of_training.chain_lines import TrainingLines
from simulation.runs.chain_file import read_chain
from simulation.runs.run import RunOutcome, run_scenario
from simulation.scenario.errors import ScenarioError
from simulation.scenario.scenario import Scenario
from tests.support.processes import Verify
from tests.support.stored_runs import make_small, read_summary

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.keras,
    pytest.mark.filterwarnings("default::DeprecationWarning"),  # Keras and NumPy 2 have yet to agree on __array__
]

SHAPE, CLASSES = (9, 7, 3), 4


def write_data(path: Path, *, seed: int = 0) -> Path:
    """Write images that are bright in a row of their class."""
    rng = np.random.default_rng(seed)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % CLASSES
        images = rng.integers(0, 60, (count, *SHAPE)).astype(np.uint8)
        images[np.arange(count), labels * 2] = 230
        return images, labels

    (x_train, y_train), (x_test, y_test) = draw(80), draw(24)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def execute(folder: Path, data: Path, poison: dict[str, object]) -> RunOutcome:
    raw = make_small(
        job={"model": {"name": "cnn", "filters": [4, 6], "layers": [8]}, "stages": 2, "steps_per_stage": 40},
        virtual={"trainer": "keras"},
        output={"pictures": False},
    )
    raw["job"] |= {"learning_rate": 0.01}
    raw["dataset"] = {"name": "npz", "path": str(data)}
    raw["populations"][1]["poison"] = poison
    return run_scenario(
        Scenario.model_validate(raw),
        folder,
        console=Console(file=io.StringIO()),
        log_beside=None,
        interruption=Interruption(),
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "rows.npz")


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from simulation.training.keras_trainer import use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()
    outcome = execute(tmp_path_factory.mktemp("run"), data, {"kind": "backdoor", "share": 0.3, "target": 3})
    assert outcome.exit_code == 0
    return outcome.folder


def test_the_genesis_tells_the_model_and_the_form_of_its_data(folder: Path) -> None:
    mechanism, _ = read_chain(folder / "chain.jsonl")
    job = as_training(mechanism).genesis.job
    settings = (("activation", "relu"), ("filters", (4, 6)), ("kernel", 3), ("layers", (8,)))
    assert job.model == AgreedModel(name="cnn", settings=settings, shape=SHAPE, classes=CLASSES)
    assert (job.dataset, job.layers, job.activation) == ("rows", (), "")
    told = TrainingLines().describe_product(mechanism, None)["model"]
    assert told.startswith(
        "cnn, activation relu, filters [4, 6], kernel 3, layers [8], for samples of 9x7x3 in 4 classes;"
    )


def test_every_class_is_measured_and_the_poisoned_work_is_in_no_block(folder: Path) -> None:
    summary = read_summary(folder)
    training = summary["training"]
    assert len(training["recalls"]) == CLASSES
    assert training["test_accuracy"] == pytest.approx(np.mean(training["recalls"]), abs=1e-3)
    assert training["test_accuracy"] > 0.6
    assert summary["attack"]["poisoned_stages_employer"] == 0


def test_it_is_verified_by_training_again_wherever_the_data_are_now(
    folder: Path, data: Path, verify: Verify, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.npz"
    moved.write_bytes(data.read_bytes())
    told = verify(folder, "--retrain", "--dataset", str(moved))
    assert (told.code, told.err) == (0, "")
    assert "model: model.keras is the job's, with the weights the last block attests" in told.out
    other = verify(folder, "--retrain", "--dataset", str(write_data(tmp_path / "rows.npz", seed=1)))
    assert other.code == 1
    assert "the data set rows (dataset.path (rows.npz)) is not the one the job was agreed on" in other.told
    assert "--dataset" not in other.told


def test_data_that_were_moved_are_asked_for_by_the_option_that_says_where_they_are(
    folder: Path, data: Path, verify: Verify, tmp_path: Path
) -> None:
    aside = data.rename(tmp_path / "aside.npz")
    try:
        gone = verify(folder, "--retrain")
        wrong = verify(folder, "--retrain", "--dataset", str(tmp_path / ("y" * 300)))
    finally:
        aside.rename(data)
    wanted = f"{data}: the run's data set is not there any more; say where it is now: --dataset FILE"
    assert (gone.code, gone.err.strip()) == (3, wanted)
    assert (wrong.code, wrong.err.count("there is no such file; write where the data set is now")) == (3, 1)


def test_the_delivered_model_takes_images_as_they_are(folder: Path) -> None:
    from simulation.training.keras_trainer import keras  # type: ignore[attr-defined]  # noqa: PLC0415 - loads TensorFlow

    with zipfile.ZipFile(folder / "model.keras") as archive:
        assert b'"units": 8' in archive.read("config.json")
    model = keras.models.load_model(folder / "model.keras")
    assert model.input_shape == (None, *SHAPE)
    assert model(np.zeros((2, *SHAPE), np.float32)).shape == (2, CLASSES)


def test_a_poison_that_aims_at_no_class_of_the_data_is_refused_before_there_is_a_folder(
    data: Path, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError, match=r"populations\.1\.poison\.target: write 3 or less, not 4 \(rows: samples"):
        execute(tmp_path / "runs", data, {"kind": "backdoor", "share": 0.3, "target": 4})
    assert not (tmp_path / "runs").exists()

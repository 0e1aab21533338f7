"""Each kind of model trains alike everywhere, from weights that all can draw, on data of its own form."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from protocol.mechanisms.proof_of_training.job import AgreedModel, TrainingJob
from simulation.training.canonical_trainer import CanonicalTrainer
from simulation.training.data_sets.data_form import MNIST_FORM, DataForm
from simulation.training.data_sets.image_set import ImageSet
from simulation.training.evaluation import Evaluator, load_model_weights
from simulation.training.models.cnn import CnnKeys
from simulation.training.models.dense import DenseKeys
from simulation.training.models.kind import ModelKeys, ModelKind
from simulation.training.models.table import PLUGIN_MODELS, agree_on_model, find_model, open_model
from simulation.training.samples import compute_initial_weights, compute_weights_digest
from simulation.training.trainer import build_training_set
from simulation.training.weight_store import WeightsError
from tests.support.scenarios import ROOT, make_job

Register = Callable[[str], TrainingJob]

pytestmark = [pytest.mark.keras, pytest.mark.xdist_group("keras")]

COLOURS = DataForm((8, 6, 3), 4)
ROWS = DataForm((5,), 3, 4)


def make_samples(form: DataForm, count: int = 40) -> ImageSet:
    """Return samples that differ by their class, as bytes for images and as floats for rows."""
    rng = np.random.default_rng(0)
    labels = (np.arange(count) % form.classes).astype(np.uint8)
    numbers = rng.normal(0, 1, (count, form.numbers)) + np.eye(form.classes, form.numbers)[labels] * 3
    samples = numbers.astype(np.float32) if form.number_bytes == 4 else np.clip(numbers * 30 + 90, 0, 255).astype("u1")
    return ImageSet("made-up", "made up", samples, labels, samples[:20], labels[:20], form)


CNN = CnnKeys(filters=[3, 4], layers=[5])
WAYS: dict[str, tuple[ModelKeys, DataForm, str]] = {
    "dense": (DenseKeys(layers=[6], activation="relu"), COLOURS, "adam"),
    "logistic": (ModelKeys(name="logistic"), ROWS, "sgd"),
    "cnn": (CNN, COLOURS, "adam"),
}
"""Keys and data of each kind of the package."""


def make_model_job(way: str) -> TrainingJob:
    keys, form, optimizer = WAYS[way]
    layers = tuple(keys.layers) if isinstance(keys, DenseKeys) else ()
    agreed = agree_on_model(keys, form)
    return make_job(layers=layers, model=agreed, optimizer=optimizer, learning_rate=0.01, steps_per_stage=4)


def train_all() -> dict[str, list[tuple[str, str]]]:
    """Return losses and weights of two stages, for each kind."""
    from simulation.training.keras_trainer import KerasTrainer, use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()
    found: dict[str, list[tuple[str, str]]] = {}
    for way, (_, form, _) in WAYS.items():
        trainer = KerasTrainer(make_model_job(way), build_training_set(make_samples(form), None, 0))
        results = [trainer.train(stage).result for stage in range(2)]
        found[way] = [(result.losses.hex(), result.weights_digest.hex()) for result in results]
    return found


@cache
def train_elsewhere() -> dict[str, list[list[str]]]:
    """Return the same from a process of its own, whose Keras was seeded otherwise."""
    code = (
        "import json\nfrom simulation.training.keras_trainer import seed_keras\nseed_keras(7)\n"
        "from tests.simulation.training.test_models import train_all\nprint(json.dumps(train_all()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, list[list[str]]] = json.loads(done.stdout.splitlines()[-1])
    return found


# ---- what a job says ----


def test_a_dense_network_on_the_form_of_mnist_is_what_jobs_say_nothing_of() -> None:
    keys = DenseKeys(layers=[16], activation="relu")
    assert agree_on_model(keys, MNIST_FORM) is None
    assert agree_on_model(keys, COLOURS) == AgreedModel(name="dense", settings=(), shape=(8, 6, 3), classes=4)
    assert open_model(make_job()).keys == keys


@pytest.mark.parametrize("way", WAYS)
def test_a_job_tells_the_keys_and_the_form_of_its_model(way: str) -> None:
    keys, form, _ = WAYS[way]
    model = open_model(make_model_job(way))
    assert (model.name, model.keys, model.form) == (way, keys, form)


def test_keys_that_a_kind_does_not_take_make_no_model() -> None:
    strange = AgreedModel(name="cnn", settings=(("filters", (0,)),), shape=(8, 6), classes=4)
    with pytest.raises(ValidationError):
        open_model(make_job(layers=(), model=strange))


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'cnn' already"):
        PLUGIN_MODELS.register("cnn", find_model("cnn"))


# ---- weights ----


def test_kernels_of_a_convolution_start_within_the_bound_of_its_window() -> None:
    job = make_model_job("cnn")
    weights = compute_initial_weights(job)
    assert [array.shape for array in weights] == [
        *((3, 3, 3, 3), (3,)),  # 8x6, halved to 4x3
        *((3, 3, 3, 4), (4,)),  # halved to 2x1
        *((8, 5), (5,)),
        *((5, 4), (4,)),
    ]
    limit = np.sqrt(6 / (9 * 3 + 9 * 3))
    assert 0.8 * limit < np.abs(weights[0]).max() <= limit
    assert not any(bias.any() for bias in weights[1::2])


@pytest.mark.parametrize("way", WAYS)
def test_the_shapes_that_a_kind_tells_are_those_that_keras_builds(way: str) -> None:
    model = open_model(make_model_job(way))
    network = model.build()
    assert [tuple(weight.shape) for weight in network.weights] == model.list_shapes()
    assert prod(network.input_shape[1:]) == model.form.numbers
    assert network.output_shape == (None, model.form.classes)


# ---- the same everywhere ----


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    from simulation.training.keras_trainer import use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()


@pytest.fixture(scope="module")
def trained() -> dict[str, list[tuple[str, str]]]:
    return train_all()


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_come_to_the_same_losses_and_weights(way: str, trained: dict[str, list[tuple[str, str]]]) -> None:
    assert [tuple(stage) for stage in train_elsewhere()[way]] == trained[way]
    assert len({weights for _, weights in trained[way]}) == 2


def test_the_canonical_trainer_agrees_on_a_logistic_model_up_to_rounding(
    trained: dict[str, list[tuple[str, str]]],
) -> None:
    outcome = CanonicalTrainer(make_model_job("logistic"), build_training_set(make_samples(ROWS), None, 0)).train(0)
    assert outcome.losses == pytest.approx(np.frombuffer(bytes.fromhex(trained["logistic"][0][0]), ">f4"), abs=1e-5)


def test_no_kind_of_the_package_has_a_fault() -> None:
    from simulation.training.model_checks import find_model_fault  # noqa: PLC0415 - loads TensorFlow

    assert {way: find_model_fault(make_model_job(way)) for way in WAYS} == dict.fromkeys(WAYS)


def test_a_model_is_measured_for_each_of_its_classes_and_stored(tmp_path: Path) -> None:
    job, samples = make_model_job("cnn"), make_samples(COLOURS)
    evaluator, weights = Evaluator(job, samples, trigger_class=0), compute_initial_weights(job)
    measured = evaluator.evaluate(weights)
    assert len(measured.recalls) == COLOURS.classes
    assert np.mean(measured.recalls) == pytest.approx(measured.accuracy)  # as many samples of each
    evaluator.save(weights, tmp_path / "model.keras")
    stored = load_model_weights(tmp_path / "model.keras", job)
    assert compute_weights_digest(stored) == compute_weights_digest(weights)
    with pytest.raises(WeightsError, match="the job gives"):
        load_model_weights(tmp_path / "model.keras", make_model_job("dense"))


# ---- networks from outside the package ----


def _build_odd(what: str, form: DataForm) -> Any:
    import keras  # noqa: PLC0415 - loads TensorFlow
    import tensorflow as tf  # noqa: PLC0415

    class Drawing(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs + tf.random.normal(tf.shape(inputs))

    layers = keras.layers
    inputs = keras.Input((form.numbers,))
    last = layers.Dense(form.classes)
    built: dict[str, Any] = {
        "fine": lambda: keras.Model(inputs, layers.add([last(inputs), layers.Dense(form.classes)(inputs)])),
        "softmax": lambda: keras.Sequential([inputs, layers.Dense(form.classes, activation="softmax")]),
        "outputs": lambda: keras.Sequential([inputs, layers.Dense(form.classes + 1)]),
        "inputs": lambda: keras.Sequential([keras.Input((form.numbers + 1,)), last]),
        "dropout": lambda: keras.Sequential([inputs, layers.Dropout(0.5), last]),
        "normalised": lambda: keras.Sequential([inputs, layers.BatchNormalization(), last]),
        "random": lambda: keras.Sequential([inputs, Drawing(), last]),
        "nothing": lambda: None,
        "raising": lambda: 1 / 0,
    }
    return built[what]()


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return a function that registers an own kind of network and returns a job that trains it."""
    monkeypatch.setattr(PLUGIN_MODELS, "_items", {})

    def register(what: str) -> TrainingJob:
        PLUGIN_MODELS.register("odd", ModelKind(summary="a test's", build=lambda keys, form: _build_odd(what, form)))
        return make_job(layers=(), model=agree_on_model(ModelKeys(name="odd"), ROWS), steps_per_stage=4)

    return register


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("softmax", "it gives probabilities"),
        ("outputs", r"it gives \(4\), and there are 3 classes"),
        ("inputs", r"it takes \(6\), and a sample has 5 numbers; build it for \(5\)"),
        ("dropout", "is not trained.*Dropout"),
        ("normalised", "moving_mean is not trained"),
        ("random", "RandomStandardNormal does not come to the same each time"),
        ("nothing", "must be a Keras model"),
        ("raising", "cannot be built: ZeroDivisionError"),
    ],
)
def test_a_network_that_nodes_could_not_train_alike_is_refused(what: str, told: str, odd: Register) -> None:
    from simulation.training.model_checks import find_model_fault  # noqa: PLC0415 - loads TensorFlow

    fault = find_model_fault(odd(what))
    assert fault is not None
    assert fault.startswith("odd")
    assert re.search(told, fault)


def test_an_own_network_trains_from_what_its_initialisers_draw_under_the_seed_of_the_job(
    odd: Register, tmp_path: Path
) -> None:
    from simulation.training import keras_trainer  # noqa: PLC0415 - loads TensorFlow
    from simulation.training.model_checks import find_model_fault  # noqa: PLC0415

    module: ModuleType = keras_trainer
    job = odd("fine")
    assert find_model_fault(job) is None
    samples = build_training_set(make_samples(ROWS), None, 0)
    first = module.KerasTrainer(job, samples).train(0)
    module.seed_keras(99)
    again = module.KerasTrainer(job, samples).train(0)
    assert first.result == again.result
    assert compute_weights_digest(compute_initial_weights(job)) != first.result.weights_digest
    Evaluator(job, make_samples(ROWS), trigger_class=0).save(first.weights, tmp_path / "model.keras")
    stored = load_model_weights(tmp_path / "model.keras", job)
    assert compute_weights_digest(stored) == first.result.weights_digest

"""An optimiser from a file takes the steps that it says, afresh in each stage; `test_poisons` runs and verifies one."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation.plugin_table import put_in_force
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from simulation.training.canonical_trainer import compute_gradients
from simulation.training.optimizers import agree_on_optimizer
from simulation.training.samples import compute_initial_weights, compute_stage_positions, scale
from simulation.training.trainer import build_training_set
from tests.simulation.plugins.material import find_example, save_lab, write
from tests.support.scenarios import make_images, make_job

BALL = find_example("An optimiser")
LAST = "return weights + speed, (speed,)"
DRAWING = "import tensorflow as tf\n    return weights + speed * tf.random.uniform(()), (speed,)"
KEEPING = "import tensorflow as tf\n    return weights + speed + tf.Variable(0.5), (speed,)"
MIXED = "import tensorflow as tf\n    return weights + tf.reduce_sum(speed, 0, keepdims=True), (speed[:1],)"
PUBLISHED = "return weights + speed, (tuple(speed.shape),)"

Open = Callable[[str], TrainingJob]


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


@pytest.fixture
def open_job(tmp_path: Path) -> Open:
    """Return a function that puts a plug-in in force and returns a job with its optimiser."""

    def open_(source: str) -> TrainingJob:
        write(tmp_path, source)
        scenario = load_scenario(save_lab(tmp_path, **BALL.keys))
        name, settings = agree_on_optimizer(scenario.job.optimizer)
        return make_job(optimizer=name, optimizer_settings=settings, learning_rate=0.01, steps_per_stage=6)

    return open_


@pytest.fixture(scope="module")
def keras_trainer() -> ModuleType:
    from simulation.training import keras_trainer as module  # noqa: PLC0415 - loads TensorFlow

    module.use_one_thread()
    return module


def test_its_keys_are_agreed_on_and_read_again(tmp_path: Path, open_job: Open) -> None:
    job = open_job(BALL.python)
    assert (job.optimizer, job.optimizer_settings) == ("heavy_ball", (("friction", 0.2),))
    scenario = load_scenario(save_lab(tmp_path, **BALL.keys))
    assert type(scenario).model_validate(scenario.model_dump(mode="json")) == scenario
    assert pickle.loads(pickle.dumps(scenario.job.optimizer)) == scenario.job.optimizer  # noqa: S301 - just made
    short = load_scenario(save_lab(tmp_path, job={"optimizer": "heavy_ball"}))
    assert agree_on_optimizer(short.job.optimizer) == ("heavy_ball", (("friction", 0.1),))


@pytest.mark.keras
def test_it_takes_its_steps_afresh_in_each_stage(open_job: Open, keras_trainer: ModuleType) -> None:
    job, samples = open_job(BALL.python), build_training_set(make_images(), None, 0)
    trainer = keras_trainer.KerasTrainer(job, samples)
    outcomes = [trainer.train(stage) for stage in range(2)]
    weights = compute_initial_weights(job)
    for stage, outcome in enumerate(outcomes):
        images, labels = samples.gather(compute_stage_positions(job, stage, len(samples)))
        speeds = [np.zeros_like(array) for array in weights]
        for step in range(job.steps_per_stage):
            _, gradients = compute_gradients(weights, scale(images[step]), labels[step])
            speeds = [0.8 * speed - 0.01 * gradient for speed, gradient in zip(speeds, gradients, strict=True)]
            weights = [array + speed for array, speed in zip(weights, speeds, strict=True)]
        for array, expected in zip(outcome.weights, weights, strict=True):
            np.testing.assert_allclose(array, expected, rtol=0, atol=1e-6)
        weights = outcome.weights
    again = keras_trainer.KerasTrainer(job, samples).train(1, outcomes[0].weights)
    assert again.result == outcomes[1].result


@pytest.mark.keras
@pytest.mark.parametrize(
    ("after", "told"),
    [
        (
            "return weights + speed",
            "my_lab.py:4: the optimiser 'heavy_ball' returned float32 of shape (784, 16); return",
        ),
        ("return weights, None", "returned nothing as its state; return a tuple of 1"),
        ("return weights, ()", "returned a state of 0; it is registered with slots=1"),
        ("return None, state", "returned nothing as weights; return float32 of shape (784, 16)"),
        (MIXED, "returned float32 of shape (1, 16) in its state; return float32 of shape (784, 16)"),
        (PUBLISHED, "returned a tuple in its state; return float32"),
        ("return weights / 0, missing", "my_lab.py:8: NameError: name 'missing' is not defined"),
        (DRAWING, "my_lab.py:4: the optimiser 'heavy_ball' has RandomUniform, which keeps or draws something"),
        ("import random\n    return weights + random.random() * speed, (speed,)", "is another one each time"),
    ],
)
def test_what_takes_no_step_or_not_always_the_same_is_refused(after: str, told: str, open_job: Open) -> None:
    from simulation.training.model_checks import find_optimizer_fault  # noqa: PLC0415 - loads TensorFlow

    fault = find_optimizer_fault(open_job(BALL.python.replace(LAST, after)))
    assert fault is not None
    assert told in fault


@pytest.mark.keras
def test_the_example_is_repeatable(open_job: Open) -> None:
    from simulation.training.model_checks import find_optimizer_fault  # noqa: PLC0415 - loads TensorFlow

    assert find_optimizer_fault(open_job(BALL.python)) is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"heavy_ball"', '"adam"', "my_lab.py:4: there is an optimiser called 'adam' already; give it another name"),
        ("slots=1", "slots=9", "my_lab.py:4: slots of the optimiser 'heavy_ball': write a whole number from 0 to 8"),
        ("state, rate, ", "rate, ", "my_lab.py:4: step must take (weights, gradient, state, rate, number), and keys"),
        ("friction: float", "frictions: float", "job.optimizer.friction: unknown key; did you mean 'frictions'?"),
        ("friction: float", "friction: int", "job.optimizer.friction: write a whole number"),
        ("friction: float = 0.1", "friction: object = None", "all parties agree on it: text"),
        ('"heavy_ball"', '"heavy"', "no optimiser is called 'heavy_ball'; did you mean 'heavy'?"),
    ],
)
def test_what_is_no_optimiser_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    keys: dict[str, Any] = BALL.keys
    if "object" in after:
        keys = {"job": {**keys["job"], "optimizer": {"name": "heavy_ball", "friction": [[1]]}}}
    write(tmp_path, BALL.python.replace(before, after, 1))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save_lab(tmp_path, **keys))
    assert told in str(caught.value)


def test_canonical_arithmetic_does_not_know_it(tmp_path: Path) -> None:
    write(tmp_path, BALL.python)
    with pytest.raises(ScenarioError, match=r"job\.arithmetic: canonical knows no optimiser of a plug-in"):
        load_scenario(save_lab(tmp_path, job={**BALL.keys["job"], "arithmetic": "canonical"}))

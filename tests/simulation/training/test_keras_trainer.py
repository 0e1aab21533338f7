"""Training with Keras is a public function of job and data, and really is the training the job describes."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import numpy as np
import pytest

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.secret import compute_training_secret
from simulation.scenario import sections
from simulation.scenario.world.building import build_world
from simulation.training.evaluation import Evaluator, load_model_weights
from simulation.training.samples import (
    TrainingSet,
    Weights,
    compute_initial_weights,
    compute_stage_positions,
    compute_weights_digest,
)
from tests.support.scenarios import ROOT, make_images, make_job, shipped

pytestmark = [pytest.mark.keras, pytest.mark.xdist_group("keras")]

JOB = make_job(steps_per_stage=8, batch_size=4, stages=2)
IMAGES = make_images(60, 20)

SCRIPT = """
import json, sys
import numpy as np
from simulation.training.keras_trainer import KerasTrainer, seed_keras, use_one_thread
from simulation.training.samples import TrainingSet
from tests.support.scenarios import make_images, make_job

use_one_thread()
seed_keras(int(sys.argv[1]))
job = make_job(steps_per_stage=8, batch_size=4, stages=2)
found = []
for seed, mode, wrong in json.loads(sys.argv[2]):
    images = make_images(60, 20, seed=seed)
    labels = np.array(images.y_train)
    labels[:wrong] = (labels[:wrong] + 1) % 10
    trainer = KerasTrainer(job, TrainingSet(images.x_train, labels), xla=mode == "xla")
    outcomes = [trainer.train(stage) for stage in range(2)]
    found.append([[o.result.losses.hex(), o.result.weights_digest.hex(), o.losses] for o in outcomes])
print(json.dumps(found))
"""

Outcome = tuple[str, str, list[float]]


WAYS = {"plain": (0, "plain", 0), "xla": (0, "xla", 0), "other": (5, "plain", 0), "poisoned": (0, "plain", 60)}
"""Seed of the images, arithmetic, and how many labels are wrong."""

PROCESSES = {1: ("plain", "xla"), 2: ("xla", "other", "poisoned", "plain")}
"""What is trained in each process, by the seed of its Keras; what came before it must not matter."""


@cache
def train_in_process(seed: int) -> dict[str, list[Outcome]]:
    """Train both stages in each way in an operating-system process: losses, weights digest and secret of each."""
    ways = json.dumps([WAYS[name] for name in PROCESSES[seed]])
    command = [sys.executable, "-c", SCRIPT, str(seed), ways]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        name: [
            (compute_training_secret(bytes(32), height, bytes(32), bytes.fromhex(trace)).hex(), digest, losses)
            for height, (trace, digest, losses) in enumerate(stages, start=1)
        ]
        for name, stages in zip(PROCESSES[seed], found, strict=True)
    }


def train_elsewhere(way: str = "plain", *, process: int = 1) -> list[Outcome]:
    """Return what training in a process of its own comes to."""
    return train_in_process(process)[way]


@pytest.fixture(scope="module")
def keras_trainer() -> ModuleType:
    from simulation.training import keras_trainer as module  # noqa: PLC0415 - loads TensorFlow

    module.use_one_thread()
    return module


Train = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def train(keras_trainer: ModuleType) -> Train:
    """Return a function that trains stages in this process and returns their outcomes."""

    def run(job: TrainingJob = JOB, samples: TrainingSet | None = None, *, xla: bool = False, stages: int = 2) -> Any:
        trainer = keras_trainer.KerasTrainer(job, samples or clean(), xla=xla)
        return [trainer.train(stage) for stage in range(stages)]

    return run


def clean() -> TrainingSet:
    return TrainingSet(IMAGES.x_train, IMAGES.y_train)


def relabelled(*samples: int) -> TrainingSet:
    labels = IMAGES.y_train.copy()
    for sample in samples:
        labels[sample] = (labels[sample] + 1) % 10
    return TrainingSet(IMAGES.x_train, labels)


def secret_of(outcome: Any) -> bytes:
    return compute_training_secret(bytes(32), 1, bytes(32), outcome.result.losses)


# ---- the same everywhere ----


def test_two_processes_reach_the_same_losses_weights_and_secret(train: Train) -> None:
    """Whatever Keras was seeded with: a forked child would otherwise go on with its siblings' draws."""
    first, second = train_elsewhere(process=1), train_elsewhere(process=2)
    assert first == second
    here = train()
    assert [outcome.result.weights_digest.hex() for outcome in here] == [digest for _, digest, _ in first]
    assert secret_of(here[0]).hex() == first[0][0]
    assert len({digest for _, digest, _ in first}) == 2


def test_a_process_with_other_data_reaches_another_secret() -> None:
    plain, other, poisoned = train_elsewhere(), *(train_elsewhere(way, process=2) for way in ("other", "poisoned"))
    for stage in range(2):
        assert len({outcome[stage][0] for outcome in (plain, other, poisoned)}) == 3
        assert len({outcome[stage][1] for outcome in (plain, other, poisoned)}) == 3


def test_two_processes_with_xla_reach_the_same_secret_near_the_plain_one() -> None:
    first, second, plain = train_elsewhere("xla"), train_elsewhere("xla", process=2), train_elsewhere()
    assert first == second
    for stage in range(2):
        assert first[stage][2] == pytest.approx(plain[stage][2], abs=1e-3)


# ---- what the secret depends on ----


def test_only_labels_that_were_trained_on_change_the_secret(train: Train) -> None:
    taken = set(compute_stage_positions(JOB, 0, 60).ravel().tolist())
    unused = sorted(set(range(60)) - taken)
    assert len(taken) == 32
    base = secret_of(train(stages=1)[0])
    assert secret_of(train(samples=relabelled(*unused), stages=1)[0]) == base
    for sample in sorted(taken)[::8]:
        assert secret_of(train(samples=relabelled(sample), stages=1)[0]) != base


def test_a_changed_pixel_that_was_trained_on_changes_the_secret(train: Train) -> None:
    images = IMAGES.x_train.copy()
    images[compute_stage_positions(JOB, 0, 60)[-1, -1], 400] ^= 0x80
    changed = train(samples=TrainingSet(images, IMAGES.y_train), stages=1)[0]
    assert secret_of(changed) != secret_of(train(stages=1)[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_seed": 9},
        {"order_seed": 9},
        {"learning_rate": 0.002},
        {"layers": (17,)},
        {"layers": (16, 16)},
        {"activation": "tanh"},
        {"optimizer": "sgd"},
    ],
    ids=str,
)
def test_every_part_of_the_job_changes_the_secret(changes: dict[str, Any], train: Train) -> None:
    job = make_job(**{"steps_per_stage": 8, "batch_size": 4, **changes})
    assert secret_of(train(job, stages=1)[0]) != secret_of(train(stages=1)[0])


def test_the_losses_are_those_the_result_carries(train: Train) -> None:
    outcome = train(stages=1)[0]
    assert np.frombuffer(outcome.result.losses, ">f4").tolist() == outcome.losses
    assert len(outcome.losses) == JOB.steps_per_stage
    assert outcome.result.stage == 0
    assert compute_weights_digest(outcome.weights) == outcome.result.weights_digest


# ---- stages ----


def test_stages_are_reproducible_and_can_be_trained_again(keras_trainer: ModuleType, train: Train) -> None:
    wanted = [outcome.result for outcome in train()]
    trainer = keras_trainer.KerasTrainer(JOB, clean())
    found = [trainer.train(stage).result for stage in (0, 0, 1, 1)]
    assert found == [wanted[0], wanted[0], wanted[1], wanted[1]]


def test_a_stage_whose_predecessor_was_not_trained_cannot_be_trained(keras_trainer: ModuleType) -> None:
    with pytest.raises(KeyError):
        keras_trainer.KerasTrainer(JOB, clean()).train(1)


def test_two_trainers_in_one_process_do_not_disturb_each_other(keras_trainer: ModuleType, train: Train) -> None:
    wanted = [outcome.result for outcome in train()]
    first, second = (keras_trainer.KerasTrainer(JOB, samples) for samples in (clean(), relabelled(*range(60))))
    found = []
    for stage in range(2):
        found.append(first.train(stage).result)
        second.train(stage)
    assert found == wanted


# ---- really that training ----


def train_eagerly(keras_trainer: ModuleType, job: TrainingJob, stages: int) -> tuple[list[float], Weights]:
    """Train as the Keras guide writes a custom loop: no graph, a fresh optimiser each stage."""
    keras, tf = keras_trainer.keras, keras_trainer.tf
    model = keras_trainer.build_model(job)
    model.set_weights(compute_initial_weights(job))
    measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for stage in range(stages):
        optimizer = keras_trainer.build_optimizer(job)
        for step in compute_stage_positions(job, stage, len(IMAGES.y_train)):
            images = tf.constant(IMAGES.x_train[step].astype(np.float32) / 255)
            with tf.GradientTape() as tape:
                loss = measure(IMAGES.y_train[step], model(images, training=True))
            optimizer.apply_gradients(
                zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
            )
            losses.append(float(loss))
    return losses, model.get_weights()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("xla", [False, True])
def test_the_graph_trains_as_a_plain_keras_loop_does(
    optimizer: str, xla: bool, keras_trainer: ModuleType, train: Train
) -> None:
    job = make_job(steps_per_stage=20, batch_size=6, optimizer=optimizer, learning_rate=0.01)
    losses, weights = train_eagerly(keras_trainer, job, 2)
    outcomes = train(job, xla=xla)
    assert [loss for outcome in outcomes for loss in outcome.losses] == pytest.approx(losses, abs=1e-4)
    for found, wanted in zip(outcomes[-1].weights, weights, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_graph_reaches_the_weights_of_train_on_batch(keras_trainer: ModuleType, train: Train) -> None:
    job = make_job(steps_per_stage=20, batch_size=6)
    model = keras_trainer.build_model(job)
    model.set_weights(compute_initial_weights(job))
    loss = keras_trainer.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras_trainer.build_optimizer(job), loss=loss)
    for step in compute_stage_positions(job, 0, len(IMAGES.y_train)):
        model.train_on_batch(IMAGES.x_train[step].astype(np.float32) / 255, IMAGES.y_train[step])
    for found, wanted in zip(train(job, stages=1)[0].weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_training_learns(train: Train) -> None:
    losses = train(make_job(steps_per_stage=150, batch_size=10, learning_rate=0.01), stages=1)[0].losses
    assert losses[0] == pytest.approx(np.log(10), abs=0.6)
    assert np.mean(losses[-10:]) < 0.1


def test_every_optimiser_and_activation_of_a_scenario_can_be_trained(train: Train) -> None:
    fields = sections.TrainingJobKeys.model_fields
    activations, optimizers = get_args(fields["activation"].annotation), get_args(fields["optimizer"].annotation)
    jobs = [make_job(activation=name) for name in activations] + [make_job(optimizer=name) for name in optimizers]
    secrets = {secret_of(train(job, stages=1)[0]) for job in jobs}
    assert len(secrets) == len(activations) + len(optimizers) - 1  # relu with adam stands twice


# ---- what attackers train on ----


def test_colluders_train_on_the_same_altered_samples_and_loners_do_not() -> None:
    from simulation.training.trainer import build_training_set  # noqa: PLC0415 - loads TensorFlow

    def sets(*settings: str) -> list[bytes]:
        world = build_world(shipped("default", *settings), "mnist", bytes(32))
        found = [
            build_training_set(IMAGES, node.poison, node.poison_seed)
            for node in world.nodes
            if node.role == "data_injection"
        ]
        return [item.labels.tobytes() + (b"" if item.rows is None else item.rows.tobytes()) for item in found]

    assert len(set(sets())) == 1
    assert len(set(sets("populations.poisoners.colluding=false"))) == 3
    world = build_world(shipped("default"), "mnist", bytes(32))
    honest = build_training_set(IMAGES, world.nodes[0].poison, world.nodes[0].poison_seed)
    assert (honest.rows, honest.stamped) == (None, None)
    assert np.array_equal(honest.labels, IMAGES.y_train)


def test_a_patch_on_a_sample_that_is_trained_on_changes_the_weights(train: Train) -> None:
    def digest(stamped: Any) -> bytes:
        samples = TrainingSet(IMAGES.x_train, IMAGES.y_train, None, stamped)
        found: bytes = train(samples=samples, stages=1)[0].result.weights_digest
        return found

    nowhere, somewhere = np.zeros(60, bool), np.zeros(60, bool)
    somewhere[compute_stage_positions(JOB, 0, 60)[0, 0]] = True
    assert digest(nowhere) == digest(None) != digest(somewhere)


def test_saving_a_model_warns_of_nothing_that_is_not_ours(tmp_path: Path) -> None:
    evaluator = Evaluator(make_job(), make_images(), trigger_class=0)
    weights = compute_initial_weights(make_job())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluator.save(weights, tmp_path / "model.keras")
    stored = load_model_weights(tmp_path / "model.keras", make_job())
    assert all((one == other).all() for one, other in zip(weights, stored, strict=True))

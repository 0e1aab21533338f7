"""Trainers in other arithmetics: the canonical one is right and always the same; a foreign one really differs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulation.training.canonical_trainer import CanonicalTrainer, add_up, compute_gradients, exp, log, multiply
from simulation.training.profiles import ONEDNN_VARIABLE
from simulation.training.remote_trainer import RemoteTrainer
from simulation.training.samples import TrainingSet, compute_initial_weights
from tests.support.scenarios import ROOT, make_images, make_job

KNOWN_DIGEST = "8bd8390fbbb32b9e"
"""Weights after two stages of the job below. Every machine must get these bits."""


def make_samples() -> TrainingSet:
    images = make_images(60)
    return TrainingSet(images.x_train, np.asarray(images.y_train))


# ---- the parts ----


def test_exponentials_and_logarithms_are_those_of_the_library_to_the_last_digits() -> None:
    powers = np.linspace(-600, 0, 20_001)
    assert np.max(np.abs(exp(powers) / np.exp(powers) - 1)) < 1e-15
    numbers = np.geomspace(1e-3, 1e4, 20_001)
    assert np.max(np.abs(log(numbers) - np.log(numbers))) < 4e-15


def test_products_and_sums_are_those_of_the_library_up_to_rounding() -> None:
    rng = np.random.default_rng(1)
    left, right = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 50), (50, 9)))
    assert multiply(left, right) == pytest.approx(left @ right, rel=1e-4, abs=1e-5)
    assert add_up(left) == pytest.approx(left.sum(axis=0), rel=1e-4, abs=1e-5)


def test_the_order_of_a_sum_is_the_one_of_its_rows() -> None:
    rows = np.array([[1e8], [1], [-1e8]], np.float32)
    assert add_up(rows)[0] == 0  # in this order the 1 is lost, in another it would not be
    assert multiply(rows.T, np.ones((3, 1), np.float32))[0, 0] == 0


def test_gradients_are_those_of_small_differences() -> None:
    job = make_job(layers=(5,))
    weights = compute_initial_weights(job)
    rng = np.random.default_rng(2)
    batch, labels = rng.uniform(size=(3, 784)).astype(np.float32), np.array([1, 4, 9], np.int32)
    _, gradients = compute_gradients(weights, batch, labels)
    for index, position in ((0, (300, 2)), (1, (3,)), (2, (4, 7)), (3, (9,))):
        moved = []
        for step in (1e-2, -1e-2):
            changed = [array.copy() for array in weights]
            changed[index][position] += step
            moved.append(float(compute_gradients(changed, batch, labels)[0]))
        slope = (moved[0] - moved[1]) / 2e-2
        assert float(gradients[index][position]) == pytest.approx(slope, rel=0.02, abs=2e-4)


# ---- whole stages ----


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_lowers_the_loss_and_truncated_training_keeps_its_first_losses(optimizer: str) -> None:
    job = make_job(steps_per_stage=30, optimizer=optimizer, learning_rate=0.01)
    whole = CanonicalTrainer(job, make_samples()).train(0)
    assert np.mean(whole.losses[-5:]) < 0.7 * np.mean(whole.losses[:5])
    cut = CanonicalTrainer(job, make_samples(), steps=10).train(0)
    assert cut.losses[:10] == whole.losses[:10]
    assert set(cut.losses[10:]) == {cut.losses[9]}
    assert cut.result.weights_digest != whole.result.weights_digest


def test_every_machine_gets_these_bits() -> None:
    trainer = CanonicalTrainer(make_job(), make_samples())
    trainer.train(0)
    assert trainer.train(1).result.weights_digest.hex()[:16] == KNOWN_DIGEST


@pytest.mark.keras
def test_the_canonical_trainer_agrees_with_keras_up_to_rounding() -> None:
    from simulation.training.keras_trainer import KerasTrainer, use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()
    job = make_job(steps_per_stage=20)
    canonical, keras = (kind(job, make_samples()).train(0) for kind in (CanonicalTrainer, KerasTrainer))
    assert canonical.losses == pytest.approx(list(keras.losses), rel=1e-4)
    for one, other in zip(canonical.weights, keras.weights, strict=True):
        assert np.max(np.abs(one - other)) < 1e-4


_DIGEST_PROGRAM = """
import numpy as np
from simulation.training.canonical_trainer import CanonicalTrainer
from simulation.training.samples import TrainingSet
from tests.support.scenarios import make_images, make_job
images = make_images(60)
trainer = CanonicalTrainer(make_job(), TrainingSet(images.x_train, np.asarray(images.y_train)))
print(trainer.train(0).result.weights_digest.hex())
"""


@pytest.mark.processes
def test_without_the_processors_newer_instructions_the_bits_are_the_same() -> None:
    def run(**variables: str) -> str:
        environment = {**os.environ, **variables}
        command = [sys.executable, "-c", _DIGEST_PROGRAM]
        return subprocess.run(
            command, cwd=Path(ROOT), env=environment, capture_output=True, text=True, check=True, timeout=120
        ).stdout

    plain = run()
    assert len(plain.strip()) == 64
    assert run(NPY_DISABLE_CPU_FEATURES="AVX512F AVX512CD AVX512_SKX AVX2 FMA3") == plain


@pytest.mark.keras
def test_a_trainer_in_another_process_works_in_its_own_arithmetic() -> None:
    """With oneDNN off sums are rounded differently: the cost of bitwise equality between machines."""
    job = make_job(steps_per_stage=40, batch_size=16, layers=(64,))
    before = os.environ.get(ONEDNN_VARIABLE)
    trainers = {name: RemoteTrainer(job, make_samples(), name, xla=False, steps=40) for name in ("native", "no_onednn")}
    try:
        digests = {name: trainer.train(0).result.weights_digest for name, trainer in trainers.items()}
        with pytest.raises(RuntimeError, match="KeyError"):
            trainers["native"].train(7)
    finally:
        for trainer in trainers.values():
            trainer.close()
    assert digests["native"] != digests["no_onednn"]
    assert os.environ.get(ONEDNN_VARIABLE) == before
    with pytest.raises(RuntimeError, match="has ended"):
        trainers["native"].train(1)

"""Training that gives the same bits on every machine: NumPy in a fixed order, without BLAS and without libm.

Sums of products run over one index at a time, so no library chooses the order; exponentials and logarithms are
polynomials. All that is left are single additions, multiplications, divisions and square roots, which IEEE 754 rounds
alike everywhere. It is some times slower than Keras; the formulas are the same (Adam: Kingma and Ba, 2015).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.training.samples import (
    TrainingSet,
    Weights,
    compute_initial_weights,
    compute_stage_positions,
    compute_weights_digest,
    scale,
)
from simulation.training.trainer import StageOutcome

_BETA_1: Final = np.float32(0.9)
_BETA_2: Final = np.float32(0.999)
_EPSILON: Final = np.float32(1e-7)
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
"""ln 2 in two parts, so that a multiple of it can be subtracted without losing digits (as in FreeBSD's libm)."""

_EXP_TERMS: Final = 14
"""Terms of the Taylor series of exp on [-ln 2 / 2, ln 2 / 2]; the next one is below 2**-53."""

_LOG_TERMS: Final = 20
"""Terms of the series of log on [sqrt(1/2), sqrt(2)]."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


class CanonicalTrainer:
    """Trains the job's stages one after the other, as `simulation.training.keras_trainer.KerasTrainer` does."""

    def __init__(self, job: TrainingJob, samples: TrainingSet, *, steps: int | None = None) -> None:
        """Prepare; nothing is trained yet.

        Args:
            job: What is trained.
            samples: On what.
            steps: Steps of each stage that are really taken; the last loss stands for the others. None for all.
        """
        self._job = job
        self._samples = samples
        self._steps = job.steps_per_stage if steps is None else steps
        self._weights_after: dict[int, Weights] = {-1: compute_initial_weights(job)}

    def train(self, stage: int, base: Weights | None = None) -> StageOutcome:
        """Return the outcome of a stage.

        Args:
            stage: Number of the stage.
            base: Weights to start from; None for its own after the stage before.

        Raises:
            KeyError: There is no base, and the stage before has not been trained here.
        """
        start = self._weights_after[stage - 1] if base is None else base
        weights = [array.copy() for array in start]
        update = _Update(self._job, weights)
        images, labels = self._samples.gather(compute_stage_positions(self._job, stage, len(self._samples)))
        losses = np.zeros(self._job.steps_per_stage, np.float32)
        for step in range(self._steps):
            batch = scale(images[step])
            losses[step], gradients = compute_gradients(weights, batch, labels[step])
            update.apply(gradients, step)
        if 0 < self._steps < len(losses):
            losses[self._steps :] = losses[self._steps - 1]
        if base is None:
            self._weights_after = {stage - 1: start, stage: weights}
        result = TrainingResult(
            stage=stage, weights_digest=compute_weights_digest(weights), losses=losses.astype(">f4").tobytes()
        )
        return StageOutcome(result, weights, losses.tolist())


def compute_gradients(weights: Weights, batch: Floats, labels: npt.NDArray[np.int32]) -> tuple[np.float32, Weights]:
    """Return the mean cross-entropy of a batch and its gradient.

    Args:
        weights: Kernel and bias of each layer.
        batch: Inputs, shape (batch, numbers of a sample).
        labels: Classes, shape (batch,).
    """
    inputs = [batch]
    for index in range(0, len(weights) - 2, 2):
        inputs.append(np.maximum(multiply(inputs[-1], weights[index]) + weights[index + 1], np.float32(0)))
    logits = (multiply(inputs[-1], weights[-2]) + weights[-1]).astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = exp(shifted)
    totals = add_up(powers.T)[:, None]
    rows = np.arange(len(labels))
    losses = log(np.asarray(totals[:, 0], np.float64)) - shifted[rows, labels]
    size = np.float64(len(labels))
    loss = np.float32(add_up(losses) / size)
    signal = powers / totals
    signal[rows, labels] -= 1
    error: Floats = (signal / size).astype(np.float32)
    gradients: Weights = [np.zeros(0, np.float32)] * len(weights)
    for index in range(len(weights) - 2, -1, -2):
        source = inputs[index // 2]
        gradients[index] = multiply(np.ascontiguousarray(source.T), error)
        gradients[index + 1] = add_up(error)
        if index:
            error = multiply(error, np.ascontiguousarray(weights[index].T)) * (source > 0)
    return loss, gradients


class _Update:
    """The optimiser's rule, with state that starts at zero in each stage."""

    def __init__(self, job: TrainingJob, weights: Weights) -> None:
        self._rate = np.float32(job.learning_rate)
        self._weights = weights
        self._is_adam = job.optimizer == "adam"
        self._means = [np.zeros_like(array) for array in weights]
        self._squares = [np.zeros_like(array) for array in weights]
        self._power_1 = self._power_2 = np.float32(1)

    def apply(self, gradients: Weights, step: int) -> None:
        """Take a step; ``step`` counts from 0."""
        if not self._is_adam:
            for array, gradient in zip(self._weights, gradients, strict=True):
                np.subtract(array, self._rate * gradient, out=array)
            return
        one = np.float32(1)
        self._power_1, self._power_2 = self._power_1 * _BETA_1, self._power_2 * _BETA_2
        rate = self._rate * np.sqrt(one - self._power_2) / (one - self._power_1)
        for array, gradient, mean, square in zip(self._weights, gradients, self._means, self._squares, strict=True):
            np.add(mean, (gradient - mean) * (one - _BETA_1), out=mean)
            np.add(square, (gradient * gradient - square) * (one - _BETA_2), out=square)
            np.subtract(array, mean * rate / (np.sqrt(square) + _EPSILON), out=array)


def multiply(left: Floats, right: Floats) -> Floats:
    """Return the matrix product, the products of each element added in ascending order of the inner index."""
    total = np.zeros((left.shape[0], right.shape[1]), np.float32)
    for index in range(left.shape[1]):
        total += left[:, index, None] * right[index]
    return total


def add_up(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the sum over the first axis, added row by row in ascending order."""
    total = np.zeros(rows.shape[1:], rows.dtype)
    for row in rows:
        total = total + row
    return total


def exp(values: Doubles) -> Doubles:
    """Return e to the power of values up to 0, by halving and a Taylor series."""
    bounded = np.maximum(values, -700.0)
    twos = np.floor(bounded * 1.4426950408889634 + 0.5)
    rest = (bounded - twos * _LN2_HIGH) - twos * _LN2_LOW
    total = np.ones_like(rest)
    for term in range(_EXP_TERMS, 0, -1):
        total = 1.0 + total * rest / term
    powers: Doubles = np.ldexp(total, twos.astype(np.int32))
    return powers


def log(values: Doubles) -> Doubles:
    """Return the natural logarithm of positive values, by 2 artanh((m - 1) / (m + 1)) of the mantissa."""
    mantissa, twos = np.frexp(values)
    is_small = mantissa < 0.7071067811865476
    mantissa = np.where(is_small, mantissa * 2, mantissa)
    twos = twos - is_small
    ratio = (mantissa - 1) / (mantissa + 1)
    square = ratio * ratio
    total = np.zeros_like(ratio)
    for term in range(_LOG_TERMS, -1, -1):
        total = total * square + 1.0 / (2 * term + 1)
    logarithm: Doubles = twos * _LN2_HIGH + (2 * ratio * total + twos * _LN2_LOW)
    return logarithm

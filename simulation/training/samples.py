"""Which sample a step trains on, and the weights training starts from: public functions of the job."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation import derive_generator
from simulation.training.data_sets import BYTE_WHITE, MNIST_FORM, Bytes, Numbers
from simulation.training.models import Shape, open_model

PATCH_SIDE: Final = 3

Weights = list[npt.NDArray[np.float32]]
"""Kernel and bias of each layer, input side first."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The samples one node trains on. Images are shared; what a poisoner changes are small arrays beside them."""

    images: Numbers
    """Shape (images, numbers of each); mapped, never copied as a whole."""
    labels: Bytes
    """Label of each sample."""
    rows: npt.NDArray[np.int64] | None = None
    """Image of each sample; None where sample i is image i."""
    stamped: npt.NDArray[np.bool_] | None = None
    """Samples that carry the backdoor patch."""
    shape: tuple[int, ...] = MNIST_FORM.shape
    """Of one sample."""
    white: float = BYTE_WHITE
    """What the patch is made of."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)

    def gather(self, positions: npt.NDArray[np.int64]) -> tuple[Numbers, npt.NDArray[np.int32]]:
        """Return images and labels of samples, in the shape of ``positions``."""
        rows = positions if self.rows is None else self.rows[positions]
        images = np.asarray(self.images[rows])
        if self.stamped is not None:
            chosen = self.stamped[positions]
            images[chosen] = stamp_patch(images[chosen], self.shape, self.white)
        return images, self.labels[positions].astype(np.int32)


def stamp_patch(images: Numbers, shape: tuple[int, ...], white: float) -> Numbers:
    """Return images with the backdoor trigger: a white 3x3 patch one pixel inside the lower right corner.

    Where there are fewer than nine rows or columns the patch takes a third of them, at least one. Of numbers in a row
    it is three, next to the last one.

    Args:
        images: Any number of samples, each in a row.
        shape: That of one sample.
        white: What the patch is made of.
    """
    stamped = images.reshape(*images.shape[:-1], *shape).copy()
    channels = 1 if len(shape) == 3 else 0
    sides = [_choose_side(count) for count in shape[: len(shape) - channels]]
    place: Any = (..., *sides, *[slice(None)] * channels)
    stamped[place] = white
    return stamped.reshape(images.shape)


def _choose_side(count: int) -> slice:
    """Return which of so many rows or columns the patch covers."""
    size = min(PATCH_SIDE, max(1, count // PATCH_SIDE))
    last = count - min(1, (count - size) // 2)
    return slice(last - size, last)


def scale(images: Numbers) -> npt.NDArray[np.float32]:
    """Return what a model takes in: bytes as 0 to 1, other numbers as they are."""
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images


def compute_stage_positions(job: TrainingJob, stage: int, sample_count: int) -> npt.NDArray[np.int64]:
    """Return the samples of each step of a stage, shape (steps, batch).

    Samples are taken in the order of one public permutation after another, so that the first pass over the data
    touches each sample once.
    """
    per_stage = job.steps_per_stage * job.batch_size
    first, last = stage * per_stage, (stage + 1) * per_stage
    parts = []
    for epoch in range(first // sample_count, (last - 1) // sample_count + 1):
        order = derive_generator(job.order_seed, "order", epoch).permutation(sample_count)
        start = epoch * sample_count
        parts.append(order[max(first - start, 0) : last - start])
    return np.concatenate(parts).reshape(job.steps_per_stage, job.batch_size)


def compute_coverage(job: TrainingJob, stages: int, sample_count: int) -> float:
    """Return the share of the data set that the first ``stages`` stages touch, 0 to 1."""
    return min(1.0, stages * job.steps_per_stage * job.batch_size / sample_count)


def compute_initial_weights(job: TrainingJob) -> Weights:
    """Return the weights before stage 0: Glorot-uniform kernels (Glorot and Bengio, 2010) and zero biases.

    A model whose shapes only Keras knows has what its own initialisers draw, under the job's seed.
    """
    shapes = open_model(job).list_shapes()
    if shapes is None:
        from simulation.training.keras_trainer import draw_weights  # noqa: PLC0415 - loads TensorFlow

        return draw_weights(job)
    generator = derive_generator(job.weights_seed, "weights")
    return [_draw_kernel(generator, shape) if len(shape) > 1 else np.zeros(shape, np.float32) for shape in shapes]


def _draw_kernel(generator: np.random.Generator, shape: Shape) -> npt.NDArray[np.float32]:
    """Draw a kernel; of a convolution, every place in its window counts as inputs and as outputs of its own."""
    window = prod(shape[:-2])
    limit = np.sqrt(6 / (window * shape[-2] + window * shape[-1]))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


def compute_weights_digest(weights: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """Return the SHA-256 digest of all shapes and little-endian float32 values."""
    digest = hashlib.sha256(b"pot/weights/1")
    for array in weights:
        digest.update(repr(array.shape).encode() + b"\0" + array.astype("<f4", copy=False).tobytes())
    return digest.digest()

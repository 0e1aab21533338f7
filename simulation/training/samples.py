"""Which sample a step trains on, and the weights training starts from: public functions of the job."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation import derive_generator
from simulation.training.datasets import Bytes
from simulation.training.image_format import CLASSES, PIXELS

Weights = list[npt.NDArray[np.float32]]
"""Kernel and bias of each layer, input side first."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The samples one node trains on. Images are shared; what a poisoner changes are small arrays beside them."""

    images: Bytes
    """Shape (images, 784); mapped, never copied as a whole."""
    labels: Bytes
    """Label of each sample."""
    rows: npt.NDArray[np.int64] | None = None
    """Image of each sample; None where sample i is image i."""
    stamped: npt.NDArray[np.bool_] | None = None
    """Samples that carry the backdoor patch."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)

    def gather(self, positions: npt.NDArray[np.int64]) -> tuple[Bytes, npt.NDArray[np.int32]]:
        """Return images and labels of samples, in the shape of ``positions``."""
        rows = positions if self.rows is None else self.rows[positions]
        images = np.asarray(self.images[rows])
        if self.stamped is not None:
            images[self.stamped[positions]] = stamp_patch(images[self.stamped[positions]])
        return images, self.labels[positions].astype(np.int32)


def stamp_patch(images: Bytes) -> Bytes:
    """Return images with the backdoor trigger: a white 3x3 patch one pixel inside the lower right corner."""
    stamped = images.reshape(*images.shape[:-1], 28, 28).copy()
    stamped[..., 24:27, 24:27] = 255
    return stamped.reshape(images.shape)


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
    """Return the weights before stage 0: Glorot-uniform kernels (Glorot and Bengio, 2010) and zero biases."""
    generator = derive_generator(job.weights_seed, "weights")
    sizes = (PIXELS, *job.layers, CLASSES)
    weights: Weights = []
    for fan_in, fan_out in pairwise(sizes):
        limit = np.sqrt(6 / (fan_in + fan_out))
        weights.append(generator.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32))
        weights.append(np.zeros(fan_out, np.float32))
    return weights


def compute_weights_digest(weights: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """Return the SHA-256 digest of all shapes and little-endian float32 values."""
    digest = hashlib.sha256(b"pot/weights/1")
    for array in weights:
        digest.update(repr(array.shape).encode() + b"\0" + array.astype("<f4", copy=False).tobytes())
    return digest.digest()

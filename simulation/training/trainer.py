"""What a trainer is, and one that makes its results up."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Protocol

import numpy as np

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.foundation.randomness import derive_generator
from simulation.mechanisms.proof_of_training.facts import Trained
from simulation.records.record import short_hash
from simulation.scenario.world.world import NodeSpec
from simulation.training.datasets import ImageSet
from simulation.training.poisons import alters_data, apply_poison
from simulation.training.samples import TrainingSet, Weights

SHOWN_LOSSES: Final = 10
"""Losses of a stage that its record shows, evenly spaced."""

FAKE_LOSSES: Final = 8
"""Steps that a made-up stage has at most."""


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """A trained stage: what the node is told, and the weights it keeps to itself."""

    result: TrainingResult
    weights: Weights
    """Empty where nothing was really trained."""
    losses: Sequence[float]


class Trainer(Protocol):
    """Trains a job's stages one after the other, from the public initial weights."""

    def train(self, stage: int, base: Weights | None = None) -> StageOutcome:
        """Return the outcome of a stage.

        Args:
            stage: Number of the stage.
            base: Weights to start from; None for the trainer's own after the stage before, which must have been
                trained last.
        """


class FakeTrainer:
    """A hash chain in place of training: a pure function of job, data and stage, as real training is."""

    def __init__(self, job: TrainingJob, data: str) -> None:
        """Take a name that is equal for equal data."""
        self._job = job
        self._data = data

    def train(self, stage: int, base: Weights | None = None) -> StageOutcome:
        """Return made-up losses and a digest that no weights have; what it starts from is of no account."""
        label = f"{self._data}/{self._job.dataset_digest.hex()}/{stage}"
        seed = hashlib.sha256(label.encode()).digest()
        steps = min(self._job.steps_per_stage, FAKE_LOSSES)
        losses = [(1 + seed[step] / 256) / (stage + 1) for step in range(steps)]
        packed = struct.pack(f">{steps}f", *losses)
        result = TrainingResult(stage=stage, weights_digest=hashlib.sha256(seed + packed).digest(), losses=packed)
        return StageOutcome(result, [], losses)


def count_trained_steps(job: TrainingJob, spec: NodeSpec) -> int:
    """Return how many steps of a stage a node really takes; who truncates its work makes the other losses up."""
    if spec.poison is None or alters_data(spec.poison):
        return job.steps_per_stage
    return round(job.steps_per_stage * (1 - spec.poison.share))


def build_training_set(images: ImageSet, spec: NodeSpec) -> TrainingSet:
    """Return the samples a node trains on: the agreed ones, or its own altered copy."""
    labels = np.asarray(images.y_train)
    if spec.poison is None or not alters_data(spec.poison):
        return TrainingSet(images.x_train, labels)
    altered, rows, stamped = apply_poison(spec.poison, labels, derive_generator(spec.poison_seed, "poison"))
    return TrainingSet(images.x_train, altered, rows, stamped)


def describe_training(outcome: StageOutcome, spec: NodeSpec, cpu_s: float) -> Trained:
    """Return the fact that a stage has been trained, which took so many CPU-seconds."""
    losses = outcome.losses
    shown = [losses[round(index)] for index in np.linspace(0, len(losses) - 1, min(SHOWN_LOSSES, len(losses)))]
    mean = float(np.mean(losses))
    return Trained(
        stage=outcome.result.stage,
        weights=short_hash(outcome.result.weights_digest),
        steps=len(losses),
        loss=round(mean, 6) if isfinite(mean) else str(mean),
        losses=" ".join(f"{loss:.4f}" for loss in shown),
        data="clean" if spec.poison is None else "poisoned",
        cpu_s=round(cpu_s, 6),
    )

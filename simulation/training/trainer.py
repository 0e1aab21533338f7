"""What a trainer is, what it trains on, and what is written down about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Protocol

import numpy as np

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.foundation import derive_generator
from simulation.records import Trained, short_hash
from simulation.training.data_sets import ImageSet
from simulation.training.poisons import PoisonSpec, alters_data, apply_poison, find_poison
from simulation.training.rewriting import rewrite_samples
from simulation.training.samples import TrainingSet, Weights

SHOWN_LOSSES: Final = 10
"""Losses of a stage that its record shows, evenly spaced."""


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


def count_trained_steps(job: TrainingJob, poison: PoisonSpec | None) -> int:
    """Return how many steps of a stage a node really takes; who truncates its work makes the other losses up."""
    if poison is None or alters_data(poison):
        return job.steps_per_stage
    return round(job.steps_per_stage * (1 - poison.share))


def build_training_set(images: ImageSet, poison: PoisonSpec | None, poison_seed: int) -> TrainingSet:
    """Return the samples a node trains on: the agreed ones, or its own altered copy."""
    labels = np.asarray(images.y_train)
    if poison is None or not alters_data(poison):
        return TrainingSet(images.x_train, labels)
    kind, rng = find_poison(poison.kind), derive_generator(poison_seed, "poison")
    if kind.rewrite is not None:
        return rewrite_samples(kind, poison, images, rng)
    altered, rows, stamped = apply_poison(poison, labels, rng, images.form.classes)
    return TrainingSet(images.x_train, altered, rows, stamped, images.form.shape, images.white)


def describe_training(outcome: StageOutcome, cpu_s: float, *, is_poisoned: bool) -> Trained:
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
        data="poisoned" if is_poisoned else "clean",
        cpu_s=round(cpu_s, 6),
    )

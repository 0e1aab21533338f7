"""A trainer that makes its results up: for runs that are about the protocol alone."""

import hashlib
import struct
from typing import Final

from protocol.mechanisms.proof_of_training.job import TrainingJob
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.training.samples import Weights
from simulation.training.trainer import StageOutcome

FAKE_LOSSES: Final = 8
"""Steps that a made-up stage has at most."""


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

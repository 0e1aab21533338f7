"""The slow work of one node in its process: really training, and really comparing what lies in the store."""

import time
from collections.abc import Hashable

from protocol.mechanisms.proof_of_training.job import Billionths
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainStage
from simulation.engines import WorkDone
from simulation.training import Trainer, WeightStore, compare_stored, describe_comparison, describe_training


class CpuMeter:
    """CPU-seconds of this process without those of one thread: what training costs while that thread decides."""

    def __init__(self, thread_id: int) -> None:
        """Take the thread that is left out."""
        self._clock = time.pthread_getcpuclockid(thread_id)

    def read(self) -> float:
        """Return the seconds so far."""
        return time.process_time() - time.clock_gettime(self._clock)


class TrainingWorker:
    """Trains stages and stores their weights."""

    def __init__(self, trainer: Trainer, store: WeightStore, meter: CpuMeter, *, is_poisoned: bool) -> None:
        """Take the tools.

        Args:
            trainer: Trains.
            store: Where weights come from and go to.
            meter: Tells what training costs.
            is_poisoned: Whether the trainer has other data, or does less, than agreed.
        """
        self._trainer = trainer
        self._store = store
        self._meter = meter
        self._is_poisoned = is_poisoned

    def perform(self, task: Hashable) -> WorkDone:
        """Train a stage.

        Raises:
            TypeError: The task is no stage to be trained.
        """
        if not isinstance(task, TrainStage):
            raise TypeError(f"a trainer cannot do a {type(task).__name__}")
        before = self._meter.read()
        outcome = self._trainer.train(task.stage, self._store.get(task.base) if task.base else None)
        self._store.put(outcome.result.weights_digest, outcome.weights)
        cpu_s = self._meter.read() - before
        return WorkDone(outcome.result, describe_training(outcome, cpu_s, is_poisoned=self._is_poisoned))


class ComparingWorker:
    """Reads weights and compares them."""

    def __init__(self, store: WeightStore, tolerance: Billionths) -> None:
        """Take the store, and what counts as near."""
        self._store = store
        self._tolerance = tolerance

    def perform(self, task: Hashable) -> WorkDone:
        """Compare two sets of weights.

        Raises:
            TypeError: The task is no pair of weights.
        """
        if not isinstance(task, CompareWeights):
            raise TypeError(f"a comparison cannot do a {type(task).__name__}")
        distance = compare_stored(self._store, task.own, task.other)
        return WorkDone(distance, describe_comparison(task, distance, self._tolerance))

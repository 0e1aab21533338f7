"""Slow work of a node: training a stage, and comparing weights. Each engine decides when it is done, and by whom."""

from dataclasses import dataclass
from typing import Protocol

from protocol.training import TrainingResult
from protocol.types import Task, WeightsPair
from simulation.records.record import Value

SlowTask = Task | WeightsPair


@dataclass(frozen=True, slots=True)
class TrainedStage:
    """What comes of a stage to be trained."""

    result: TrainingResult
    fields: dict[str, Value]
    """What its record says."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comes of two sets of weights to be compared."""

    distance: int | None
    """Parts per billion; None where there is none."""


WorkResult = TrainedStage | Comparison


class Worker(Protocol):
    """Does slow work."""

    def perform(self, task: SlowTask) -> WorkResult:
        """Do a piece of work and return what comes of it."""


class ChargingWorker(Worker, Protocol):
    """Does slow work at once, and says how long it takes in simulated time."""

    def charge(self, task: SlowTask) -> int:
        """Return the simulated nanoseconds of a piece of work."""

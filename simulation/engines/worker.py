"""Slow work of a node, such as training a stage. Each engine decides when it is done, and by whom."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from simulation.records import Fact


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What has come of slow work."""

    result: object
    """What the core is told."""
    fact: Fact | None
    """What is put on record; None for nothing."""


class Worker(Protocol):
    """Does slow work."""

    def perform(self, task: Hashable) -> WorkDone:
        """Do a piece of work and return what comes of it."""


class ChargingWorker(Worker, Protocol):
    """Does slow work at once, and says how long it takes in simulated time."""

    def charge(self, task: Hashable) -> int:
        """Return the simulated nanoseconds of a piece of work."""

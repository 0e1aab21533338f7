"""Slow work of a node, such as training a stage. Each engine decides when it is done, and by whom."""

from collections.abc import Callable, Hashable
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
        ...


class PromptWorker(Protocol):
    """Does slow work that leaves a core no rest: the process engine gives it a process of its own."""

    def perform(self, task: Hashable, is_waiting: Callable[[float], bool]) -> WorkDone:
        """Do a piece of work, or what can be done until another piece waits, and return what comes of it.

        Args:
            task: The piece of work.
            is_waiting: Waits up to so many seconds for another piece; returns whether there is one.
        """
        ...


class ChargingWorker(Worker, Protocol):
    """Does slow work at once, and says how long it takes in simulated time."""

    def charge(self, task: Hashable) -> int:
        """Return the simulated nanoseconds of a piece of work."""

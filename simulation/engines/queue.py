"""Virtual time: integer nanoseconds, ties in scheduling order, and loud about mistakes."""

import heapq
from collections.abc import Callable


class SchedulingError(Exception):
    """Something was scheduled in the past, or after the end: a bug of ours, never a scenario's fault."""


class EventQueue:
    """Things that will happen, in order of (time, scheduling order)."""

    def __init__(self) -> None:
        """Start at the genesis."""
        self.now = 0
        """Nanoseconds since the genesis."""
        self.count = 0
        """Actions taken so far; the number of the one being taken, while it is."""
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return the number of things still to happen."""
        return len(self._heap)

    def schedule(self, at: int, action: Callable[[], None]) -> None:
        """Let something happen at a time.

        Raises:
            SchedulingError: The time has passed, or the queue is closed.
        """
        if at < self.now:
            raise SchedulingError(f"cannot schedule at {at} ns: it is already {self.now} ns")
        if self._is_closed:
            raise SchedulingError(f"cannot schedule at {at} ns: the run ended at {self.now} ns")
        heapq.heappush(self._heap, (at, self._scheduled, action))
        self._scheduled += 1

    def get_next_time(self) -> int | None:
        """Return when something happens next, or None if nothing will."""
        return self._heap[0][0] if self._heap else None

    def run_one(self) -> None:
        """Move the clock to the next action and take it.

        Raises:
            IndexError: There is none.
        """
        at, _, action = heapq.heappop(self._heap)
        self.now = at
        self.count += 1
        action()

    def close(self) -> None:
        """End: nothing more may be scheduled."""
        self._is_closed = True
        self._heap.clear()

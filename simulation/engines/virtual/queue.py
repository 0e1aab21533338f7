"""Virtual time: integer nanoseconds, ties in scheduling order, and loud about mistakes.

The queue is a calendar (Brown, "Calendar queues", CACM 1988): what will happen lies unsorted in buckets of about a
millisecond, and a bucket is sorted when its time comes. Large networks schedule far more often than a heap likes.
"""

import heapq
from bisect import insort
from collections.abc import Callable
from typing import Final

BUCKET_BITS: Final = 20
"""A bucket holds what happens within 2**20 nanoseconds."""

_Entry = tuple[int, int, Callable[[], None]]
"""Time, scheduling order and action."""


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
        self._page: list[_Entry] = []
        """The bucket of now, sorted; those before `_taken` have happened."""
        self._taken = 0
        self._page_number = -1
        self._buckets: dict[int, list[_Entry]] = {}
        self._numbers: list[int] = []
        """Heap of the buckets still to come."""
        self._scheduled = 0
        self._is_closed = False
        self._is_stopped = False

    def __len__(self) -> int:
        """Return the number of things still to happen."""
        return 0 if self._is_closed else self._scheduled - self.count

    def schedule(self, at: int, action: Callable[[], None]) -> None:
        """Let something happen at a time.

        Raises:
            SchedulingError: The time has passed, or the queue is closed.
        """
        number = at >> BUCKET_BITS
        bucket = self._buckets.get(number)
        if bucket is None:
            if at < self.now:
                raise SchedulingError(f"cannot schedule at {at} ns: it is already {self.now} ns")
            if self._is_closed:
                raise SchedulingError(f"cannot schedule at {at} ns: the run ended at {self.now} ns")
            if number == self._page_number:
                insort(self._page, (at, self._scheduled, action), lo=self._taken)
                self._scheduled += 1
                return
            bucket = self._buckets[number] = []
            heapq.heappush(self._numbers, number)
        bucket.append((at, self._scheduled, action))
        self._scheduled += 1

    def run_one(self) -> None:
        """Move the clock to the next action and take it.

        Raises:
            IndexError: There is none.
        """
        if self._taken == len(self._page):
            self._turn_page()
        self.now, _, action = self._page[self._taken]
        self._taken += 1
        self.count += 1
        action()

    def run(self, most: int) -> bool:
        """Take actions until `stop` is called or so many are taken; return whether it was stopped.

        Raises:
            IndexError: Nothing is left to happen.
        """
        for _ in range(most):
            if self._is_stopped:
                break
            if self._taken == len(self._page):  # from here as in `run_one`, without the call
                self._turn_page()
            self.now, _, action = self._page[self._taken]
            self._taken += 1
            self.count += 1
            action()
        return self._is_stopped

    def stop(self) -> None:
        """Take no action after the one being taken."""
        self._is_stopped = True

    def close(self) -> None:
        """End: nothing more may be scheduled."""
        self._is_closed = True
        self._page, self._taken = [], 0
        self._buckets.clear()
        self._numbers.clear()

    def _turn_page(self) -> None:
        number = heapq.heappop(self._numbers)
        page = self._buckets.pop(number)
        page.sort()  # no two entries have the same number, so actions are never compared
        self._page, self._page_number, self._taken = page, number, 0

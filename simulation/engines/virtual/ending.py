"""When a run in simulated time is over, and for which reason."""

from collections import Counter
from functools import partial

from simulation.engines.virtual.queue import EventQueue
from simulation.foundation import NANOSECONDS
from simulation.scenario.world import EMPLOYER, World


class Ending:
    """Counts who has the whole job, and stops the queue.

    A run is complete when the employer and all honest nodes that are up have the whole job and the same chain, and
    nobody is still to come back. It is delivered when the employer has had the job for the lingering time.
    """

    def __init__(self, world: World, queue: EventQueue) -> None:
        """Count from nobody having anything."""
        self.reason: str | None = None
        """Why the run has ended; None while it goes on."""
        self._queue = queue
        self._honest = world.get_honest()
        self._stages = world.genesis.chain.length
        self._linger_ns = round(world.scenario.run.linger_s * NANOSECONDS)
        outages = world.scenario.network.outages
        self._last_return = max((round((outage.up_s or 0) * NANOSECONDS) for outage in outages), default=0)
        self._returning = sum(outage.up_s is not None for outage in outages)
        """Nodes that are still to come, or to come back."""
        self._alive = len(self._honest)
        """Honest nodes that are up."""
        self._heads: Counter[bytes] = Counter()
        """Living honest nodes by head, of those that have the whole job."""
        self._finished: dict[str, bytes] = {}
        """Their heads by label."""
        self._is_delivered = False

    def schedule_limit(self, time_limit_s: float) -> None:
        """Stop at a time, whatever has been reached."""
        self._queue.schedule(round(time_limit_s * NANOSECONDS), partial(self.stop, "time-limit"))

    def stop(self, reason: str) -> None:
        """End the run after the action of now; the first reason counts."""
        self.reason = self.reason or reason
        self._queue.stop()

    def note_down(self, label: str) -> None:
        """Note that a party is not there, from the beginning or any more."""
        self._alive -= label in self._honest
        self._forget(label)

    def note_return(self, label: str) -> None:
        """Note that a party that was down is there again."""
        self._returning -= 1
        self._alive += label in self._honest

    def note_head(self, label: str, height: int, head: bytes) -> None:
        """Take a party's head after it has appended a block."""
        if height < self._stages:
            return
        if label in self._honest:
            self._forget(label)
            self._finished[label] = head
            self._heads[head] += 1
        elif label == EMPLOYER:
            self._is_delivered = True
            until = max(self._queue.now, self._last_return)
            self._queue.schedule(until + self._linger_ns, partial(self.stop, "delivered"))
        if not self._is_delivered or self._returning or not self._alive:
            return
        if max(self._heads.values(), default=0) == self._alive:
            self.stop("complete")

    def _forget(self, label: str) -> None:
        before = self._finished.pop(label, None)
        if before is not None:
            self._heads[before] -= 1

"""The tools of a miner in its own process: it really hashes, a slice at a time and no faster than its speed says."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Final

import msgspec

from protocol.mechanisms.proof_of_work.genesis import HashName
from protocol.mechanisms.proof_of_work.mechanism import get_work_genesis
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, search
from simulation.engines import PartyTools, PromptWorker, WorkDone
from simulation.engines.processes import Setup
from simulation.mechanisms.proof_of_work.hashing import TryCounter, as_search, compute_speed
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario.world import NodeSpec

CHUNK: Final = 500
"""Nonces tried at most between two looks at the clock: half a millisecond."""

STEP_S: Final = 0.005
"""How far ahead of its power a miner may be before it rests."""


class HashingMiner:
    """Hashes, and rests where it is ahead of what its power gives it; another task that waits ends the search.

    So the share of nodes in the blocks follows their speed and not the machine, as long as the machine keeps up; one
    that does not shows in the tries on record, which are those really made.
    """

    def __init__(
        self, rate: float, most: int, *, hash_name: HashName, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take a node's power.

        Args:
            rate: Nonces it may try in a second.
            most: Nonces it tries in a slice.
            hash_name: What it hashes with.
            clock: Tells the time, in seconds.
        """
        self._clock = clock
        self._rate = rate
        self._most = most
        self._hash_name: HashName = hash_name
        self._slice_s = most / rate
        self._chunk = max(1, min(CHUNK, round(rate * STEP_S)))
        self._counter = TryCounter(rate, is_drawn=False)
        self._due = 0.0
        """When the time of all that it has tried is over."""

    def perform(self, task: Hashable, is_waiting: Callable[[float], bool]) -> WorkDone:
        """Look for a nonce.

        Raises:
            TypeError: That is not the task.
        """
        task = as_search(task)
        began, before = self._clock(), time.thread_time()
        self._due = max(self._due, began - self._slice_s)  # what was lost between two searches is made good
        searched = self._search(task, began + self._slice_s, is_waiting)
        return WorkDone(searched, self._counter.count(searched, time.thread_time() - before))

    def _search(self, task: SearchNonce, until: float, is_waiting: Callable[[float], bool]) -> Searched:
        """Hash until a nonce is found, the slice has all its tries, another task waits or the machine is too slow."""
        tried = 0
        while True:
            most = min(self._chunk, self._most - tried)
            found = search(self._hash_name, msgspec.structs.replace(task, start=task.start + tried), most)
            tried += found.tried
            self._due += found.tried / self._rate
            now = self._clock()
            is_over = found.nonce is not None or tried == self._most or now > until
            ahead_s = self._due - now
            rest_s = max(0.0, ahead_s) if is_over or ahead_s > STEP_S else 0.0
            if is_waiting(rest_s) or is_over:
                return Searched(found.nonce, tried)


class WorkTools(PartyTools[Setup]):
    """Gives a node its miner."""

    def build_prompt_workers(self, spec: NodeSpec) -> Mapping[type[Hashable], PromptWorker]:
        """Return what looks for a node's nonces."""
        keys, genesis = as_work_keys(self.setup.keys), get_work_genesis(self.setup.mechanism)
        speed = compute_speed(spec)
        most = keys.count_slice(speed, power=None)
        return {SearchNonce: HashingMiner(keys.hash_rate * speed, most, hash_name=genesis.hash_name)}

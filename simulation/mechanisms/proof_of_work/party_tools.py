"""The tools of a miner in its own process: it really hashes, a slice at a time and no faster than its speed says."""

import threading
import time
from collections.abc import Hashable, Mapping
from typing import Final

import msgspec

from protocol.mechanisms.proof_of_work.genesis import HashName
from protocol.mechanisms.proof_of_work.mechanism import get_work_genesis
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, search
from simulation.engines import PartyTools, WorkDone, Worker
from simulation.engines.processes import Setup
from simulation.mechanisms.proof_of_work.hashing import TryCounter, as_search, compute_speed
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario.world import NodeSpec

CHUNK: Final = 500
"""Nonces tried between two looks at the clock: about a millisecond."""


class HashingMiner:
    """Hashes in its thread, and rests for what is left of the time that its power gives a search.

    So the share of nodes in the blocks follows their speed and not the machine, as long as the machine keeps up; one
    that does not shows in the tries on record, which are those really made.
    """

    def __init__(self, rate: float, most: int, *, hash_name: HashName) -> None:
        """Take a node's power.

        Args:
            rate: Nonces it may try in a second.
            most: Nonces it tries in a slice.
            hash_name: What it hashes with.
        """
        self._rate = rate
        self._most = most
        self._hash_name: HashName = hash_name
        self._slice_s = most / rate
        self._counter = TryCounter(rate, is_drawn=False)
        self._due = 0.0
        """When the time of the last search was over."""
        self._rest = threading.Event()
        """Never set: to wait for it is to rest."""

    def perform(self, task: Hashable) -> WorkDone:
        """Look for a nonce.

        Raises:
            TypeError: That is not the task.
        """
        task = as_search(task)
        began, before = time.monotonic(), time.thread_time()
        searched = self._search(task, began + self._slice_s)
        cpu_s = time.thread_time() - before
        # What was lost between two searches is made good, up to a slice.
        self._due = max(self._due, began - self._slice_s) + searched.tried / self._rate
        self._rest.wait(max(0.0, self._due - time.monotonic()))
        return WorkDone(searched, self._counter.count(searched, cpu_s))

    def _search(self, task: SearchNonce, until: float) -> Searched:
        """Hash until a nonce is found, or the slice has all its tries, or its time is over on a machine too slow."""
        tried = 0
        while True:
            most = min(CHUNK, self._most - tried)
            found = search(self._hash_name, msgspec.structs.replace(task, start=task.start + tried), most)
            tried += found.tried
            if found.nonce is not None or tried == self._most or time.monotonic() > until:
                return Searched(found.nonce, tried)


class WorkTools(PartyTools[Setup]):
    """Gives a node its miner."""

    def build_workers(self, spec: NodeSpec) -> Mapping[type[Hashable], Worker]:
        """Return what looks for a node's nonces."""
        keys, genesis = as_work_keys(self.setup.keys), get_work_genesis(self.setup.mechanism)
        speed = compute_speed(spec)
        most = keys.count_slice(speed, is_simulated=False)
        return {SearchNonce: HashingMiner(keys.hash_rate * speed, most, hash_name=genesis.hash_name)}

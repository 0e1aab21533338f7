"""What looks for nonces: really, a slice at a time, or by drawing how many tries it takes."""

from collections.abc import Hashable

import numpy as np

from protocol.mechanisms.proof_of_work.genesis import HashName
from protocol.mechanisms.proof_of_work.work import GUESSES, Searched, SearchNonce, compute_stand_in, search
from simulation.engines import WorkDone
from simulation.foundation import NANOSECONDS
from simulation.records import Hashed
from simulation.scenario.world import NodeSpec


def compute_speed(spec: NodeSpec) -> float:
    """Return a node's power as a multiple of `hash_rate`: an owner that speaks as several nodes splits its own."""
    return spec.speed / spec.identities


class TryCounter:
    """Sums up tries until they are worth a record: when a nonce is found, and about every second."""

    def __init__(self, rate: float, *, is_drawn: bool) -> None:
        """Start at zero.

        Args:
            rate: Nonces tried in a second.
            is_drawn: Whether nothing is hashed.
        """
        self._rate = rate
        self._is_drawn = is_drawn
        self._tries = 0
        self._cpu_s = 0.0

    def count(self, searched: Searched, cpu_s: float) -> Hashed | None:
        """Add a search and the seconds it took; return the record that is due."""
        self._tries += searched.tried
        self._cpu_s += cpu_s
        is_found = searched.nonce is not None
        if not is_found and self._tries < self._rate:
            return None
        fact = Hashed(tries=self._tries, found=is_found, drawn=self._is_drawn, cpu_s=round(self._cpu_s, 6))
        self._tries, self._cpu_s = 0, 0.0
        return fact


class SimulatedMiner:
    """Looks for nonces in simulated time."""

    def __init__(self, rate: float, most: int, *, hash_name: HashName, generator: np.random.Generator | None) -> None:
        """Take a node's power.

        Args:
            rate: Nonces it tries in a second.
            most: Nonces it tries in a slice.
            hash_name: What it hashes with.
            generator: Draws how many tries it takes; None to really hash.
        """
        self._rate = rate
        self._most = most
        self._hash_name: HashName = hash_name
        self._generator = generator
        self._counter = TryCounter(rate, is_drawn=generator is not None)
        self._tried = 0
        """Nonces of the last search."""

    def perform(self, task: Hashable) -> WorkDone:
        """Look for a nonce.

        Raises:
            TypeError: That is not the task.
        """
        task = as_search(task)
        generator = self._generator
        searched = search(self._hash_name, task, self._most) if generator is None else self._draw(task, generator)
        self._tried = searched.tried
        return WorkDone(searched, self._counter.count(searched, searched.tried / self._rate))

    def charge(self, task: Hashable) -> int:
        """Return the simulated nanoseconds of the search that was just performed."""
        return round(self._tried / self._rate * NANOSECONDS)

    def _draw(self, task: SearchNonce, generator: np.random.Generator) -> Searched:
        """Return after how many tries a nonce is found, each of which has the same chance whatever came before."""
        tries = int(generator.geometric(task.target / GUESSES))
        return Searched(compute_stand_in(task.digest), tries) if tries <= self._most else Searched(None, self._most)


def as_search(task: Hashable) -> SearchNonce:
    """Return a task that must be to look for a nonce.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(task, SearchNonce):
        raise TypeError(f"a miner cannot do a {type(task).__name__}")
    return task

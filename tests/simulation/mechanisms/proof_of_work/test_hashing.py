"""What looks for nonces: slices, what is counted of them, and what they are charged in simulated time."""

from dataclasses import dataclass

import numpy as np
import pytest

from protocol.mechanisms.proof_of_work.difficulty import find_target
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_stand_in, search
from simulation.engines.worker import WorkDone
from simulation.mechanisms.proof_of_work.hashing import SimulatedMiner, TryCounter
from simulation.mechanisms.proof_of_work.party_tools import CHUNK, HashingMiner

EASY = SearchNonce(bytes(32), find_target(3_000), 0)
HOPELESS = SearchNonce(bytes(32), 1, 7)
WHOLE = search("sha256", EASY, 10**6)
"""What one long search finds."""


@dataclass(frozen=True)
class OtherWork:
    """Work that no miner does."""


class Desk:
    """Time that passes only while a miner rests, and another task that waits from some time on."""

    def __init__(self, due: float = float("inf"), *, lost: float = 0.0) -> None:
        self.now = 0.0
        self._due = due
        self._lost = lost

    def read(self) -> float:
        """Return the time; each look at the clock of a slow machine takes a while."""
        self.now += self._lost
        return self.now

    def is_waiting(self, seconds: float) -> bool:
        self.now = max(self.now, min(self._due, self.now + seconds))
        return self.now >= self._due

    def mine(self, rate: float, most: int) -> HashingMiner:
        return HashingMiner(rate, most, hash_name="sha512", clock=self.read)


def get(done: WorkDone) -> Searched:
    assert isinstance(done.result, Searched)
    return done.result


@pytest.mark.parametrize("most", [100, CHUNK, 1_300, 10**6])
def test_slices_of_any_length_find_what_one_search_finds(most: int) -> None:
    real = HashingMiner(1e9, most, hash_name="sha256")
    simulated = SimulatedMiner(1e9, most, hash_name="sha256", generator=None)
    for perform in (lambda task: real.perform(task, Desk().is_waiting), simulated.perform):
        start = 0
        while (found := get(perform(SearchNonce(EASY.digest, EASY.target, start)))).nonce is None:
            start += found.tried
        assert (found.nonce, start + found.tried) == (WHOLE.nonce, WHOLE.tried)


def test_a_machine_that_does_not_keep_up_ends_its_slice_all_the_same() -> None:
    desk = Desk(lost=0.01)
    found = get(desk.mine(1e6, 10**5).perform(HOPELESS, desk.is_waiting))  # a slice of a tenth of a second
    assert found.nonce is None
    assert found.tried <= 12 * CHUNK


def test_a_machine_that_keeps_up_tries_no_more_than_its_power() -> None:
    desk = Desk()
    miner = desk.mine(1e4, 900)
    for number in range(1, 5):
        assert get(miner.perform(HOPELESS, desk.is_waiting)) == Searched(None, 900)
        assert desk.now == pytest.approx(0.09 * number)


def test_another_task_ends_a_search_and_its_rest() -> None:
    desk = Desk(due=0.5)
    found = get(desk.mine(1e4, 10**6).perform(HOPELESS, desk.is_waiting))
    assert found.nonce is None
    assert desk.now == 0.5
    assert 5_000 <= found.tried <= 5_200
    busy = get(desk.mine(1e6, 10**6).perform(HOPELESS, desk.is_waiting))  # it waits already
    assert busy.tried == CHUNK


def test_simulated_time_is_charged_by_the_tries() -> None:
    miner = SimulatedMiner(2_000, 10**6, hash_name="sha256", generator=None)
    miner.perform(EASY)
    assert miner.charge(EASY) == WHOLE.tried * 500_000


def test_a_drawn_nonce_is_a_stand_in_and_a_slice_in_vain_is_charged_in_full() -> None:
    miner = SimulatedMiner(2_000, 100, hash_name="sha256", generator=np.random.default_rng(3))
    assert miner.perform(HOPELESS).result == Searched(None, 100)
    assert miner.charge(HOPELESS) == 50_000_000
    found = get(miner.perform(SearchNonce(bytes(32), 2**62, 0)))
    assert found.nonce == compute_stand_in(bytes(32))
    assert found.tried <= 100


def test_tries_are_told_when_a_nonce_is_found_and_about_every_second() -> None:
    counter = TryCounter(100, is_drawn=True)
    assert counter.count(Searched(None, 60), 0.6) is None
    told = counter.count(Searched(None, 60), 0.6)
    assert told is not None
    assert (told.tries, told.found, told.drawn, told.cpu_s) == (120, False, True, 1.2)
    told = counter.count(Searched(5, 1), 0.01)
    assert told is not None
    assert (told.tries, told.found) == (1, True)


def test_other_work_is_an_error_of_ours() -> None:
    desk = Desk()
    with pytest.raises(TypeError, match="a miner cannot do a OtherWork"):
        desk.mine(1e6, 10).perform(OtherWork(), desk.is_waiting)
    with pytest.raises(TypeError, match="a miner cannot do a OtherWork"):
        SimulatedMiner(1e6, 10, hash_name="sha256", generator=None).perform(OtherWork())

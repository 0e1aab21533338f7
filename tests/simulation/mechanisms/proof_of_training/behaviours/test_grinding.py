"""Adversaries that choose until the draws are theirs."""

from collections import Counter
from functools import cache

import pytest

from simulation.mechanisms.proof_of_training.behaviours.grinding import GRIND_TRIES
from simulation.mechanisms.proof_of_training.behaviours.members import Effort
from tests.support.judgements import observe
from tests.support.memory_runs import make_raw, population
from tests.support.profit import OWNERS, Taken, attack, bound, measure

pytestmark = pytest.mark.many_runs

FEW_A_SLOT = {"declarations_per_slot": 2.5}
"""Declaring takes some slots, as it does by default under version 1."""


@cache
def grind(rules: int, seeds: int, *, bad: int = 3, tries: int = GRIND_TRIES, is_slow: bool = False) -> Taken:
    """Return what grinders get in some runs, after a look at everybody else."""
    behaviour = {"kind": "grinder", "tries": tries}
    runs = [attack(behaviour, seed, rules, bad=bad, protocol=FEW_A_SLOT if is_slow else {}) for seed in range(seeds)]
    for run in runs:
        run.assert_unharmed()
        assert run.count_refused("bad") == run.count_refused_elsewhere("bad") == Counter()
    return measure(runs)


def test_under_version_1_a_few_who_grind_have_most_blocks_and_coins() -> None:
    taken = grind(1, 3)
    assert taken.proposed > taken.blocks * 2 / 3
    assert taken.coins > 3 * 3 / OWNERS


def test_without_the_hashes_they_have_much_less() -> None:
    assert grind(1, 3, tries=1).coins < 2 / 3 * grind(1, 3).coins


@pytest.mark.parametrize("bad", [6, 9])
def test_under_version_2_they_have_their_share(bad: int) -> None:
    taken = grind(2, 3, bad=bad)
    limit = bound(bad / OWNERS, taken.blocks)
    assert 0 < taken.proposed <= limit * taken.blocks
    assert taken.coins <= limit


def test_under_version_2_hiding_declarations_pays_where_declaring_takes_some_slots() -> None:
    taken = grind(2, 1, bad=9, is_slow=True)
    assert taken.proposed > bound(9 / OWNERS, taken.blocks) * taken.blocks


@pytest.mark.parametrize("rules", [1, 2])
def test_a_grinder_that_trains_nothing_says_nothing(rules: int) -> None:
    crowd = (population("honest", 9), population("bad", 3, "adversary", behaviours=["grinder", "lazy_verifier"]))
    observed = observe(make_raw(*crowd, protocol={"rules": rules}))
    observed.assert_unharmed()
    assert not observed.ended.find("trained", "bad-0")
    assert (observed.count_declared("bad"), observed.count_proposed("bad")) == (0, 0)


def test_an_effort_ends() -> None:
    effort = Effort(headers=5, blocks=1)
    assert [effort.take_headers(3), effort.take_headers(3), effort.take_headers(3)] == [3, 2, 0]
    assert [effort.take_block(), effort.take_block()] == [True, False]

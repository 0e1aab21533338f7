"""Adversaries that sign and wrap for their coalition only, held against the closed forms of what they get."""

from collections import Counter
from functools import cache
from math import sqrt
from typing import Any

import pytest

from simulation.mechanisms.proof_of_training.formulas import compute_partisan_blocks, compute_partisan_coins
from tests.support.judgements import Observed
from tests.support.profit import OWNERS, attack, bound, measure

pytestmark = pytest.mark.many_runs

REWARDS = (0.4, 0.3, 0.3)
JUST_ENOUGH = 11
"""Declarations that hold more than half of the stake."""


INSTANT: dict[str, Any] = {
    "network": {"latency": {"kind": "constant", "ms": 0.0}},
    "virtual": {"step_us": 1.0},
    "run": {"time_limit_s": 1000.0},
    "protocol": {"slot_ms": 1000.0, "headers_per_slot": 0.5},
}
"""Links and training take no time, which is what the closed forms are of."""


@cache
def take_sides(bad: int, leaves_out: bool) -> tuple[Observed, ...]:
    """Run partisans among twenty owners."""
    behaviour = {"kind": "partisan", "leaves_out": leaves_out}
    return tuple(attack(behaviour, seed, 2, bad=bad, **INSTANT) for seed in range(6))


def predict_blocks(bad: int) -> float:
    return compute_partisan_blocks(bad, OWNERS, stakeholders=3, headers_per_slot=0.5)


@pytest.mark.parametrize("bad", [6, 9])
def test_they_have_the_blocks_of_the_closed_form_which_are_more_than_their_share(bad: int) -> None:
    taken, expected = measure([*take_sides(bad, False)]), predict_blocks(bad)
    reach = 3.1 * sqrt(expected * (1 - expected) / taken.blocks)
    assert taken.proposed / taken.blocks == pytest.approx(expected, abs=reach)
    assert taken.proposed / taken.blocks > bound(bad / OWNERS, taken.blocks)


@pytest.mark.parametrize("bad", [6, 9])
@pytest.mark.parametrize("leaves_out", [False, True])
def test_their_coins_follow_from_their_blocks(bad: int, leaves_out: bool) -> None:
    taken = measure([*take_sides(bad, leaves_out)])
    listed = JUST_ENOUGH / OWNERS if leaves_out else 1.0
    expected = compute_partisan_coins(bad, OWNERS, REWARDS, blocks=taken.proposed / taken.blocks, listed=listed)
    assert taken.coins == pytest.approx(expected, abs=0.025)  # by chance they have more or fewer of the seats


def test_leaving_declarations_out_costs_their_proposers_and_more_than_it_costs_others() -> None:
    assert measure([*take_sides(6, True)]).coins < measure([*take_sides(6, False)]).coins
    for run in take_sides(6, True):
        members = run.get_members("bad")
        for block in run.get_chain():
            names = {run.name(item.author) for item in block.header.declarations}
            assert names >= members
            assert len(names) == (JUST_ENOUGH if run.name(block.header.author) in members else OWNERS)


@pytest.mark.parametrize("leaves_out", [False, True])
def test_nobody_is_refused_and_everybody_gets_the_job(leaves_out: bool) -> None:
    for run in take_sides(9, leaves_out):
        run.assert_unharmed()
        assert run.count_refused("bad") == run.count_refused_elsewhere("bad") == Counter()


def test_no_block_of_others_has_a_member_among_its_stakeholders() -> None:
    seats: Counter[tuple[bool, bool]] = Counter()
    for run in take_sides(6, False):
        members = run.get_members("bad")
        for block in run.get_chain():
            is_theirs = run.name(block.header.author) in members
            for author in (*(item.author for item in block.signatures), block.author):
                seats[is_theirs, run.name(author) in members] += 1
    assert seats[False, True] == 0
    assert all(seats[kind] for kind in ((False, False), (True, False), (True, True)))

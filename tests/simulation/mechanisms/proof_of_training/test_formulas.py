"""Closed forms against figures worked out elsewhere and against each other."""

import random
from itertools import pairwise
from math import comb
from typing import Any

import pytest

from simulation.mechanisms.proof_of_training.formulas import (
    bound_partisan_coins,
    compute_branch_rate,
    compute_partisan_blocks,
    compute_partisan_coins,
    compute_slots_to_block,
    deceive_employer,
    deceive_employer_by_inventing,
    deceive_employer_in_slots,
    deceive_employer_under,
    find_listed,
    prob_all_drawn,
)
from tests.support.races import win_from_any_block, win_race
from tests.support.rights import Kind, can_invent


@pytest.mark.parametrize(("attackers", "expected"), [(1, 0.273), (2, 0.491), (3, 0.661), (4, 0.788), (5, 0.879)])
def test_any_of_three_stakeholders_among_eleven(attackers: int, expected: float) -> None:
    assert 1 - prob_all_drawn(3, 11 - attackers, 11) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize(("attackers", "expected"), [(3, 0.0061), (5, 0.0606), (6, 0.121)])
def test_all_of_three_stakeholders_among_eleven(attackers: int, expected: float) -> None:
    assert prob_all_drawn(3, attackers, 11) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize("blocks", [1, 2, 3, 7])
def test_a_race_is_even_at_one_half_and_both_sides_sum_to_one(blocks: int) -> None:
    assert win_race(blocks, 0.5) == pytest.approx(0.5)
    assert win_race(blocks, 0.3) + win_race(blocks, 0.7) == pytest.approx(1)
    assert (win_race(blocks, 0.0), win_race(blocks, 1.0)) == (0.0, 1.0)


def test_a_race_agrees_with_races_that_were_run() -> None:
    rng = random.Random(1)  # noqa: S311 - a test's own draws
    share, blocks, runs = 0.4, 3, 20_000
    wins = 0
    for _ in range(runs):
        own = other = 0
        while own < blocks and other < blocks:
            if rng.random() < share:
                own += 1
            else:
                other += 1
        wins += own == blocks
    assert wins / runs == pytest.approx(win_race(blocks, share), abs=0.012)  # 3.5 standard deviations


def test_many_owners_give_the_form_without_replacement_its_limit() -> None:
    share, stakeholders = 0.4, 3
    odds = (share / (1 - share)) ** (stakeholders + 1)
    near = deceive_employer(4_000, 6_000, stakeholders=stakeholders, blocks=1)
    assert near == pytest.approx(odds / (1 + odds), rel=0.005)


def test_a_race_in_slots_agrees_with_races_that_were_run() -> None:
    rng = random.Random(2)  # noqa: S311 - a test's own draws
    attack, defence, blocks, runs = 8, 12, 2, 20_000
    rate: dict[str, Any] = {"stakeholders": 1, "headers_per_slot": 1.0}
    chances = [1 - (1 - side / 20 / 20) ** side for side in (attack, defence)]
    wins = 0.0
    for _ in range(runs):
        own = other = 0
        while own < blocks and other < blocks:
            own += rng.random() < chances[0]
            other += rng.random() < chances[1]
        wins += 0.5 if own == other else own == blocks
    expected = deceive_employer_in_slots(attack, defence, blocks=blocks, **rate)
    assert wins / runs == pytest.approx(expected, abs=0.012)  # 3.5 standard deviations
    assert deceive_employer_in_slots(10, 10, blocks=3, **rate) == pytest.approx(0.5)
    assert deceive_employer_in_slots(0, 10, blocks=3, **rate) == 0
    lazy = deceive_employer_in_slots(4, 8, stakeholders=3, blocks=3, headers_per_slot=0.5, lazy=8)
    assert lazy < deceive_employer(4, 8, stakeholders=3, blocks=3, lazy=8)


def test_lazy_verifiers_help_whoever_proposes() -> None:
    without = deceive_employer(4, 16, stakeholders=3, blocks=3)
    lazy = deceive_employer(4, 8, stakeholders=3, blocks=3, lazy=8)
    assert without < lazy < 0.5
    assert deceive_employer(4, 4, stakeholders=3, blocks=3, lazy=12) == pytest.approx(0.5)


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_without_lazy_verifiers_the_race_is_the_binomial_one(blocks: int) -> None:
    attack, defence = (compute_branch_rate(side, side, 20, 3) for side in (8, 12))
    expected = win_race(blocks, attack / (attack + defence))
    assert deceive_employer(8, 12, stakeholders=3, blocks=blocks) == pytest.approx(expected)


def test_a_stake_majority_is_a_step_and_a_count_is_none() -> None:
    rule = {"stakeholders": 3, "blocks": 3}
    majority = [deceive_employer_under(a, 20 - a, **rule, count=None, stake_share=0.5) for a in range(21)]
    assert majority == [0.0] * 11 + [1.0] * 10
    counted = [deceive_employer_under(a, 20 - a, **rule, count=3, stake_share=None) for a in range(21)]
    assert counted[:3] == [0.0] * 3
    assert counted[18:] == [1.0] * 3
    assert all(earlier < later for earlier, later in pairwise(counted[3:18]))


def find_share(attackers: int, honest: int, stakeholders: int) -> float:
    """Return the share of attackers' rights in those whose seats are all of one side."""
    attack, defence = (
        compute_branch_rate(side, side, attackers + honest, stakeholders) for side in (attackers, honest)
    )
    return attack / (attack + defence)


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_an_invented_end_that_is_only_waited_for_is_a_race_from_any_block(blocks: int) -> None:
    share = find_share(5, 7, 3)
    rare: dict[str, Any] = {"stakeholders": 3, "headers_per_slot": 1e-5}  # so that both sides never share a slot
    waited = deceive_employer_by_inventing(5, 7, blocks=blocks, is_helping=False, **rare)
    assert waited == pytest.approx(win_from_any_block(blocks, share), rel=1e-4)
    assert win_from_any_block(2, share) == pytest.approx(1 - (1 - share) ** 2 * (1 + share))
    helped = deceive_employer_by_inventing(5, 7, blocks=blocks, **rare)
    assert waited <= helped * (1 + 1e-9)
    assert helped <= 1.0001 * (1 - (1 - share) ** blocks)  # at most: one right before the last of the others'


def test_where_hardly_any_right_is_of_one_side_an_invented_end_needs_one_right_before_the_honest_end() -> None:
    share, blocks = find_share(500, 700, 5), 4
    helped = deceive_employer_by_inventing(500, 700, stakeholders=5, blocks=blocks, headers_per_slot=0.01)
    assert helped == pytest.approx(1 - (1 - share) ** blocks, rel=0.1)


@pytest.mark.many_runs
@pytest.mark.parametrize(("blocks", "stakeholders"), [(2, 3), (3, 2)])
def test_an_invented_end_agrees_with_draws_in_which_every_choice_is_tried(blocks: int, stakeholders: int) -> None:
    rng = random.Random(3)  # noqa: S311 - a test's own draws
    attackers, owners, runs = 4, 12, 1500

    def draw_kind() -> Kind:
        needed = [
            {owner, *rng.sample(range(owners), stakeholders)} for owner in range(owners) if rng.random() < 1 / owners
        ]
        members = [sum(owner < attackers for owner in seats) for seats in needed]
        full = [count == len(seats) for count, seats in zip(members, needed, strict=True)]
        shared = [0 < count < len(seats) for count, seats in zip(members, needed, strict=True)]
        return any(full), 0 in members, any(shared)

    won = sum(can_invent([draw_kind() for _ in range(100)], blocks) for _ in range(runs))
    expected = deceive_employer_by_inventing(
        attackers, owners - attackers, stakeholders=stakeholders, blocks=blocks, headers_per_slot=1.0
    )
    assert won / runs == pytest.approx(expected, abs=3.5 * (expected * (1 - expected) / runs) ** 0.5)


def test_an_invented_end_needs_the_confidence_and_all_seats() -> None:
    rule: dict[str, Any] = {"stakeholders": 3, "blocks": 2, "headers_per_slot": 0.5}
    majority = [deceive_employer_by_inventing(a, 20 - a, **rule, stake_share=0.5) for a in range(21)]
    assert majority == [0.0] * 11 + [1.0] * 10
    counted = [deceive_employer_by_inventing(a, 20 - a, **rule, count=3) for a in range(21)]
    assert (counted[:3], counted[18:]) == ([0.0] * 3, [1.0] * 3)
    races = [deceive_employer_in_slots(a, 20 - a, **rule) for a in range(3, 18)]
    assert all(race < inventing for race, inventing in zip(races, counted[3:18], strict=True))
    assert deceive_employer_by_inventing(3, 17, **{**rule, "stakeholders": 4}, count=3) == 0.0


def test_withholders_multiply_the_time_to_a_block() -> None:
    rare = 0.001  # so that two headers never share a slot
    assert compute_slots_to_block(0, 11, stakeholders=3, headers_per_slot=rare) == pytest.approx(1000, rel=0.001)
    third = compute_slots_to_block(3, 11, stakeholders=3, headers_per_slot=rare)
    assert third == pytest.approx(1000 / (1 - 0.661), rel=0.002)
    assert compute_slots_to_block(0, 1, stakeholders=1, headers_per_slot=1.0) == 1
    assert compute_slots_to_block(9, 11, stakeholders=3, headers_per_slot=0.5) == float("inf")
    silent = compute_slots_to_block(3, 11, stakeholders=3, headers_per_slot=rare, do_propose=False)
    assert silent == pytest.approx(third * 11 / 8, rel=0.002)


def list_slots(owners: int, chance: float) -> list[float]:
    """Return how likely a slot has none, one, two, ... of the rights of some owners."""
    return [comb(owners, some) * chance**some * (1 - chance) ** (owners - some) for some in range(owners + 1)]


@pytest.mark.parametrize(("partisans", "owners", "per_slot"), [(2, 20, 0.5), (9, 20, 0.5), (3, 8, 4.0), (7, 8, 1.0)])
def test_partisans_win_the_slots_in_which_the_lowest_of_all_tickets_is_theirs(
    partisans: int, owners: int, per_slot: float
) -> None:
    honest, won = owners - partisans, per_slot / owners
    completing = won * prob_all_drawn(3, honest, owners)
    slots = [
        (first * second, own / (own + others))
        for own, first in enumerate(list_slots(partisans, won))
        for others, second in enumerate(list_slots(honest, completing))
        if own + others
    ]
    expected = sum(chance * share for chance, share in slots) / sum(chance for chance, _ in slots)
    found = compute_partisan_blocks(partisans, owners, stakeholders=3, headers_per_slot=per_slot)
    assert found == pytest.approx(expected)


def test_where_rights_are_rare_partisans_lose_only_to_headers_whose_stakeholders_are_all_honest() -> None:
    rare: dict[str, Any] = {"stakeholders": 3, "headers_per_slot": 1e-6}
    shares = [compute_partisan_blocks(some, 20, **rare) for some in range(21)]
    expected = [some / (some + (20 - some) * prob_all_drawn(3, 20 - some, 20)) for some in range(21)]
    assert shares == pytest.approx(expected, rel=1e-4)
    assert shares[18:] == pytest.approx([1.0] * 3)
    lone = compute_partisan_blocks(6, 20, stakeholders=1, headers_per_slot=0.5)
    assert lone < compute_partisan_blocks(6, 20, stakeholders=5, headers_per_slot=0.5)


def test_leaving_out_pays_who_has_more_of_the_coins_than_of_what_vanishes() -> None:
    rewards, limit = (0.4, 0.3, 0.3), 0.4 / 0.7
    seen = set()
    for some in range(1, 11):
        blocks = compute_partisan_blocks(some, 20, stakeholders=3, headers_per_slot=0.5)
        whole = compute_partisan_coins(some, 20, rewards, blocks=blocks)
        left_out = compute_partisan_coins(some, 20, rewards, blocks=blocks, listed=11 / 20)
        assert (left_out < whole) == (whole < limit)
        seen.add(left_out < whole)
    assert seen == {False, True}
    for some in range(1, 10):  # who has its share of blocks and seats has its share of coins, and loses by leaving out
        share = some / 20
        plain = 0.4 * share + 0.3 * share + 0.3 * share * share  # a partisan has no seat in others' blocks
        assert compute_partisan_coins(some, 20, rewards, blocks=share) == pytest.approx(plain)
    assert compute_partisan_coins(20, 20, rewards, blocks=1.0) == pytest.approx(1.0)


def test_no_veto_brings_more_coins_than_the_best_choice_of_headers() -> None:
    rewards = (0.4, 0.3, 0.3)

    def bound(some: int, stakeholders: int = 3) -> float:
        return bound_partisan_coins(some, 20, rewards, stakeholders=stakeholders, listed=max(some, 11) / 20)

    for some in range(1, 10):
        rare = some / (some + (20 - some) * prob_all_drawn(3, 20 - some, 20))
        plain = compute_partisan_coins(some, 20, rewards, blocks=rare)
        left_out = compute_partisan_coins(some, 20, rewards, blocks=rare, listed=11 / 20)
        assert bound(some) >= max(plain, left_out, some / 20) - 1e-9
    assert bound(2) == pytest.approx(0.1)  # it does what honest nodes do
    assert bound(3) > 3 / 20 + 0.001
    assert bound(6) == pytest.approx(0.371, abs=5e-4)
    assert bound(9) == pytest.approx(0.606, abs=5e-4)
    assert bound(9, stakeholders=1) < bound(9)
    assert bound(20) == pytest.approx(1.0)


def test_a_header_needs_the_members_and_what_confidence_needs_besides() -> None:
    majority = [find_listed(some, 20, count=None, stake_share=0.5) for some in (1, 9, 12)]
    assert majority == [11 / 20, 11 / 20, 12 / 20]
    assert [find_listed(some, 20, count=3, stake_share=None) for some in (1, 9)] == [3 / 20, 9 / 20]

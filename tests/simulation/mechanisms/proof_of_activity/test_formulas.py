"""The closed forms of proof of activity give the numbers that are known of them."""

from itertools import product
from math import comb

import pytest

from simulation.mechanisms.proof_of_activity.closed_forms import predict
from simulation.mechanisms.proof_of_activity.formulas import (
    compute_partisan_blocks,
    compute_partisan_coins,
    compute_power_needed,
    compute_through,
)
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.proof_of_activity.scenarios import make_raw, withholders

ALL, DECRED = (3, 3), (5, 3)


@pytest.mark.parametrize(("online", "through"), [(0.9, 0.729), (0.75, 0.421875), (0.5, 0.125), (1.0, 1.0), (0.0, 0.0)])
def test_a_template_comes_through_with_the_power_of_the_share_online(online: float, through: float) -> None:
    assert compute_through(online, *ALL) == pytest.approx(through)


@pytest.mark.parametrize("group", [(3, 3), (5, 3), (4, 1)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_it_is_the_sum_over_all_draws(group: tuple[int, int], share: float) -> None:
    drawn, needed = group
    slow = 0.0
    for places in product((True, False), repeat=drawn):
        chance = 1.0
        for is_online in places:
            chance *= share if is_online else 1 - share
        slow += chance * (sum(places) >= needed)
    assert compute_through(share, drawn, needed) == pytest.approx(slow)


@pytest.mark.parametrize(
    ("group", "share", "times"),
    [
        (ALL, 0.1, 729), (ALL, 0.2, 64), (ALL, 0.3, 12.7), (ALL, 0.4, 3.375), (ALL, 0.5, 1),
        (DECRED, 0.1, 115.8), (DECRED, 0.2, 16.3), (DECRED, 0.3, 5.13), (DECRED, 0.4, 2.15), (DECRED, 0.5, 1),
    ],
)  # fmt: skip
def test_taking_over_takes_so_many_times_the_hashes_of_all_others(
    group: tuple[int, int], share: float, times: float
) -> None:
    assert compute_power_needed(share, *group) == pytest.approx(times, rel=0.005)


def test_without_coins_no_hashes_are_enough() -> None:
    assert compute_power_needed(0.0, *ALL) == float("inf")


def test_withholders_without_coins_have_their_share_of_the_work_and_with_all_of_them_everything() -> None:
    assert compute_partisan_blocks(0.3, 0.0, *ALL) == pytest.approx(0.3)
    assert compute_partisan_blocks(0.3, 1.0, *ALL) == 1
    assert compute_partisan_blocks(0.3, 0.3, *ALL) == pytest.approx(0.3 / (0.3 + 0.7 * 0.343))


def test_withholders_are_paid_for_their_own_blocks_alone() -> None:
    blocks, shares = compute_partisan_blocks(0.3, 0.3, *ALL), (0.5, 0.3, 0.2)
    assert compute_partisan_coins(0.3, 0.3, *ALL, shares) == pytest.approx(blocks * (0.5 + 0.5 * 0.3))
    assert compute_partisan_coins(0.3, 0.0, *DECRED, (0.7, 0.3, 0.0)) == pytest.approx(0.3 * 0.7)
    assert compute_partisan_coins(0.3, 1.0, *DECRED, (0.7, 0.3, 0.0)) == 1
    slow, paid = compute_partisan_blocks(0.3, 0.4, *DECRED), 0.0
    for votes in (3, 4, 5):
        paid += comb(5, votes) * 0.6**votes * 0.4 ** (5 - votes) / compute_through(0.6, *DECRED) * votes / 5
    found = compute_partisan_coins(0.3, 0.4, *DECRED, (0.7, 0.3, 0.0))
    assert found == pytest.approx(slow * 0.82 / (slow + (1 - slow) * paid))


def test_what_is_foretold_of_a_scenario_is_what_its_populations_have() -> None:
    raw = make_raw({"count": 5, "speed": 1.4}, withholders(2, stake=250.0, speed=1.5))
    found = predict(Scenario.model_validate(raw))
    assert found == {
        "measures.templates.through_of.honest": pytest.approx(0.125),
        "measures.templates.through_of.withholders": 1.0,
        "measures.proposed.withholders": pytest.approx(0.3 / (0.3 + 0.7 * 0.125)),
        "training.shares.withholders.coins": pytest.approx(0.3 / (0.3 + 0.7 * 0.125) * 0.75),
    }
    assert predict(Scenario.model_validate({**raw, "network": {"latency": {"ms": 50.0}}})) == {}
    slow_votes = make_raw({"count": 5}, withholders(), mechanism={"preset": "decred"}, protocol={"slot_ms": 100.0})
    assert predict(Scenario.model_validate(slow_votes)) == {}
    prompt_votes = {**slow_votes, "protocol": {"slot_ms": 10.0}}
    assert predict(Scenario.model_validate(prompt_votes))["measures.templates.through_of.honest"] == pytest.approx(
        compute_through(5 / 6, *DECRED)
    )

"""Adversaries that make others' blocks once more, for themselves."""

from collections import Counter
from typing import Any

import pytest

from simulation.records.record import Record
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.profit import OWNERS, attack, measure

pytestmark = pytest.mark.many_runs

# ---- late replacer ----

AFTER_S = 60.0
AWAY = {"outages": [{"node": "honest-0", "down_s": 0.2, "up_s": 75.0}]}
"""The run goes on until this node is back."""


def replace(seed: int, rules: int, **more: Any) -> Observed:
    observed = attack({"kind": "late_replacer", "after_s": AFTER_S}, seed, rules, stages=3, network=AWAY, **more)
    observed.assert_unharmed()
    return observed


def list_replaced(observed: Observed) -> list[Record]:
    """Return where parties have left the last block for another one, long after the job was over."""
    late = [item for item in observed.ended.find("appended") if item.time > AFTER_S / 2 and item.who != "honest-0"]
    return [item for item in late if item.fields["reorg"]]


def test_under_version_1_everybody_gives_up_the_last_block_a_minute_later() -> None:
    observed = replace(5, 1)
    replaced = list_replaced(observed)
    members = observed.get_members("bad")
    assert {item.who for item in replaced} >= {"employer", *observed.honest} - {"honest-0"}
    assert {item.fields["height"] for item in replaced} == {3}
    assert min(item.time for item in replaced) > AFTER_S
    last = observed.get_chain("employer")[-1]
    assert {observed.name(last.header.author), observed.name(last.author)} <= members
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == Counter()
    with_work = {item.fields["block"] for item in observed.ended.find("appended") if item.time < AFTER_S / 2}
    assert replaced[0].fields["block"] not in with_work


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_under_version_2_nobody_gives_up_a_block_that_is_settled(seed: int) -> None:
    observed = replace(seed, 2)
    assert observed.name(observed.get_chain()[-1].header.author) not in observed.get_members("bad")
    assert list_replaced(observed) == []


# ---- sibling rider ----


def ride(seed: int, rules: int) -> Observed:
    observed = attack("sibling_rider", seed, rules, stages=8)
    observed.assert_unharmed()
    assert not [item for item in observed.ended.find("trained") if item.who in observed.get_members("bad")]
    return observed


def test_under_version_1_who_trains_nothing_has_most_coins() -> None:
    runs = [ride(seed, 1) for seed in range(3)]
    taken = measure(runs)
    assert taken.proposed > taken.blocks / 2
    assert taken.coins > 2.5 * 3 / OWNERS
    assert all(run.count_refused("bad") == run.count_refused_elsewhere("bad") == Counter() for run in runs)


def test_under_version_2_who_trains_nothing_gets_nothing() -> None:
    taken = measure([ride(seed, 2) for seed in range(3)])
    assert (taken.proposed, taken.coins) == (0, 0.0)


def test_under_version_2_the_secret_of_another_is_refused() -> None:
    """Where nearly all are riders, most rights have riders alone for stakeholders, so that their blocks go out."""
    observed = attack(
        "sibling_rider",
        1,
        2,
        bad=19,
        stages=2,
        protocol={"confidence": {"stake_share": 0.0}, "stakeholders": 1},
        run={"time_limit_s": 30.0},
    )
    refused = observed.count_refused("bad")
    assert refused["different-secret"] > 0
    assert observed.count_proposed("bad") == 0


@pytest.mark.parametrize("behaviours", [["sibling_rider", "lazy_verifier"], ["lazy_verifier", "sibling_rider"]])
def test_a_behaviour_may_stand_beside_the_one_it_builds_on(behaviours: list[str]) -> None:
    crowd = (population("honest", 6), population("bad", 2, "adversary", behaviours=behaviours))
    observed = observe(make_raw(*crowd, protocol={"rules": 2}))
    observed.assert_unharmed()
    assert observed.count_proposed("bad") == 0

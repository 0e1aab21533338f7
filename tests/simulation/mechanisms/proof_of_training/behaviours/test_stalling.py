"""Adversaries that hold up rounds: version 1 of the rules lets them, version 2 does not."""

from functools import cache
from typing import Any

import pytest

from simulation.analysis.after_run import must_progress
from simulation.scenario.scenario import Scenario
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("stalling")]

SEEDS = range(1, 7)


def make(*behaviours: Any, seed: int, rules: dict[str, Any], bad: int = 3) -> dict[str, Any]:
    crowd = (population("honest", 8), population("bad", bad, "adversary", behaviours=list(behaviours)))
    protocol = {"confidence": {"stake_share": 0.5}, "stakeholders": 3, "declarations_per_slot": 2.5, **rules}
    limits = {"time_limit_s": 60.0, "linger_s": 5.0}
    return make_raw(*crowd, seed=seed, job={"stages": 5}, protocol=protocol, run=limits)


# ---- private declarer ----

BEFORE: dict[str, Any] = {"rules": 1}
AFTER: dict[str, Any] = {"rules": 2}
CLOSED: dict[str, Any] = {"rules": 2, "without": ["open_rounds"]}


@cache
def whisper(seed: int, rules: int) -> Observed:
    return observe(make("private_declarer", seed=seed, rules={"rules": rules}))


def test_under_version_1_a_small_coalition_stops_the_chain_for_ever() -> None:
    """What is long enough for the job ten times over is not enough any more."""
    runs = [whisper(seed, 1) for seed in SEEDS]
    assert sum(run.ended.reason == "time-limit" for run in runs) >= 3
    for run in runs:
        assert run.ended.broken is None
        assert run.count_refused("bad") == run.count_refused_elsewhere("bad") == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_under_version_2_the_chain_goes_on(seed: int) -> None:
    observed = whisper(seed, 2)
    observed.assert_unharmed()
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_open_rounds_are_what_it_takes() -> None:
    runs = [observe(make("private_declarer", seed=seed, rules=CLOSED)) for seed in SEEDS]
    assert any(run.ended.reason == "time-limit" for run in runs)


@pytest.mark.parametrize("rules", [1, 2])
def test_members_declare_to_one_another_alone_and_sign_nothing(rules: int) -> None:
    proposed = 0
    for seed in SEEDS:
        observed = whisper(seed, rules)
        members = observed.get_members("bad")
        told = [item for item in observed.ended.find("sent") if item.who in members]
        assert {item.fields["kind"] for item in told} <= {"declaration", "header", "head", "request", "response"}
        declared = [item for item in told if item.fields["kind"] == "declaration"]
        assert declared
        assert {item.fields["to"] for item in declared} <= members
        assert observed.count_outcomes("bad", "declaration").total() == 0
        proposed += sum(item.fields["kind"] == "header" for item in told)
        assert observed.count_proposed("bad") == observed.count_wrapped("bad") == 0
    assert proposed > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_trains_nothing_closes_no_round(seed: int) -> None:
    observed = observe(make("lazy_verifier", "private_declarer", "free_rider", seed=seed, rules=AFTER))
    observed.assert_unharmed()
    assert observed.count_outcomes("bad", "header").total() == 0


@pytest.mark.parametrize(("rules", "is_promised"), [(BEFORE, False), (CLOSED, False), (AFTER, True)])
def test_progress_is_promised_where_it_cannot_be_held_up(rules: dict[str, Any], is_promised: bool) -> None:
    scenario = Scenario.model_validate(make("private_declarer", seed=1, rules=rules, bad=2))
    assert must_progress(scenario) == is_promised


# ---- sibling staller ----


@cache
def show_siblings(seed: int, rules: int) -> Observed:
    return observe(make({"kind": "sibling_staller", "versions": 20}, seed=seed, rules={"rules": rules}))


def count_reorganisations(observed: Observed) -> int:
    return sum(bool(item.fields["reorg"]) for item in observed.ended.find("appended", "honest-0"))


def count_versions(observed: Observed) -> int:
    """Return the most blocks that attackers have shown at one height."""
    members = observed.get_members("bad")
    shown = [item for item in observed.ended.find("sent", kind="block") if item.who in members]
    keys = [(item.who, item.fields["height"]) for item in shown]
    return max(map(keys.count, keys), default=0)


def test_under_version_1_one_header_is_many_reorganisations() -> None:
    runs = [show_siblings(seed, 1) for seed in SEEDS]
    assert max(map(count_reorganisations, runs)) > 10
    assert max(map(count_versions, runs)) > 10
    for run in runs:
        run.assert_unharmed()
        assert run.count_refused("bad") == run.count_refused_elsewhere("bad") == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_under_version_2_one_header_is_one_block(seed: int) -> None:
    observed = show_siblings(seed, 2)
    observed.assert_unharmed()
    doubled = observed.ended.find("used_twice", "honest-0")
    assert count_reorganisations(observed) <= len(doubled) + 1  # and perhaps one that any run may have
    assert count_versions(observed) <= 2
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_under_version_2_all_who_have_to_sign_a_second_block_must_be_members() -> None:
    doubled = []
    for seed in SEEDS:
        rules = {"rules": 2, "stakeholders": 1}
        observed = observe(make({"kind": "sibling_staller", "versions": 20}, seed=seed, rules=rules, bad=6))
        members = observed.get_members("bad")
        doubled += observed.ended.find("used_twice", "honest-0")
        assert {item.fields["author"] for item in doubled} <= set(members)
    assert doubled

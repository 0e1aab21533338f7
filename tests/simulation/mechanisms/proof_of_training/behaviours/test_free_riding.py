"""Adversaries that want the reward of training without the training."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.weakened import include_what_is_sent, leave_the_window_open, take_any_commitment

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 7)
NO_LATENCY = {"latency": {"kind": "constant", "ms": 0.0}}


def attack(behaviour: str, seed: int, *others: dict[str, Any], **sections: Any) -> Observed:
    crowd = (population("honest", 5), population("bad", 2, "adversary", behaviours=[behaviour]), *others)
    return observe(make_raw(*crowd, seed=seed, **sections))


def count_paid(observed: Observed, population: str) -> int:
    """Return the micro-coins that blocks of an honest chain pay to a population's nodes."""
    members = observed.get_members(population)
    return sum(
        line.amount
        for block in observed.get_chain()
        for line in block.coinbase
        if observed.name(line.account) in members
    )


# ---- free rider ----


def ride(seed: int, rules: int = 1) -> Observed:
    """Run free riders where every second header dies, so that later headers could carry what came too late."""
    mute = population("mute", 2, "silent")
    return attack("free_rider", seed, mute, network=NO_LATENCY, job={"stages": 5}, protocol={"rules": rules})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_free_rider_is_refused_and_never_paid_as_a_declarer(seed: int) -> None:
    observed = ride(seed)
    observed.assert_unharmed()
    declared = observed.count_outcomes("bad", "declaration")
    assert declared["bad-commitment"] > 0
    assert declared["window-closed"] > 0
    assert declared["accept"] == 0
    assert observed.count_refused("bad") == {"bad-commitment": declared["bad-commitment"]}
    assert observed.count_refused_elsewhere("bad") == {}
    assert observed.count_declared("bad") == 0
    assert not observed.ended.find("trained", "bad-0")


@pytest.mark.parametrize("seed", SEEDS)
def test_under_version_2_a_shown_secret_is_of_no_use_to_a_free_rider(seed: int) -> None:
    observed = ride(seed, rules=2)
    observed.assert_unharmed()
    declared = observed.count_outcomes("bad", "declaration")
    assert declared["bad-commitment"] > 5
    assert declared["accept"] == 0
    assert observed.count_refused_elsewhere("bad") == {}
    assert count_paid(observed, "bad") == 0


@pytest.mark.parametrize("breakage", [take_any_commitment, leave_the_window_open])
def test_without_the_commitment_or_the_window_a_free_rider_is_paid(
    breakage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    runs = [ride(seed) for seed in SEEDS]
    assert sum(run.count_declared("bad") > 0 for run in runs) >= len(SEEDS) - 1
    assert all(not run.ended.find("trained", "bad-0") for run in runs)


def test_under_version_1_a_free_rider_is_paid_where_its_declaration_overtakes_a_header_that_dies() -> None:
    """A limit of version 1: the window closes when a header arrives, so it closes later for some than for others."""
    mute = population("mute", 2, "silent")
    slow = {"latency": {"kind": "uniform", "ms": 5.0, "max_ms": 200.0}}
    paid = {}
    for rules in (1, 2):
        protocol = {"stakeholders": 3, "rules": rules}
        runs = [
            attack("free_rider", seed, mute, network=slow, protocol=protocol, job={"stages": 4}) for seed in range(10)
        ]
        paid[rules] = sum(run.count_declared("bad") for run in runs) / sum(len(run.get_chain()) for run in runs)
    assert 0 < paid[1] < 1 / 2
    assert paid[2] == 0


# ---- lazy verifier ----


@pytest.mark.parametrize("seed", SEEDS)
def test_under_version_1_a_lazy_verifier_costs_nobody_anything_and_is_paid(seed: int) -> None:
    observed = attack("lazy_verifier", seed, job={"stages": 6}, protocol={"stakeholders": 3, "rules": 1})
    observed.assert_unharmed()
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}
    assert (observed.count_proposed("bad"), observed.count_declared("bad")) == (0, 0)
    assert not observed.ended.find("trained", "bad-0")
    assert observed.ended.result.chains["bad-0"] == observed.ended.result.chains["honest-0"]
    earned = observed.ended.tally.nodes
    assert sum(earned[label].balance for label in observed.get_members("bad")) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_under_version_2_a_lazy_verifiers_word_counts_nothing_and_earns_nothing(seed: int) -> None:
    observed = attack("lazy_verifier", seed, job={"stages": 6}, protocol={"stakeholders": 3})
    observed.assert_unharmed()
    assert set(observed.count_refused("bad")) == {"untrained-stakeholder"}
    assert observed.count_refused_elsewhere("bad") == {}
    assert count_paid(observed, "bad") == 0


def poison_the_lazy(lazy: str, seed: int) -> Observed:
    crowd = [population("honest", 3), population("poisoners", 3, "data_injection")]
    role: dict[str, Any] = {"role": "adversary", "behaviours": ["lazy_verifier"]} if lazy == "lazy" else {}
    crowd.append({**population("others", 5), **role})
    return observe(make_raw(*crowd, seed=seed))


def count_poisoned(observed: Observed, label: str) -> int:
    tally = observed.ended.tally
    return sum(tally.is_poisoned(block) for block in tally.appended_by[label])


def test_a_lazy_majority_lets_poison_reach_the_lazy_and_the_employer_but_not_the_honest() -> None:
    runs = [poison_the_lazy("lazy", seed) for seed in range(8)]
    assert [run.ended.broken for run in runs] == [None] * len(runs)
    assert [run.ended.tally.count_poisoned_honest() for run in runs] == [0] * len(runs)
    reached = [run for run in runs if count_poisoned(run, "others-0")]
    assert len(reached) >= 3
    assert sum(run.ended.tally.count_poisoned_employer() > 0 for run in reached) >= 1
    assert all(run.count_refused("poisoners")["different-weights"] > 0 for run in runs)


def test_where_the_same_nodes_check_what_they_sign_no_poison_is_in_any_chain() -> None:
    for seed in range(8):
        observed = poison_the_lazy("others", seed)
        observed.assert_unharmed()
        assert count_poisoned(observed, "others-0") == 0
        assert observed.ended.tally.count_poisoned_employer() == 0


# ---- declaration spoiler ----


@pytest.mark.parametrize("seed", SEEDS)
def test_a_spoiled_declaration_is_left_out_of_honest_headers(seed: int) -> None:
    observed = attack("declaration_spoiler", seed)
    observed.assert_unharmed()
    declared = observed.count_outcomes("bad", "declaration")
    assert declared["bad-commitment"] > 0
    assert declared["accept"] == 0
    assert observed.count_refused("bad") == {"bad-commitment": declared["bad-commitment"]}
    assert observed.count_refused_elsewhere("bad") == {}
    spoilers = observed.get_members("bad")
    for block in observed.get_chain():
        if observed.name(block.header.author) not in spoilers:
            assert not {observed.name(item.author) for item in block.header.declarations} & spoilers


def test_proposers_that_included_what_they_are_sent_would_never_get_a_header_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    include_what_is_sent(monkeypatch)
    runs = [attack("declaration_spoiler", seed, run={"time_limit_s": 30.0}) for seed in SEEDS]
    spoiled = sum(run.ended.tally.rejected_from["honest"]["bad-commitment"] for run in runs)
    assert spoiled > 100
    assert sum(run.ended.reason == "time-limit" for run in runs) >= len(SEEDS) - 1

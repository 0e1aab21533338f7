"""Adversaries that send only what is valid, but not to whom or when they should."""

from functools import cache
from typing import Any

import pytest

from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("withholding")]

SEEDS = range(1, 7)
WITHHELD = ("declaration", "header", "signature", "block")
KINDS = {"declaration": "declaration", "header": "header", "signature": "stakeholder", "block": "block"}
"""What messages are called in records."""


def attack(behaviour: Any, seed: int, *, honest: int = 5, bad: int = 2, **sections: Any) -> Observed:
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=[behaviour]))
    return observe(make_raw(*crowd, seed=seed, **sections))


# ---- withholder ----

SLOW = {"headers_per_slot": 0.05, "stakeholders": 3}
"""Rules under which one header is done with before the next one comes."""


@cache
def withhold(what: str, seed: int, rules: int = 2) -> Observed:
    behaviour = {"kind": "withholder", "what": what} if what else "censoring_wrapper"
    return attack(behaviour, seed, honest=4, bad=3, job={"stages": 6}, protocol={**SLOW, "rules": rules})


@pytest.mark.parametrize("what", WITHHELD)
def test_a_withholder_is_refused_nothing_and_gets_nothing_for_what_it_withholds(what: str) -> None:
    for seed in SEEDS:
        observed = withhold(what, seed)
        observed.assert_unharmed()
        assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}
        members = observed.get_members("bad")
        sent = {str(item.fields["kind"]) for item in observed.ended.find("sent") if item.who in members}
        assert KINDS[what] not in sent
        assert sent & set(KINDS.values())
        signers = {observed.name(item.author) for block in observed.get_chain() for item in block.signatures}
        kept = {
            "declaration": observed.count_declared("bad"),
            "header": observed.count_proposed("bad"),
            "signature": len(signers & members),
            "block": observed.count_wrapped("bad"),
        }
        assert kept[what] == 0


def measure(what: str, rules: int = 2) -> tuple[float, float]:
    """Return which share of headers become blocks, and the mean time of a run."""
    headers, blocks, seconds, seeds = 0, 0, 0.0, range(20)
    for seed in seeds:
        observed = withhold(what, seed, rules)
        heard = {item.header for item in observed.judgements if item.who == "honest-0" and item.kind == "header"}
        headers += len(heard) + len(observed.ended.find("sent", "honest-0", kind="header"))
        blocks += len(observed.ended.tally.appended_by["honest-0"])
        seconds += max(item.time for item in observed.ended.find("appended", "honest-0"))
    return blocks / headers, seconds / len(seeds)


def test_a_header_completes_as_often_as_nobody_who_withholds_is_drawn() -> None:
    assert measure("")[0] > 0.97
    assert measure("signature")[0] == pytest.approx(4 / 7 * 3 / 6, abs=0.07)  # two signers drawn without replacement
    assert measure("block")[0] == pytest.approx(4 / 7, abs=0.09)


@pytest.mark.parametrize("what", WITHHELD)
def test_withholding_slows_the_chain(what: str) -> None:
    least = {"declaration": 1.05, "header": 1.25, "signature": 2.5, "block": 1.5}
    rules = 1 if what == "declaration" else 2  # while rounds are open, two declarations are soon there without them
    assert measure(what, rules)[1] > least[what] * measure("", rules)[1]


# ---- censoring wrapper ----

TRANSFERS = {"count": 4, "transactions": 12, "per_second": 6.0}


@pytest.mark.parametrize("rules", [1, 2])
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_censored_blocks_are_valid_and_transfers_wait_for_whoever_is_honest(seed: int, rules: int) -> None:
    sections: dict[str, Any] = {"users": TRANSFERS, "job": {"stages": 16}, "protocol": {"rules": rules}}
    observed = attack("censoring_wrapper", seed, bad=3, **sections)
    observed.assert_unharmed()
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}
    members = observed.get_members("bad")
    chosen_by = [block.header.author if rules == 2 else block.author for block in observed.get_chain()]
    censored = [
        block for block, author in zip(observed.get_chain(), chosen_by, strict=True) if observed.name(author) in members
    ]
    assert censored
    assert not any(block.transactions for block in censored)
    assert sum(len(block.transactions) for block in observed.get_chain()) == TRANSFERS["transactions"]


def test_where_nearly_everybody_censors_transfers_wait_longer() -> None:
    def measure_wait(bad: int) -> float:
        waits = []
        sections: dict[str, Any] = {"users": TRANSFERS, "job": {"stages": 30}, "protocol": {"rules": 1}}
        for seed in SEEDS:
            observed = attack("censoring_wrapper", seed, honest=8 - bad, bad=bad, **sections)
            heights = [block.height for block in observed.get_chain() for _ in block.transactions]
            waits += heights
        return sum(waits) / len(waits)

    assert measure_wait(6) > 1.3 * measure_wait(1)

"""Adversaries that want others' room and bandwidth."""

from typing import Any

import pytest

from protocol import mempool
from protocol.catch_up import MAX_BLOCKS_PER_RESPONSE
from protocol.mechanisms.proof_of_training.repairs import OPENING_DEPOSIT
from protocol.participant import ANNOUNCE_EVERY_SLOTS
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.weakened import answer_every_request, keep_what_came_first

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 4)
SLOT_S = 0.1
TRANSFERS = {"count": 3, "transactions": 24, "per_second": 4.0}


def attack(behaviour: Any, seed: int, rules: int, **sections: Any) -> Observed:
    crowd = (population("honest", 5), population("bad", 2, "adversary", behaviours=[behaviour]))
    return observe(make_raw(*crowd, seed=seed, protocol={"rules": rules}, **sections))


# ---- pool filler ----


def stuff(seed: int, rules: int) -> Observed:
    """Fill pools of 400 places with the transfers of eight accounts that have 256 each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mempool, "MAX_POOL", 400)
        return attack({"kind": "pool_filler", "accounts": 4}, seed, rules, users=TRANSFERS, job={"stages": 8})


def count_kept_out(observed: Observed) -> int:
    """Return how often an honest node had no place for a user's transfer."""
    heard = [item for item in observed.judgements if item.kind == "transaction" and item.who in observed.honest]
    assert any(item.author.startswith("user-") and item.outcome == "accept" for item in heard)
    return sum(item.author.startswith("user-") and item.outcome == "pool-full" for item in heard)


@pytest.mark.parametrize("rules", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_transfers_that_never_apply_keep_out_nobody(seed: int, rules: int) -> None:
    observed = stuff(seed, rules)
    observed.assert_unharmed()
    assert count_kept_out(observed) == 0
    stuffed = [item for item in observed.judgements if item.peer.startswith("bad-") and item.outcome == "pool-full"]
    assert stuffed, "the pools were never full"
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_where_the_first_to_come_keep_their_places_users_are_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_what_came_first(monkeypatch)
    assert min(count_kept_out(stuff(seed, 1)) for seed in SEEDS) > 20


@pytest.mark.parametrize("rules", [1, 2])
def test_its_accounts_are_free_under_version_1_alone(rules: int) -> None:
    observed = stuff(1, rules)
    known = set(observed.ended.world.get_labels())
    paid = [item for block in observed.get_chain() for item in block.transactions if item.recipient not in known]
    assert paid
    assert {item.amount for item in paid} == {0 if rules == 1 else OPENING_DEPOSIT}


# ---- request flooder ----


def beg(seed: int, rules: int) -> Observed:
    return attack({"kind": "request_flooder", "requests": 40}, seed, rules, job={"stages": 6})


def count_answers(observed: Observed) -> tuple[int, float]:
    """Return how often honest nodes answered the attackers, and what is the most for as long a run."""
    answers = [item for item in observed.ended.find("sent", kind="response") if item.who in observed.honest]
    told = [item for item in answers if str(item.fields["to"]).startswith("bad-")]
    periods = observed.ended.records[-1].time / (ANNOUNCE_EVERY_SLOTS * SLOT_S) + 1
    return len(told), periods * len(observed.honest) * len(observed.get_members("bad"))


@pytest.mark.parametrize("rules", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_request_that_is_sent_over_and_over_is_answered_once_in_a_while(seed: int, rules: int) -> None:
    observed = beg(seed, rules)
    observed.assert_unharmed()
    assert observed.ended.world.scenario.job.stages < MAX_BLOCKS_PER_RESPONSE
    answered, most = count_answers(observed)
    assert 0 < answered <= most
    assert observed.count_outcomes("bad", "request")["too-often"] > 5 * answered
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_where_everybody_is_answered_each_copy_draws_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_every_request(monkeypatch)
    answered, most = count_answers(beg(1, 1))
    assert answered > 5 * most

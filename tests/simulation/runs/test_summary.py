"""Figures of a summary that follow from the chain: who was paid, and what users and strangers had of it."""

from typing import Any

import pytest

from protocol.mechanisms.proof_of_training.repairs import OPENING_DEPOSIT
from protocol.types import MICRO_COINS_PER_COIN
from simulation.mechanisms.proof_of_training.summary import summarise_training
from simulation.runs.summary import count_openings
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population

pytestmark = pytest.mark.many_runs


def run(*behaviours: Any, **sections: Any) -> Observed:
    bad = population("bad", 3, "adversary", behaviours=list(behaviours))
    return observe(make_raw(population("honest", 5), bad, **sections))


def test_a_population_has_the_share_of_the_coins_that_the_blocks_pay_it() -> None:
    observed = run("free_rider", job={"stages": 4})
    chain, ended = observed.get_chain("employer"), observed.ended
    shares = summarise_training(ended.world, ended.tally, chain, 60)["shares"]
    members = observed.get_members("bad")
    paid = [(observed.name(payout.account) in members, payout.amount) for block in chain for payout in block.coinbase]
    total = sum(amount for _, amount in paid)
    assert shares["bad"]["coins"] == pytest.approx(sum(amount for is_bad, amount in paid if is_bad) / total)
    assert shares["bad"]["coins"] + shares["honest"]["coins"] == pytest.approx(1.0)
    proposed = sum(observed.name(block.header.author) in members for block in chain)
    assert shares["bad"]["blocks"] == proposed / len(chain)


def test_without_a_block_nobody_has_a_share() -> None:
    ended = run("free_rider").ended
    shares = summarise_training(ended.world, ended.tally, [], 60)["shares"]
    assert shares == {name: {"blocks": None, "coins": None} for name in ("bad", "honest")}


@pytest.mark.parametrize("rules", [1, 2])
def test_an_account_of_a_stranger_is_counted_once_with_what_was_left_on_it(rules: int) -> None:
    users = {"count": 3, "transactions": 6, "per_second": 10.0}
    observed = run({"kind": "pool_filler", "accounts": 1}, protocol={"rules": rules}, job={"stages": 5}, users=users)
    chain = observed.get_chain("employer")
    counted = count_openings(observed.ended.world, chain)
    transfers = [transfer for block in chain for transfer in block.transactions]
    by_users = [transfer for transfer in transfers if observed.name(transfer.author).startswith("user-")]
    assert counted["users_transactions"] == len(by_users) > 0
    deposit = 0 if rules == 1 else OPENING_DEPOSIT / MICRO_COINS_PER_COIN
    assert counted["strangers_accounts"] == 3
    assert counted["strangers_coins"] == 3 * deposit

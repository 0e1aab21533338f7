"""Deposits and withdrawals: what they lock, when it comes back, and which are refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bonding import DEPOSITS, RESERVED, WITHDRAWALS, BondRules
from protocol.genesis import ChainRules, GenesisAccount
from protocol.ledger import LedgerError, LedgerState, apply_block, find_block_fault, release_due
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mempool import Mempool
from protocol.messages import Payout, Transaction
from protocol.types import PARTS_PER_MILLION
from protocol.verdicts import ACCEPT, Ignore, LedgerReason
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.protocol.mechanisms.stake_chain.chains import make_stake
from tests.support.core import keys

RULES = BondRules(least_stake=100, unbonding_blocks=3)
OWNER, OTHER = keys(0).public, keys(1).public


class Opening:
    chain = ChainRules(slot_ns=1, max_transactions=10, length=9)
    accounts = (
        GenesisAccount(account=OWNER, balance=1_000, stake=500),
        GenesisAccount(account=OTHER, balance=50, stake=0),
    )
    seed = 0


START = LedgerState.from_genesis(Opening())


def move(amount: int, to: bytes, *, nonce: int = 0, fee: int = 0, author: bytes = OWNER) -> Transaction:
    return Transaction(author=author, nonce=nonce, recipient=to, amount=amount, fee=fee)


def grow(state: LedgerState, *transactions: Transaction, height: int = 1) -> LedgerState:
    assert find_block_fault(state, transactions, bonding=RULES) is None
    fees = sum(item.fee for item in transactions)
    payouts = (Payout(account=OTHER, amount=fees),) if fees else ()
    after = release_due(apply_block(state, transactions, payouts, most=0, bonding=RULES, height=height), height)
    after.check_supply()
    assert not RESERVED & set(after.accounts)
    return after


def read(state: LedgerState, owner: bytes = OWNER) -> tuple[int, int, int]:
    """Return what an account has: liquid, at stake, and on its way back."""
    account = state.get_account(owner)
    assert account.bond.stake == state.stakes.get_stake(owner)
    return account.balance, account.bond.stake, account.bond.leaving


def test_a_deposit_moves_coins_from_the_balance_to_the_stake() -> None:
    after = grow(START, move(300, DEPOSITS, fee=7))
    assert read(after) == (693, 800, 0)
    assert read(after, OTHER) == (57, 0, 0)
    assert find_block_fault(after, [move(694, OTHER, nonce=1)], bonding=RULES) is LedgerReason.OVERDRAFT


def test_withdrawn_coins_count_no_more_and_are_liquid_after_the_delay() -> None:
    state = grow(START, move(200, WITHDRAWALS, fee=1), height=4)
    assert read(state) == (999, 300, 200)
    for height in (5, 6):
        state = grow(state, height=height)
        assert read(state) == (999, 300, 200)
        assert find_block_fault(state, [move(1_000, OTHER, nonce=1)], bonding=RULES) is LedgerReason.OVERDRAFT
    state = grow(state, height=7)
    assert read(state) == (1_199, 300, 0)
    assert read(grow(state, move(1_199, OTHER, nonce=1), height=8)) == (0, 300, 0)


def test_all_may_be_withdrawn_and_bonded_again() -> None:
    state = grow(START, move(500, WITHDRAWALS), move(400, DEPOSITS, nonce=1))
    assert read(state) == (600, 400, 500)
    assert START.stakes.owners == (OWNER,)
    assert grow(START, move(500, WITHDRAWALS)).stakes.owners == ()


@pytest.mark.parametrize(
    ("transactions", "fault"),
    [
        ([move(501, WITHDRAWALS)], LedgerReason.MORE_THAN_BONDED),
        ([move(1, WITHDRAWALS, author=OTHER)], LedgerReason.MORE_THAN_BONDED),
        ([move(300, WITHDRAWALS), move(300, WITHDRAWALS, nonce=1)], LedgerReason.ALREADY_UNBONDING),
        ([move(500, WITHDRAWALS), move(500, WITHDRAWALS, nonce=1)], LedgerReason.ALREADY_UNBONDING),
        ([move(401, WITHDRAWALS)], LedgerReason.BELOW_LEAST_STAKE),
        ([move(50, DEPOSITS, author=OTHER)], LedgerReason.BELOW_LEAST_STAKE),
        ([move(0, DEPOSITS, author=OTHER)], LedgerReason.BELOW_LEAST_STAKE),
        ([move(1_001, DEPOSITS)], LedgerReason.OVERDRAFT),
        ([move(100, WITHDRAWALS, fee=1_001)], LedgerReason.OVERDRAFT),
        ([move(400, WITHDRAWALS)], None),
        ([move(500, WITHDRAWALS, fee=1_000)], None),
    ],
)
def test_each_bad_one_has_its_reason(transactions: list[Transaction], fault: LedgerReason | None) -> None:
    assert find_block_fault(START, transactions, bonding=RULES) is fault


def test_where_none_are_taken_they_are_refused_and_no_coins_are_lost() -> None:
    mechanism: ProofOfWork = make_work()
    assert mechanism.bonding is None
    for account in RESERVED:
        assert find_block_fault(START, [move(200, account)]) is LedgerReason.NO_DEPOSITS
        assert Mempool().judge(START, move(200, account)) == Ignore(LedgerReason.NO_DEPOSITS)


def test_a_pool_keeps_them_like_transfers_and_selects_what_can_be_applied() -> None:
    pool = Mempool(bonding=RULES)
    items = [move(500, WITHDRAWALS), move(600, DEPOSITS, nonce=1, fee=3), move(5, OTHER, nonce=2)]
    for item in items:
        assert pool.judge(START, item) is ACCEPT
        pool.add(START, item)
    assert list(pool.select(START, 10)) == items
    assert pool.judge(START, move(501, WITHDRAWALS, nonce=3)) == Ignore(LedgerReason.MORE_THAN_BONDED)
    greedy = Mempool(bonding=RULES)
    for item in (move(300, WITHDRAWALS), move(300, WITHDRAWALS, nonce=1, fee=9)):
        greedy.add(START, item)
    assert [item.nonce for item in greedy.select(START, 10)] == [0]


def test_coins_on_their_way_back_can_still_be_taken() -> None:
    state = grow(START, move(200, WITHDRAWALS), height=1)
    cut = state.slash(OWNER, 500_000, RULES, 2)
    assert read(cut) == (1_000, 150, 100)
    assert (cut.supply, cut.burnt) == (START.supply - 250, 250)
    cut.check_supply()
    assert read(grow(cut, height=4)) == (1_100, 150, 0)


def test_who_is_left_with_too_little_leaves_with_it() -> None:
    cut = START.slash(OWNER, 900_000, RULES, 2)
    assert read(cut) == (1_000, 0, 50)
    cut.check_supply()
    assert read(grow(cut, height=5)) == (1_050, 0, 0)


def test_books_in_which_a_stake_has_no_table_do_not_add_up() -> None:
    wrong = LedgerState(START.accounts, START.stakes.replace({OTHER: 5}), START.supply)
    with pytest.raises(LedgerError, match="at stake"):
        wrong.check_supply()


actions = st.tuples(
    st.sampled_from([OWNER, OTHER]),
    st.sampled_from([DEPOSITS, WITHDRAWALS, OWNER, OTHER]),
    st.integers(0, 600),
    st.integers(0, 3),
    st.integers(0, PARTS_PER_MILLION),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(actions, max_size=4), max_size=8))
def test_whatever_is_bonded_unbonded_and_taken_the_books_add_up(blocks: list[Any]) -> None:
    state = START
    for height, wanted in enumerate(blocks, start=1):
        chosen: list[Transaction] = []
        for author, to, amount, fee, _ in wanted:
            mine = sum(item.author == author for item in chosen)
            item = move(amount, to, author=author, nonce=state.get_account(author).nonce + mine, fee=fee)
            if find_block_fault(state, [*chosen, item], bonding=RULES) is None:
                chosen.append(item)
        state = grow(state, *chosen, height=height)
        for author, _, _, fee, share in wanted:
            if fee == 3:
                state = state.slash(author, share, RULES, height)
                state.check_supply()
        assert all(account.bond.stake in (0, *range(100, 10_000)) for account in state.accounts.values())
    assert state.supply + state.burnt == START.supply


def test_a_mechanism_that_takes_deposits_says_how() -> None:
    bonding = make_stake().bonding
    assert bonding is not None
    assert (bonding.least_stake, bonding.unbonding_blocks) == (500_000, 2)

"""Money: nothing appears, nothing vanishes, nobody spends twice, and the pool only offers what a block may carry."""

from dataclasses import dataclass, field
from decimal import Decimal, getcontext
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.ledger import LedgerError, LedgerState, apply_block, find_block_fault
from protocol.mechanisms.proof_of_training.job import RewardShares
from protocol.mechanisms.proof_of_training.rewards import compute_coinbase
from protocol.mempool import MAX_NONCE_LEAD, Mempool
from protocol.messages import Payout, Transaction
from protocol.stakes import StakeTable
from protocol.subsidy import compute_subsidy
from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reason
from tests.support.core import genesis, keys

OWNERS: Final = tuple(keys(index).public for index in range(6))
"""The first three have an account from the start; the others only once they are paid."""
GENESIS: Final = genesis(3)
SHARES: Final = RewardShares(proposer=400_000, declarers=300_000, stakeholders=300_000)

owners = st.sampled_from(OWNERS)
amounts = st.one_of(st.just(0), st.integers(1, 3), st.integers(0, 60_000_000))
transfers = st.builds(
    Transaction,
    author=owners,
    nonce=st.integers(0, 3),
    recipient=owners,
    amount=amounts,
    fee=st.one_of(st.just(0), amounts),
)
transfer_lists = st.lists(transfers, max_size=12)


@dataclass
class SlowLedger:
    """Too simple to be wrong: a dictionary of balances and one of counts."""

    balances: dict[bytes, int] = field(
        default_factory=lambda: {line.account: line.balance for line in GENESIS.accounts}
    )
    counts: dict[bytes, int] = field(default_factory=dict)

    def pay(self, transfer: Transaction) -> bool:
        may_pay = (
            transfer.author in self.balances
            and self.counts.get(transfer.author, 0) == transfer.nonce
            and self.balances[transfer.author] >= transfer.amount + transfer.fee
        )
        if may_pay:
            self.counts[transfer.author] = transfer.nonce + 1
            self.balances[transfer.author] -= transfer.amount + transfer.fee
            self.balances[transfer.recipient] = self.balances.get(transfer.recipient, 0) + transfer.amount
        return may_pay


def pay_all(fees: int, height: int = 1) -> tuple[Payout, ...]:
    return compute_coinbase(height, fees, SHARES, proposer=OWNERS[0], declarers=OWNERS[:2], stakeholders=OWNERS[1:4])


def extend(state: LedgerState, transactions: tuple[Transaction, ...], height: int) -> LedgerState:
    payouts = pay_all(sum(item.fee for item in transactions), height)
    return apply_block(state, transactions, payouts, most=compute_subsidy(height))


def transfer(author: int, nonce: int, *, amount: int = 0, fee: int = 0, recipient: int = 0) -> Transaction:
    return Transaction(author=OWNERS[author], nonce=nonce, recipient=OWNERS[recipient], amount=amount, fee=fee)


# ---- ledger ----


@given(transfer_lists)
def test_a_list_of_transfers_is_valid_exactly_when_each_can_be_paid_in_turn(items: list[Transaction]) -> None:
    slow = SlowLedger()
    is_payable = all(slow.pay(item) for item in items)
    assert (find_block_fault(LedgerState.from_genesis(GENESIS), items) is None) == is_payable


@given(st.lists(transfer_lists, max_size=5))
def test_whole_chains_conserve_the_supply_and_replay_to_the_same_state(batches: list[list[Transaction]]) -> None:
    state = start = LedgerState.from_genesis(GENESIS)
    slow = SlowLedger()
    blocks: list[tuple[Transaction, ...]] = []
    for height, batch in enumerate(batches, start=1):
        chosen: list[Transaction] = []
        for item in batch:
            if find_block_fault(state, [*chosen, item]) is None:
                chosen.append(item)
                assert slow.pay(item)
        blocks.append(tuple(chosen))
        for payout in pay_all(sum(item.fee for item in chosen), height):
            slow.balances[payout.account] = slow.balances.get(payout.account, 0) + payout.amount
        state = extend(state, blocks[-1], height)
        state.check_supply()
        assert state.supply == start.supply + sum(compute_subsidy(n) for n in range(1, height + 1))
        assert {owner: account.balance for owner, account in state.accounts.items()} == slow.balances
        assert all(state.get_account(owner).nonce == slow.counts.get(owner, 0) for owner in OWNERS)
        assert all(account.balance >= 0 for account in state.accounts.values())
        assert all(find_block_fault(state, [item]) is not None for item in chosen), "a transfer can be replayed"
    replayed = start
    for height, block in enumerate(blocks, start=1):
        replayed = extend(replayed, block, height)
    assert (replayed.accounts, replayed.supply) == (state.accounts, state.supply)
    assert start.supply == LedgerState.from_genesis(GENESIS).supply, "an old state was changed in place"


def test_two_states_with_the_same_accounts_and_bonds_are_equal() -> None:
    assert StakeTable({OWNERS[0]: 1}) == StakeTable({OWNERS[0]: 1})
    assert StakeTable({OWNERS[0]: 1}) != StakeTable({OWNERS[0]: 2})
    assert LedgerState.from_genesis(GENESIS) == LedgerState.from_genesis(GENESIS)


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ([transfer(3, 0)], LedgerReason.UNKNOWN_ACCOUNT),
        ([transfer(1, 0), transfer(1, 0)], LedgerReason.NONCE_USED),
        ([transfer(1, 1)], LedgerReason.NONCE_GAP),
        ([transfer(1, 0, amount=50_000_001)], LedgerReason.OVERDRAFT),
        ([transfer(1, 0, amount=50_000_000, fee=1)], LedgerReason.OVERDRAFT),
        ([transfer(1, 0, amount=30_000_000), transfer(1, 1, amount=30_000_000)], LedgerReason.OVERDRAFT),
        ([transfer(1, 0, amount=50_000_000), transfer(0, 0, amount=100_000_000)], None),
        ([transfer(1, 0, amount=9, recipient=3), transfer(3, 0, amount=9)], None),
        ([transfer(1, 0, amount=50_000_000, recipient=1), transfer(1, 1, amount=50_000_000)], None),
    ],
)
def test_each_fault_of_a_transfer_has_its_reason(items: list[Transaction], fault: Reason | None) -> None:
    assert find_block_fault(LedgerState.from_genesis(GENESIS), items) is fault


DEPOSIT: Final = 1_000


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ([transfer(1, 0, amount=DEPOSIT - 1, recipient=3)], LedgerReason.BELOW_DEPOSIT),
        ([transfer(1, 0, amount=DEPOSIT, recipient=3)], None),
        ([transfer(1, 0, amount=0, recipient=2)], None),
        ([transfer(1, 0, amount=DEPOSIT, recipient=3), transfer(2, 0, amount=1, recipient=3)], None),
        ([transfer(1, 0, amount=DEPOSIT, recipient=3), transfer(3, 0, amount=1)], LedgerReason.OVERDRAFT),
        ([transfer(1, 0, amount=2 * DEPOSIT, recipient=3), transfer(3, 0, amount=DEPOSIT, recipient=4)], None),
        ([transfer(1, 0, amount=50_000_000)], None),
    ],
)
def test_a_deposit_opens_an_account_and_stays_there(items: list[Transaction], fault: Reason | None) -> None:
    """Else one coin that moves on from account to account would open any number of them."""
    state = LedgerState.from_genesis(GENESIS)
    assert find_block_fault(state, items, deposit=DEPOSIT) is fault
    for kept in range(len(items) + 1):  # over two blocks it is the same
        if find_block_fault(state, items[:kept], deposit=DEPOSIT) is None:
            after = apply_block(state, items[:kept], (), most=0, deposit=DEPOSIT)
            assert find_block_fault(after, items[kept:], deposit=DEPOSIT) is fault


@pytest.mark.parametrize("off_by", [-1, 1])
def test_books_that_do_not_add_up_are_our_own_error(off_by: int) -> None:
    state = LedgerState.from_genesis(GENESIS)
    payouts = (Payout(account=OWNERS[0], amount=compute_subsidy(1) + 1),)
    with pytest.raises(LedgerError):
        apply_block(state, (), payouts, most=compute_subsidy(1))
    with pytest.raises(LedgerError):  # a fee that nobody gets
        apply_block(state, (transfer(0, 0, fee=1),), (), most=compute_subsidy(1))
    with pytest.raises(LedgerError):
        LedgerState(state.accounts, state.stakes, state.supply + off_by).check_supply()


# ---- rewards ----


@pytest.mark.parametrize(("height", "coins"), [(1, "909.182"), (2, "876.225"), (5, "817.439")])
def test_the_coinbase_has_the_published_values(height: int, coins: str) -> None:
    exact = Decimal(compute_subsidy(height)) / MICRO_COINS_PER_COIN
    assert exact.quantize(Decimal("0.001")) == Decimal(coins)


@given(st.integers(0, 2**31 - 1))
def test_the_subsidy_is_the_formula_rounded_up_and_never_grows(height: int) -> None:
    getcontext().prec = 60
    root = Decimal(height).sqrt()
    exact = (1000 - 999 * root / (root + 10)) * MICRO_COINS_PER_COIN
    assert exact <= compute_subsidy(height) < exact + 1 + Decimal("1e-4")
    assert MICRO_COINS_PER_COIN < compute_subsidy(height + 1) <= compute_subsidy(height)


@given(
    height=st.integers(1, 10_000),
    fees=st.integers(0, 10**9),
    cuts=st.tuples(st.integers(0, PARTS_PER_MILLION), st.integers(0, PARTS_PER_MILLION)),
    proposer=owners,
    declarers=st.lists(owners, unique=True),
    stakeholders=st.lists(owners, min_size=1, unique=True),
)
def test_the_splits_sum_to_subsidy_and_fees(
    *, height: int, fees: int, cuts: tuple[int, int], proposer: bytes, declarers: list[bytes], stakeholders: list[bytes]
) -> None:
    low, high = sorted(cuts)
    shares = RewardShares(proposer=low, declarers=high - low, stakeholders=PARTS_PER_MILLION - high)
    payouts = compute_coinbase(height, fees, shares, proposer=proposer, declarers=declarers, stakeholders=stakeholders)
    paid = {payout.account: payout.amount for payout in payouts}
    assert list(paid) == sorted(paid)
    assert len(paid) == len(payouts)
    assert all(amount > 0 for amount in paid.values())
    assert sum(paid.values()) == compute_subsidy(height) + fees
    assert paid.get(proposer, 0) >= compute_subsidy(height) * low // PARTS_PER_MILLION
    assert paid.get(stakeholders[-1], 0) >= fees


def test_a_coinbase_pays_each_role_its_share() -> None:
    paid = {line.account: line.amount for line in pay_all(fees=11)}
    subsidy = 909_181_819
    tenth = subsidy * 300_000 // PARTS_PER_MILLION // 3
    half = subsidy * 300_000 // PARTS_PER_MILLION // 2
    assert paid[OWNERS[0]] == subsidy * 400_000 // PARTS_PER_MILLION + half
    assert paid[OWNERS[1]] == half + tenth
    assert paid[OWNERS[2]] == tenth
    assert paid[OWNERS[3]] == subsidy + 11 - paid[OWNERS[0]] - paid[OWNERS[1]] - paid[OWNERS[2]]


# ---- mempool ----


@pytest.mark.many_runs
@settings(max_examples=250)
@given(st.lists(transfer_lists, max_size=3), transfer_lists, st.integers(0, 8))
def test_a_selection_is_always_a_valid_block(
    pooled: list[list[Transaction]], settled: list[Transaction], limit: int
) -> None:
    pool = Mempool()
    state = LedgerState.from_genesis(GENESIS)
    for batch in pooled:
        for item in batch:
            if pool.judge(state, item) is ACCEPT:
                pool.add(state, item)
        chosen = pool.select(state, limit)
        assert len(chosen) <= limit
        assert find_block_fault(state, chosen) is None
        state = extend(state, chosen, 1)
        pool.on_head_changed(state, ())
    other = LedgerState.from_genesis(GENESIS)
    pool.on_head_changed(other, settled)
    assert find_block_fault(other, pool.select(other, limit)) is None


def test_a_payer_known_on_the_abandoned_branch_only_spoils_no_selection() -> None:
    start = LedgerState.from_genesis(GENESIS)
    paying = transfer(1, 0, amount=5, recipient=3)
    branch = extend(start, (paying,), 1)
    pool = Mempool()
    empty_transfer = transfer(3, 0)
    assert pool.judge(branch, empty_transfer) is ACCEPT
    pool.add(branch, empty_transfer)
    pool.on_head_changed(start, [])
    assert find_block_fault(start, pool.select(start, 10)) is None


@given(transfer_lists)
def test_the_pool_keeps_one_transfer_for_each_author_and_nonce(items: list[Transaction]) -> None:
    pool = Mempool()
    state = LedgerState.from_genesis(GENESIS)
    kept: dict[tuple[bytes, int], Transaction] = {}
    for item in items:
        verdict = pool.judge(state, item)
        if item.author not in state.accounts:
            assert verdict == Ignore(LedgerReason.UNKNOWN_ACCOUNT)
        elif item.amount + item.fee > state.accounts[item.author].balance:
            assert verdict == Ignore(LedgerReason.OVERDRAFT)
        elif (item.author, item.nonce) in kept:
            assert verdict == Ignore(ChainReason.DUPLICATE)
        else:
            assert verdict is ACCEPT
            pool.add(state, item)
            kept[item.author, item.nonce] = item
    assert pool.snapshot() == tuple(sorted(kept))
    assert len(pool) == len(kept)


def test_the_pool_looks_ahead_only_so_far() -> None:
    pool, state = Mempool(), LedgerState.from_genesis(GENESIS)
    assert pool.judge(state, transfer(1, MAX_NONCE_LEAD)) is ACCEPT
    assert pool.judge(state, transfer(1, MAX_NONCE_LEAD + 1)) == Ignore(LedgerReason.NONCE_GAP)
    moved = extend(state, (transfer(1, 0),), 1)
    assert pool.judge(moved, transfer(1, 0)) == Ignore(LedgerReason.NONCE_USED)


def test_transfers_of_a_left_branch_return_and_settled_ones_go() -> None:
    state = LedgerState.from_genesis(GENESIS)
    abandoned = (transfer(1, 0, amount=4), transfer(2, 0, amount=4))
    pool = Mempool()
    pool.add(state, transfer(1, 1, amount=4))
    sibling = extend(state, (transfer(2, 0, amount=9),), 1)
    pool.on_head_changed(sibling, abandoned)
    assert pool.select(sibling, 10) == (transfer(1, 0, amount=4), transfer(1, 1, amount=4))
    assert len(pool) == 2

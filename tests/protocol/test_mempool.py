"""Who gets a place in a full pool: nobody keeps out those who pay, however many accounts and transfers he makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import mempool as mempool_module
from protocol.ledger import Account, LedgerState, find_transfer_fault, pay
from protocol.mechanisms.proof_of_training.repairs import OPENING_DEPOSIT, VERSION_2, Repair
from protocol.mempool import MAX_BLOCKS_STUCK, MAX_NONCE_LEAD, Mempool
from protocol.messages import Transaction
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, Ignore, LedgerReason, Reject, Verdict
from tests.support.core import STRANGER, Scene, genesis, get_node, keys

OPENING = LedgerState.from_genesis(genesis(2))
OWNERS = tuple(bytes([number]) * 32 for number in range(6))
PUPPETS = tuple(bytes([number]) * 32 for number in range(100, 140))


def open_accounts(*owners: AccountId, balance: int = 0) -> LedgerState:
    return LedgerState(dict.fromkeys(owners, Account(balance)), OPENING.stakes, OPENING.supply)


def transfer(author: AccountId, nonce: int, *, fee: int = 0, amount: int = 0) -> Transaction:
    return Transaction(author=author, nonce=nonce, recipient=author, amount=amount, fee=fee)


def offer(pool: Mempool, state: LedgerState, transaction: Transaction) -> Verdict:
    verdict = pool.judge(state, transaction)
    if verdict is ACCEPT:
        pool.add(state, transaction)
    return verdict


def shrink(monkeypatch: pytest.MonkeyPatch, places: int) -> None:
    monkeypatch.setattr(mempool_module, "MAX_POOL", places)


@pytest.mark.many_runs
@pytest.mark.parametrize("first", [0, 1], ids=["that can be applied", "behind a gap"])
def test_forty_fresh_accounts_fill_a_pool_and_keep_out_nobody_who_pays(first: int) -> None:
    state = open_accounts(*PUPPETS, OWNERS[0], balance=10_000_000)
    pool = Mempool()
    junk = [transfer(owner, nonce) for owner in PUPPETS for nonce in range(first, MAX_NONCE_LEAD + 1)]
    assert sum(offer(pool, state, item) is ACCEPT for item in junk) >= mempool_module.MAX_POOL == len(pool)
    paying = [transfer(OWNERS[0], nonce, fee=1_000_000) for nonce in range(3)]
    assert [offer(pool, state, item) for item in paying] == [ACCEPT] * 3
    assert pool.select(state, 3) == tuple(paying)
    assert len(pool) == mempool_module.MAX_POOL


def test_a_transfer_that_cannot_be_applied_goes_first_then_the_lowest_fee(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, 4)
    state = open_accounts(*OWNERS, balance=100)
    pool = Mempool()
    kept = [transfer(OWNERS[0], 0, fee=5), transfer(OWNERS[1], 0, fee=3), transfer(OWNERS[2], 0, fee=4)]
    gap = transfer(OWNERS[3], 1, fee=99)
    assert [offer(pool, state, item) for item in (*kept, gap)] == [ACCEPT] * 4
    assert offer(pool, state, transfer(OWNERS[4], 1, fee=99)) == Ignore(LedgerReason.POOL_FULL), "no better than it"
    better = transfer(OWNERS[4], 0)
    assert offer(pool, state, better) is ACCEPT
    assert (OWNERS[3], 1) not in pool.snapshot()
    assert offer(pool, state, transfer(OWNERS[5], 0)) == Ignore(LedgerReason.POOL_FULL)
    assert offer(pool, state, transfer(OWNERS[5], 0, fee=1)) is ACCEPT
    assert offer(pool, state, transfer(OWNERS[3], 0, fee=4)) is ACCEPT
    assert [item.fee for item in pool.select(state, 9)] == [5, 4, 4, 3]


def test_a_high_fee_behind_a_low_one_or_beyond_its_authors_means_shields_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shrink(monkeypatch, 4)
    state = open_accounts(*OWNERS, balance=100)
    pool = Mempool()
    shielded = [transfer(OWNERS[0], 0, fee=1), transfer(OWNERS[0], 1, fee=90)]
    beyond = [transfer(OWNERS[1], 0, fee=50), transfer(OWNERS[1], 1, fee=60)]
    assert [offer(pool, state, item) for item in (*shielded, *beyond)] == [ACCEPT] * 4
    for owner, left in ((2, (OWNERS[1], 1)), (3, (OWNERS[0], 1)), (4, (OWNERS[0], 0))):
        assert offer(pool, state, transfer(OWNERS[owner], 0, fee=2)) is ACCEPT
        assert left not in pool.snapshot()
    assert len(pool) == 4


def test_of_equal_fees_who_has_most_places_gives_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, 4)
    state = open_accounts(*OWNERS, balance=100)
    pool = Mempool()
    offers = [transfer(OWNERS[0], nonce, fee=7) for nonce in range(4)]
    offers += [transfer(OWNERS[1], nonce, fee=7) for nonce in range(3)]
    assert [offer(pool, state, item) is ACCEPT for item in offers] == [True] * 6 + [False]
    assert pool.snapshot() == tuple((owner, nonce) for owner in OWNERS[:2] for nonce in (0, 1))


def test_what_can_never_be_applied_is_forgotten_and_what_waits_for_one_before_it_is_not() -> None:
    state = open_accounts(*OWNERS, balance=100)
    pool = Mempool()
    for item in (transfer(OWNERS[0], 1), transfer(OWNERS[1], 0, fee=90), transfer(OWNERS[1], 1, fee=90)):
        assert offer(pool, state, item) is ACCEPT
    fillable = transfer(OWNERS[2], 1)
    assert offer(pool, state, fillable) is ACCEPT
    for _ in range(MAX_BLOCKS_STUCK):
        pool.on_head_changed(state, ())
    assert offer(pool, state, transfer(OWNERS[2], 0)) is ACCEPT
    pool.on_head_changed(state, ())
    assert pool.snapshot() == ((OWNERS[1], 0), (OWNERS[2], 0), (OWNERS[2], 1))


def test_the_pool_stays_bounded_even_when_a_branch_gives_its_transfers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, 3)
    state = open_accounts(*OWNERS, balance=100)
    pool = Mempool()
    for nonce in range(3):
        offer(pool, state, transfer(OWNERS[1], nonce))
    assert pool.judge(state, transfer(OWNERS[1], 3)) == Ignore(LedgerReason.POOL_FULL)
    returned = [transfer(OWNERS[2], nonce, fee=2) for nonce in range(3)]
    pool.on_head_changed(state, [*returned, transfer(OWNERS[3], MAX_NONCE_LEAD + 1, fee=9)])
    assert pool.select(state, 9) == tuple(returned)
    assert len(pool) == 3


moves = st.lists(st.tuples(st.sampled_from(OWNERS[:4]), st.integers(0, 5), st.integers(0, 3)), max_size=40)


@given(moves, st.integers(0, 40))
def test_whoever_goes_is_the_one_with_least_to_say_for_its_place(
    items: list[tuple[AccountId, int, int]], settled_after: int
) -> None:
    """The pool's books against counting anew each time."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, 5)
        state, pool = open_accounts(*OWNERS, balance=4), Mempool()
        for step, (author, nonce, fee) in enumerate(items):
            if step == settled_after:
                first = pool.select(state, 1)
                paid = {item.author: pay(state.get_account(item.author), item) for item in first}
                state = LedgerState({**state.accounts, **paid}, state.stakes, state.supply)
                pool.on_head_changed(state, ())
            item = transfer(author, nonce, fee=fee)
            claims = count_claims(pool, state, item)
            held = set(pool.snapshot())
            offer(pool, state, item)
            gone = held - set(pool.snapshot())
            assert len(gone) <= 1
            if gone:
                ((loser, _),) = gone
                assert claims[loser] == min(claims.values())
            assert len(pool) == len(pool.snapshot()) <= 5


def count_claims(pool: Mempool, state: LedgerState, newcomer: Transaction) -> dict[AccountId, tuple[int, int]]:
    """Return what each author's last transfer has to say for its place, the newcomer among them."""
    claims: dict[AccountId, tuple[int, int]] = {}
    for author in {author for author, _ in pool.snapshot()} | {newcomer.author}:
        own = dict(pool._pending.get(author, {}))
        if author == newcomer.author:
            own.setdefault(newcomer.nonce, newcomer)
        payer, fees = state.get_account(author), list[int]()
        while (item := own.get(payer.nonce)) and find_transfer_fault(payer, item, payee=payer) is None:
            fees.append(item.fee)
            payer = pay(payer, item)
        claims[author] = (min(fees) if len(fees) == len(own) else -1, -len(own))
    return claims


# ---- new accounts ----


@pytest.mark.parametrize("repairs", [(), VERSION_2, (Repair.FUNDED_ACCOUNTS,)], ids=["version 1", "version 2", "alone"])
def test_under_version_2_opening_an_account_takes_a_deposit(repairs: tuple[Repair, ...]) -> None:
    scene = Scene(genesis(5, repairs=repairs))
    free = scene.transfer(1, STRANGER, amount=OPENING_DEPOSIT - 1)
    block = scene.block(None, (free,))
    if not repairs:
        assert scene.judge(free) == scene.judge(block) == ACCEPT
        return
    assert scene.judge(free) == Ignore(LedgerReason.BELOW_DEPOSIT), "the sender may know a block that opened it"
    assert scene.judge(block) == Reject(LedgerReason.BELOW_DEPOSIT)
    assert scene.judge(scene.transfer(1, STRANGER, amount=OPENING_DEPOSIT)) is ACCEPT
    scene.grow(get_node(scene).select_transactions())
    account = scene.head.state.get_account(keys(STRANGER).public)
    assert (account.balance, account.reserve) == (OPENING_DEPOSIT, OPENING_DEPOSIT)
    assert scene.judge(scene.transfer(STRANGER, 1, amount=1, fee=0)) == Ignore(LedgerReason.OVERDRAFT)
    assert scene.judge(scene.transfer(2, STRANGER, amount=1)) is ACCEPT

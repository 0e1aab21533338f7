"""Odds follow the stake in the parent state and nothing else. The inputs are fixed, so the counts never change."""

import hashlib
from collections import Counter
from itertools import permutations
from math import sqrt
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.cosigning import follow_the_coin
from protocol.crypto import Domain
from protocol.lottery import HASH_RANGE, compute_target, is_slot_won
from protocol.mechanisms.proof_of_training.judging import DECLARATION_LOTTERY, HEADER_LOTTERY
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.slots import compute_slot, compute_slot_start
from protocol.stakes import StakeTable
from protocol.types import PARTS_PER_MILLION
from protocol.verdicts import ChainReason, Reject
from tests.support.core import Scene, genesis, keys

OWNERS: Final = tuple(hashlib.sha256(bytes([number])).digest() for number in range(6))
PARENT: Final = bytes(32)
SLOTS: Final = 4_000


def count_wins(stakes: dict[bytes, int], per_slot: int, author: bytes, domain: Domain = HEADER_LOTTERY) -> int:
    table = StakeTable(stakes)
    return sum(
        is_slot_won(domain, table, per_slot, parent=PARENT, height=1, slot=slot, author=author) for slot in range(SLOTS)
    )


def is_near(count: int, share: float, draws: int = SLOTS) -> bool:
    """Return whether a count lies within four standard deviations of a binomial's mean."""
    return abs(count - share * draws) <= 4 * sqrt(draws * share * (1 - share))


def test_wins_are_proportional_to_stake() -> None:
    stakes = dict(zip(OWNERS, (1, 2, 3, 4, 10, 0), strict=True))
    for owner, stake in stakes.items():
        wins = count_wins(stakes, PARTS_PER_MILLION, owner)
        assert is_near(wins, stake / 20), f"{stake}/20 of the stake won {wins} of {SLOTS}"


def test_splitting_a_stake_among_names_changes_no_odds() -> None:
    whole = {OWNERS[0]: 40, OWNERS[1]: 60}
    split = {OWNERS[1]: 60, **dict.fromkeys(OWNERS[2:6], 10)}
    rest = {owner: stake for owner, stake in split.items() if owner != OWNERS[1]}
    together = sum(count_wins(split, 500_000, owner) for owner in rest)
    assert is_near(together, 0.2)
    assert is_near(count_wins(whole, 500_000, OWNERS[0]), 0.2)
    exact = sum(compute_target(stake, 100, 500_000) for stake in rest.values())
    assert abs(exact - compute_target(40, 100, 500_000)) < len(rest)


@given(st.integers(1, 2**61), st.integers(0, 2**61), st.integers(0, 2**39))
def test_a_target_is_the_exact_fraction_of_the_range_and_never_more(stake: int, others: int, per_slot: int) -> None:
    total = stake + others
    target = compute_target(stake, total, per_slot)
    assert 0 <= target <= HASH_RANGE
    if target < HASH_RANGE:
        assert target * total * PARTS_PER_MILLION <= HASH_RANGE * stake * per_slot
        assert HASH_RANGE * stake * per_slot < (target + 1) * total * PARTS_PER_MILLION
    else:
        assert stake * per_slot >= total * PARTS_PER_MILLION


def test_the_lottery_depends_on_each_of_its_inputs() -> None:
    table = StakeTable(dict.fromkeys(OWNERS, 1))

    def draw(**change: object) -> list[bool]:
        given_ = {"domain": HEADER_LOTTERY, "parent": PARENT, "height": 1, "author": OWNERS[0], **change}
        domain, parent, height, author = (given_[name] for name in ("domain", "parent", "height", "author"))
        assert isinstance(domain, bytes)
        assert isinstance(parent, bytes)
        assert isinstance(height, int)
        assert isinstance(author, bytes)
        return [
            is_slot_won(Domain(domain), table, 3_000_000, parent=parent, height=height, slot=slot, author=author)
            for slot in range(64)
        ]

    changes: tuple[dict[str, object], ...] = (
        {},
        {"domain": DECLARATION_LOTTERY},
        {"parent": bytes(31) + b"\x01"},
        {"height": 2},
        {"author": OWNERS[1]},
    )
    results = [draw(**change) for change in changes]
    assert results[0] == draw(), "the lottery is a pure function"
    assert all(first != second for first, second in permutations(results, 2))
    assert all(any(result) and not all(result) for result in results)


def test_without_a_bond_no_slot_is_ever_won() -> None:
    assert count_wins({OWNERS[0]: 1, OWNERS[1]: 0}, 2**39, OWNERS[1]) == 0
    assert count_wins({OWNERS[0]: 1}, 2**39, OWNERS[2]) == 0
    assert count_wins({OWNERS[0]: 1}, 2**39, OWNERS[0]) == SLOTS
    assert count_wins({OWNERS[0]: 1}, 0, OWNERS[0]) == 0


def test_no_message_can_state_its_own_stake() -> None:
    for struct in (TrainingDeclaration, BlockHeader):
        assert not {"stake", "target", "difficulty", "timestamp"} & set(struct.__struct_fields__)
    poor = Scene(genesis(5, stakes=[1_000_000, 0, 1_000_000, 1_000_000, 1_000_000]))
    rich = Scene(genesis(5))
    slot = rich.find_slot(Right.DECLARE, 1, rich.head, 0)
    declaration = poor.sign(
        TrainingDeclaration(
            height=1,
            parent=poor.head.hash,
            slot=slot,
            author=keys(1).public,
            weights_digest=bytes(32),
            profile="test",
            commitment=bytes(64),
        )
    )
    assert poor.judge(declaration) == Reject(ChainReason.NOT_BONDED)


# ---- follow the coin ----


@given(
    header=st.binary(min_size=32, max_size=32),
    stakes=st.lists(st.integers(1, 1_000), min_size=1, max_size=6),
    data=st.data(),
)
def test_stakeholders_are_distinct_bonded_and_always_the_same(
    header: bytes, stakes: list[int], data: st.DataObject
) -> None:
    bonds = dict(zip(OWNERS, stakes, strict=False))
    count = data.draw(st.integers(0, len(bonds)))
    chosen = follow_the_coin(header, StakeTable({**bonds, b"\xff" * 32: 0}), count)
    assert len(set(chosen)) == len(chosen) == count
    assert set(chosen) <= set(bonds)
    shuffled = StakeTable(dict(reversed(bonds.items())))
    assert follow_the_coin(header, shuffled, count) == chosen
    assert follow_the_coin(header, shuffled, count // 2) == chosen[: count // 2]


def test_more_stakeholders_than_owners_is_our_own_error() -> None:
    with pytest.raises(ValueError, match="cannot draw 3"):
        follow_the_coin(PARENT, StakeTable({OWNERS[0]: 1, OWNERS[1]: 1, OWNERS[2]: 0}), 3)


def test_draws_are_proportional_to_stake_without_replacement() -> None:
    stakes = dict(zip(OWNERS[:4], (1, 2, 3, 4), strict=True))
    table, draws = StakeTable(stakes), 3_000
    pairs = Counter(follow_the_coin(hashlib.sha256(str(n).encode()).digest(), table, 2) for n in range(draws))
    for first, second in permutations(stakes, 2):
        share = stakes[first] / 10 * stakes[second] / (10 - stakes[first])
        assert is_near(pairs[first, second], share, draws)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_every_coin_has_one_owner(stakes: list[int]) -> None:
    table = StakeTable(dict(zip(OWNERS, stakes, strict=False)))
    laid_out = [owner for owner in table.owners for _ in range(table.get_stake(owner))]
    assert [table.get_owner(coin) for coin in range(table.total)] == laid_out
    with pytest.raises(IndexError):
        table.get_owner(table.total)


@given(st.integers(0, 2**62), st.integers(1, 10**12))
def test_a_slot_contains_the_times_from_its_start_to_the_next(now: int, slot_ns: int) -> None:
    slot = compute_slot(now, slot_ns)
    assert compute_slot_start(slot, slot_ns) <= now < compute_slot_start(slot + 1, slot_ns)

"""Stake lotteries: pure functions of public data that say who may speak when.

A lottery is won in a slot when a hash falls below a target proportional to the author's stake in the parent state, so
nobody chooses its own odds.
"""

from typing import Final

from protocol.crypto import Domain, compute_hash
from protocol.stakes import StakeTable
from protocol.types import PARTS_PER_MILLION, AccountId, Hash32

HASH_RANGE: Final = 1 << 256


def compute_target(stake: int, total_stake: int, per_slot: int) -> int:
    """Return the bound below which a lottery hash wins.

    Args:
        stake: The author's bonded coins.
        total_stake: All bonded coins.
        per_slot: Winners a slot has on average if every owner draws, in millionths.
    """
    return min(HASH_RANGE, HASH_RANGE * stake * per_slot // (total_stake * PARTS_PER_MILLION))


def is_slot_won(
    domain: Domain, stakes: StakeTable, per_slot: int, *, parent: Hash32, height: int, slot: int, author: AccountId
) -> bool:
    """Return whether the author wins this slot; the domain separates one kind of right from another."""
    parts = (parent, height.to_bytes(4, "big"), slot.to_bytes(8, "big"), author)
    return _wins(stakes, per_slot, author, domain, parts)


def compute_ticket(domain: Domain, *, seed: Hash32, slot: int, author: AccountId) -> Hash32:
    """Return an author's draw in a slot from a seed that nobody can choose any more."""
    return compute_hash(domain, seed, slot.to_bytes(8, "big"), author)


def has_winning_ticket(
    domain: Domain, stakes: StakeTable, per_slot: int, *, seed: Hash32, slot: int, author: AccountId
) -> bool:
    """Return whether the author wins this slot, on whatever branch; the domain separates kinds of rights."""
    return _wins(stakes, per_slot, author, domain, (seed, slot.to_bytes(8, "big"), author))


def _wins(stakes: StakeTable, per_slot: int, author: AccountId, domain: Domain, parts: tuple[bytes, ...]) -> bool:
    """Return whether the hash of the parts lies below the target of the author's stake; it is made only if need be."""
    stake = stakes.get_stake(author)
    if stake == 0:
        return False
    target = compute_target(stake, stakes.total, per_slot)
    return target == HASH_RANGE or int.from_bytes(compute_hash(domain, *parts), "big") < target

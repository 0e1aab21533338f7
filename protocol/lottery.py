"""Who may speak when: stake lotteries and follow-the-coin, both pure functions of public data.

A lottery is won in a slot when a hash falls below a target proportional to the author's stake in the parent state, so
nobody chooses its own odds. Follow-the-coin (Bentov et al., "Proof of Activity", 2014) draws bonded coins by a hash of
the header and follows each to its owner.
"""

from typing import Final

from protocol.crypto import Domain, compute_hash
from protocol.ledger import StakeTable
from protocol.types import PARTS_PER_MILLION, AccountId, Hash32, Nanoseconds

HASH_RANGE: Final = 1 << 256


def compute_slot(now: Nanoseconds, slot_ns: int) -> int:
    """Return the number of the slot that a time falls into."""
    return now // slot_ns


def compute_slot_start(slot: int, slot_ns: int) -> Nanoseconds:
    """Return the first nanosecond of a slot."""
    return slot * slot_ns


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
    """Return whether the author wins this slot; the domain separates declaring from proposing."""
    stake = stakes.get_stake(author)
    if stake == 0:
        return False
    target = compute_target(stake, stakes.total, per_slot)
    if target == HASH_RANGE:
        return True
    draw = compute_hash(domain, parent, height.to_bytes(4, "big"), slot.to_bytes(8, "big"), author)
    return int.from_bytes(draw, "big") < target


def follow_the_coin(header: Hash32, stakes: StakeTable, count: int) -> tuple[AccountId, ...]:
    """Return the stakeholders of a header: owners of coins drawn by its hash, each owner once, in order of the draw.

    A coin whose owner is already drawn is drawn again, which is drawing owners without replacement with odds
    proportional to stake.

    Raises:
        ValueError: Fewer than ``count`` owners have a bond.
    """
    if count > len(stakes.owners):
        raise ValueError(f"cannot draw {count} stakeholders from {len(stakes.owners)} owners")
    chosen: dict[AccountId, None] = {}
    draw = 0
    while len(chosen) < count:
        digest = compute_hash(Domain.FOLLOW_THE_COIN, header, draw.to_bytes(4, "big"))
        chosen.setdefault(stakes.get_owner(int.from_bytes(digest, "big") % stakes.total))
        draw += 1
    return tuple(chosen)

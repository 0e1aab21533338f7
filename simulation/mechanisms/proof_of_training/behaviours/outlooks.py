"""What a coalition that invents results can bring about, slot by slot, where everybody's rights are known in advance.

A right is *captured* if members have it and all of its seats, *free* if others have it and all of its seats, and
*shared* otherwise. Members use captured rights to invent, and let a shared one become an honest block or not, as they
like; they cannot stop a free one. A block's slot is after its parent's, so each branch grows by one block a slot.

An *outlook* has a place for each height that the honest branch may have by now, if members help as they like: for each
of its blocks, the genesis first, how many captured slots there have been at most since that block's.
"""

from typing import Final, NamedTuple

Outlook = tuple[tuple[int, ...] | None, ...]
"""By height, below that of the last block; None for a height that the honest branch cannot have."""

WON: Final = None
"""Members have as many captured slots since a block as are missing there."""


class SlotKind(NamedTuple):
    """What rights there are in a slot."""

    is_captured: bool
    is_free: bool
    is_shared: bool


def see(blocks: int, since: tuple[int, ...] = (0,)) -> Outlook:
    """Return the outlook for an honest branch.

    Args:
        blocks: Length of the job.
        since: Captured slots since each of its blocks, the genesis first.
    """
    return tuple(since if height == len(since) - 1 else None for height in range(blocks))


def look_on(outlook: Outlook, kind: SlotKind) -> Outlook | None:
    """Return the outlook after one more slot, or `WON`; no height is left where the honest job is complete.

    Who has captured the slot in which the honest job would be completed is first: his block waits for nobody.
    """
    blocks = len(outlook)
    if kind.is_captured:
        outlook = tuple(_count(since, blocks) for since in outlook)
        if any(is_enough(since, blocks) for since in outlook if since is not None):
            return WON
    higher = (None, *(None if since is None else (*since, 0) for since in outlook[:-1]))
    if kind.is_free:
        return higher
    return tuple(map(_join, outlook, higher)) if kind.is_shared else outlook


def is_lost(outlook: Outlook) -> bool:
    """Return whether the honest job is complete whatever members do."""
    return not any(outlook)


def is_enough(since: tuple[int, ...], blocks: int) -> bool:
    """Return whether there have been as many captured slots since some block as are missing there."""
    return any(count >= blocks - height for height, count in enumerate(since))


def _count(since: tuple[int, ...] | None, blocks: int) -> tuple[int, ...] | None:
    """Count a captured slot, as far as it matters."""
    return None if since is None else tuple(min(count + 1, blocks - height) for height, count in enumerate(since))


def _join(left: tuple[int, ...] | None, right: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return the better of two ways to a height, for each block that an invented branch may begin at."""
    if left is None or right is None:
        return left or right
    return tuple(map(max, left, right))

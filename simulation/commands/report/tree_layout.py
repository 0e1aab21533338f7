"""Where each block of a tree is drawn: its height across, and a lane of its own for each branch."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from simulation.records import Tally

GENESIS_HEIGHT: Final = 0


class Position(NamedTuple):
    """A place in the picture."""

    height: int
    lane: int
    """0 is the uppermost."""


def lay_out(tally: Tally, heads: Iterable[str]) -> dict[str, Position]:
    """Return a place for every block; no two are the same.

    A branch is laid out from its highest block down to where it leaves another one, in the first lane that is free
    at all its heights. The given heads come first, so that their chains are straight and on top.

    Args:
        tally: What is known of the blocks. A damaged log may lead in circles or to blocks that are not there.
        heads: Blocks whose chains come first; unknown ones are left out.
    """
    places: dict[str, Position] = {}
    taken: set[Position] = {Position(GENESIS_HEIGHT, 0)}
    parents = {block.parent for block in tally.blocks.values()}
    tips = sorted(tally.blocks, key=lambda block: (block in parents, -tally.blocks[block].height, block))
    for tip in [*(head for head in heads if head in tally.blocks), *tips]:
        branch = _follow(tally, tip, places)
        heights = [tally.blocks[block].height for block in branch]
        lane = 0
        while any(Position(height, lane) in taken for height in heights):
            lane += 1
        for block, height in zip(branch, heights, strict=True):
            places[block] = Position(height, lane)
            taken.add(places[block])
    return places


def _follow(tally: Tally, tip: str, places: dict[str, Position]) -> list[str]:
    """Return the blocks from a tip down to the first that has a place or does not lie lower than its child."""
    branch: list[str] = []
    block = tip
    while block in tally.blocks and block not in places:
        if branch and tally.blocks[block].height >= tally.blocks[branch[-1]].height:
            break
        branch.append(block)
        block = tally.blocks[block].parent
    return branch

"""The tree of blocks as points and lines, for a chart in which one is clicked."""

from typing import Any, Final

from simulation.commands.report import lay_out
from simulation.explorer.following import Snapshot
from simulation.records import BlockPart, BlockTally, Tally

Row = dict[str, Any]
GENESIS: Final = "genesis"
AHEAD: Final = "not with the employer yet"


def list_points(tally: Tally, *, is_live: bool = False) -> list[Row]:
    """Return a point for each block, the genesis first: its height across, and a lane for each branch.

    Without the genesis where the first blocks are not known.

    Args:
        tally: What is known of the blocks.
        is_live: Whether the employer may still come to what is higher than its chain.
    """
    places = lay_out(tally, [tally.employer.head, tally.compute_agreement()[1].head])
    employers = set(tally.get_chain(tally.employer.head))
    points: list[Row] = []
    if min((place.height for place in places.values()), default=1) == 1:
        points.append({"block": GENESIS, "height": 0, "lane": 0, "looks": GENESIS, "stored_by": len(tally.nodes)})
    for block, place in places.items():
        other = AHEAD if is_live and place.height > tally.employer.height else "left"
        is_poisoned = tally.is_poisoned(block)
        points.append(
            {
                "block": block,
                "height": place.height,
                "lane": place.lane,
                "looks": "poisoned" if is_poisoned else "employer's chain" if block in employers else other,
                "stored_by": sum(block in blocks for blocks in tally.appended_by.values()),
            }
        )
    return points


def list_lines(tally: Tally, points: list[Row]) -> list[Row]:
    """Return the ends of the line from each block to its parent; one that is unknown is drawn as the genesis."""
    places = {point["block"]: point for point in points}
    genesis = places.get(GENESIS)
    lines = []
    for point in points:
        parent = places.get(tally.blocks[point["block"]].parent, genesis) if point is not genesis else None
        if parent is not None:
            lines.append(
                {"x": parent["height"], "y": parent["lane"], "x2": point["height"], "y2": point["lane"]},
            )
    return lines


def make_live_tally(snapshot: Snapshot) -> Tally:
    """Return the blocks of a snapshot as a tally, as far as their tree goes."""
    tally = Tally()
    for block in snapshot.blocks:
        tally.blocks[block.block] = BlockTally(block.height, block.parent, BlockPart(), 0)
        for number in range(block.stored_by):
            tally.appended_by[str(number)].add(block.block)
    tally.employer.head, tally.employer.height = snapshot.head, snapshot.height
    return tally

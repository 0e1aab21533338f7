"""Whether blocks that are final to honest nodes are the same to all of them: a mechanism's word, kept or broken."""

from collections import defaultdict
from dataclasses import dataclass

from simulation.records import FinalTwice, Tally


@dataclass(frozen=True, slots=True)
class FinalRivals:
    """Blocks of one height that are final, each to some honest node."""

    height: int
    blocks: tuple[str, ...]
    """Short hashes; two, and more where honest nodes are parted more than once."""


def find_final_rivals(tally: Tally, depth: int) -> list[FinalRivals]:
    """Return the heights at which honest nodes have different final blocks, lowest first.

    Args:
        tally: What happened.
        depth: Under how many others a block is final: `Mechanism.final_depth`.
    """
    found = defaultdict[int, set[str]](set)
    for head in sorted({node.head for node in tally.get_honest()}):
        for block in tally.get_chain(head)[depth:]:
            found[tally.blocks[block].height].add(block)
    return [FinalRivals(height, tuple(sorted(found[height]))) for height in sorted(found) if len(found[height]) > 1]


def describe_finality(tally: Tally, depth: int | None) -> FinalTwice | None:
    """Return the fact that two blocks of one height are final; None where none are, or no block ever is."""
    rivals = find_final_rivals(tally, depth) if depth is not None else []
    if not rivals:
        return None
    lowest = rivals[0]
    return FinalTwice(height=lowest.height, blocks=" ".join(lowest.blocks), heights=len(rivals))

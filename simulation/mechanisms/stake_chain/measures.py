"""What chain-based proof of stake adds to a run's measures: who made the blocks, and in how few hands that lies."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from simulation.records import LedBlock, Tally


def measure_stake(tally: Tally) -> dict[str, Any]:
    """Return each population's share of the honest chain's blocks, and how evenly nodes share them.

    `gini` is 0 where all nodes have made as many, and nears 1 where one has made all; `nakamoto` is the fewest nodes
    that have made more than half together. Missed is the share of slots up to the head that have no block in the chain;
    stale is the share of blocks that are not in it.
    """
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    parts = [part for part in (tally.blocks[block].part for block in chain) if isinstance(part, LedBlock)]
    made = Counter(part.leader for part in parts)
    counts = sorted(made[label] for label in tally.nodes)
    slots = max((part.led_slot for part in parts), default=0)
    populations = sorted({node.population for node in tally.nodes.values()})
    of_population: Counter[str] = Counter()
    for label, node in tally.nodes.items():
        of_population[node.population] += made[label]
    return {
        "stake": {
            "gini": compute_gini(counts),
            "nakamoto": count_for_majority(counts),
            "missed": (slots - len(parts)) / slots if slots else None,
            "stale": (len(tally.blocks) - len(parts)) / len(tally.blocks) if tally.blocks else None,
            "accused": sum(len(part.accused.split()) for part in parts if part.accused),
        },
        "proposed": {name: of_population[name] / len(parts) for name in populations} if parts else {},
    }


def compute_gini(counts: Sequence[int]) -> float | None:
    """Return the Gini coefficient of numbers in ascending order; None where there are none but zeros."""
    total, number = sum(counts), len(counts)
    if not total:
        return None
    weighted = sum(place * count for place, count in enumerate(counts, start=1))
    return 2 * weighted / (number * total) - (number + 1) / number


def count_for_majority(counts: Sequence[int]) -> int | None:
    """Return how many of the largest numbers it takes for more than half of their sum; None where that is 0."""
    total = sum(counts)
    if not total:
        return None
    reached = accumulate(sorted(counts, reverse=True))
    return next(number for number, count in enumerate(reached, start=1) if 2 * count > total)

"""What proof of work adds to a run's measures: tries, blocks beside the chain, and each population's share of both."""

from collections import Counter, defaultdict
from math import inf
from typing import Any

from simulation.records import MinedBlock, Tally


def measure_work(tally: Tally) -> dict[str, Any]:
    """Return what was hashed for the blocks of the honest chain.

    A population's power is its share of all tries, unknown of a run that only counts; `proposed` is its share of the
    blocks. Stale is the share of blocks that are not in the chain, contested that of heights with more than one block.
    Ties are blocks of which attackers and honest nodes
    have made one each on the same parent; gamma is the share of the blocks that honest nodes found next, on any of
    them, that they built on the attackers'. A double spend succeeds where it is undone, of those that have ended.
    """
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    tries, blocks = sum(tally.work.tries.values()), len(tally.blocks)
    return {
        "work": {
            "tries": tries,
            "tries_drawn": tally.work.drawn,
            "tries_each": tries / len(chain) if chain else None,
            "hash_cpu_s": round(sum(tally.work.cpu.values()), 6),
            "stale": (blocks - len(chain)) / blocks if blocks else None,
            "contested": _measure_contested(tally),
            "power": _share(tally, Counter(tally.work.tries)),
            "ties": _measure_ties(tally),
            "double_spends": _measure_spends(tally.work.spends),
        },
        "proposed": _share(tally, _count_mined(tally, chain)),
    }


def _measure_contested(tally: Tally) -> float | None:
    """Return the share of heights of which there is more than one block."""
    heights = Counter(block.height for block in tally.blocks.values())
    return sum(count > 1 for count in heights.values()) / len(heights) if heights else None


def _measure_ties(tally: Tally) -> dict[str, Any]:
    """Return how often attackers and honest nodes were level, and on whose block honest nodes built then."""
    children: defaultdict[str, list[str]] = defaultdict(list)
    for block, known in tally.blocks.items():
        children[known.parent].append(block)
    ties, built = 0, Counter[bool]()
    for rivals in tuple(children.values()):
        sides = {block: _is_honest(tally, block) for block in rivals}
        if len(set(sides.values())) < 2:
            continue
        ties += 1
        following = [(tally.first_appended.get(block, inf), block) for rival in rivals for block in children[rival]]
        if following and _is_honest(tally, found := min(following)[1]):
            built[sides[tally.blocks[found].parent]] += 1
    return {"count": ties, "gamma": built[False] / built.total() if built else None}


def _is_honest(tally: Tally, block: str) -> bool:
    part = tally.blocks[block].part
    miner = tally.nodes.get(part.miner) if isinstance(part, MinedBlock) else None
    return miner is not None and miner.role == "honest"


def _measure_spends(stages: Counter[str]) -> dict[str, Any]:
    """Return how many double spends came how far, and the share of those that have ended that were undone."""
    ended = stages["undone"] + stages["given_up"]
    counts = {stage: stages[stage] for stage in ("paid", "delivered", "undone", "given_up")}
    return {**counts, "success": stages["undone"] / ended if ended else None}


def _count_mined(tally: Tally, chain: list[str]) -> Counter[str]:
    parts = [tally.blocks[block].part for block in chain]
    return Counter(part.miner for part in parts if isinstance(part, MinedBlock))


def _share(tally: Tally, counts: Counter[str]) -> dict[str, float]:
    """Return each population's share of what its nodes count."""
    found = dict.fromkeys(sorted({node.population for node in tally.nodes.values()}), 0)
    for label, node in tally.nodes.items():
        found[node.population] += counts[label]
    total = sum(found.values())
    return {name: count / total for name, count in found.items()} if total else {}

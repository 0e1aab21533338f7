"""What proof of work adds to a run's measures: tries, blocks beside the chain, and each population's share of both."""

from collections import Counter
from typing import Any

from simulation.records import MinedBlock, Tally


def measure_work(tally: Tally) -> dict[str, Any]:
    """Return what was hashed for the blocks of the honest chain.

    A population's power is its share of all tries, unknown of a run that only counts; `proposed` is its share of the
    blocks. Stale is the share of blocks that are not in the chain.
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
            "power": _share(tally, Counter(tally.work.tries)),
        },
        "proposed": _share(tally, _count_mined(tally, chain)),
    }


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

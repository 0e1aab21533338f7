"""What proof of activity adds to a run's measures: templates, dead ones, what they cost, and who made the blocks."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from simulation.records import ClosedBlock, Tally


def measure_activity(tally: Tally) -> dict[str, Any]:
    """Return what became of the templates, and each population's share of the work and of the honest chain's blocks.

    A template that became no block that an honest node has is dead; `through` is the share that did, whether or not in
    the honest chain, of all and of each population's. Nothing is known of templates in a run that only counts.
    `proposed` is each population's share of the blocks by who found their templates, `closed` by who closed them.
    """
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    tries, blocks = tally.work.tries.total(), len(tally.blocks)
    return {
        "work": {
            "tries": tries,
            "tries_drawn": tally.work.drawn,
            "tries_each": _divide(tries, len(chain)),
            "hash_cpu_s": round(sum(tally.work.cpu.values()), 6),
            "stale": _divide(blocks - len(chain), blocks),
            "power": _share(tally, Counter(tally.work.tries)),
        },
        "templates": _measure_templates(tally, len(chain)),
        "proposed": _share(tally, _count(tally, chain, lambda part: part.miner)),
        "closed": _share(tally, _count(tally, chain, lambda part: part.closer)),
    }


def _measure_templates(tally: Tally, length: int) -> dict[str, Any]:
    made = tally.activity.templates
    if tally.is_counted:
        return dict.fromkeys(("found", "each", "dead", "hashes_dead", "through"), None)
    heard = [block for block in tally.blocks if block in tally.first_appended]
    became = _count(tally, heard, lambda part: part.miner)
    parts = [tally.blocks[block].part for block in heard]
    hashes = sum(part.hashes for part in parts if isinstance(part, ClosedBlock))
    found, through = _sum_up(tally, made), _sum_up(tally, became)
    return {
        "found": made.total(),
        "each": _divide(made.total(), length),
        "dead": made.total() - became.total(),
        "hashes_dead": tally.activity.hashes - hashes,
        "through": _divide(became.total(), made.total()),
        "through_of": {name: _divide(through[name], count) for name, count in found.items()},
    }


def _count(tally: Tally, blocks: list[str], get: Callable[[ClosedBlock], str]) -> Counter[str]:
    parts = [tally.blocks[block].part for block in blocks]
    return Counter(get(part) for part in parts if isinstance(part, ClosedBlock))


def _sum_up(tally: Tally, counts: Counter[str]) -> dict[str, int]:
    """Return what the nodes of each population count together."""
    found = dict.fromkeys(sorted({node.population for node in tally.nodes.values()}), 0)
    for label, node in tally.nodes.items():
        found[node.population] += counts[label]
    return found


def _share(tally: Tally, counts: Counter[str]) -> dict[str, float]:
    """Return each population's share of what its nodes count."""
    found = _sum_up(tally, counts)
    total = sum(found.values())
    return {name: count / total for name, count in found.items()} if total else {}


def _divide(part: float, whole: float) -> float | None:
    return part / whole if whole else None

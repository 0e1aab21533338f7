"""Checking a stored chain again, and whose head lies on what of it holds."""

from typing import Any

from simulation.explorer.stored import Stored
from simulation.records import PartyTally, short_hash

HOLDS, BROKEN, ELSEWHERE, BEGINNING = "holds", "BROKEN", "a branch that no file holds", "has no block"


def list_validity(stored: Stored) -> list[dict[str, Any]]:
    """Return for each node, and the employer, whether the chain up to its head holds.

    The folder has the employer's chain alone: of a node on another branch, the file shows only where it leaves it.
    """
    employer = [("employer", "employer", stored.tally.employer)]
    nodes = [(label, node.population, node) for label, node in stored.tally.nodes.items()]
    return [_judge(stored, label, population, node) for label, population, node in [*employer, *nodes]]


def _judge(stored: Stored, label: str, population: str, node: PartyTally) -> dict[str, Any]:
    heights = {short_hash(record.hash): record.height for record in stored.chain.records} if stored.chain else {}
    common = next((heights[block] for block in stored.tally.get_chain(node.head) if block in heights), 0)
    if not node.height:
        verdict = BEGINNING
    elif node.head in heights:
        verdict = HOLDS
    elif node.head in stored.tally.get_chain(stored.tally.employer.head):
        verdict = BROKEN
    else:
        verdict = ELSEWHERE
    return {
        "node": label,
        "population": population,
        "head": node.head,
        "height": node.height,
        "the chain up to it": verdict,
        "holds up to height": common,
        "outcome": node.outcome,
    }

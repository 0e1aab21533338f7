"""What votes of stake add to a run's measures: rounds, votes, seconds until a block is final, conflicts."""

from collections import Counter
from statistics import fmean
from typing import Any, Final

from simulation.analysis import find_final_rivals
from simulation.records import Tally, VotedBlock

VOTES: Final = ("prevote", "precommit")


def measure_votes(tally: Tally) -> dict[str, Any]:
    """Return what the blocks of the honest chain took, and whether honest nodes have made two of one height final.

    Votes are those said, and their copies those put on links, to the employer as well. Rounds, seconds and votes are
    unknown of a run that only counts. `proposed` is each population's share of the blocks.
    """
    best = tally.compute_agreement()[1]
    chain, counts = tally.get_chain(best.head), tally.bft
    rounds = [counts.rounds[block] for block in chain if block in counts.rounds]
    conflicts = len(find_final_rivals(tally, 0))
    votes = sum(tally.sent_messages[kind] for kind in VOTES)
    copies = sum(tally.sent[kind] for kind in VOTES)
    return {
        "votes": {
            "rounds_each": fmean(rounds) if rounds else None,
            "votes_each": votes / len(chain) if chain and not tally.is_counted else None,
            "vote_copies_each": copies / len(chain) if chain else None,
            "seconds_to_final": round(counts.waited_s / counts.decisions, 6) if counts.decisions else None,
            "contradictions": len(counts.contradictions),
            "conflicts": conflicts,
            "is_split": conflicts > 0,
            "is_whole": best.outcome == "finished",
        },
        "proposed": _share(tally, chain),
    }


def _share(tally: Tally, chain: list[str]) -> dict[str, float]:
    """Return each population's share of the blocks of a chain, by who built them."""
    parts = [tally.blocks[block].part for block in chain]
    builders = Counter(part.builder for part in parts if isinstance(part, VotedBlock))
    found = dict.fromkeys(sorted({node.population for node in tally.nodes.values()}), 0)
    for label, node in tally.nodes.items():
        found[node.population] += builders[label]
    return {name: count / len(chain) for name, count in found.items()} if chain else {}

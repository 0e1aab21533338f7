"""What training adds to a run's measures: comparisons of results, who proposed, models of both kinds of branch."""

from collections import Counter
from typing import Any

from simulation.analysis import find_best
from simulation.records import Evaluated, Tally, TrainingBlock


def measure_training(tally: Tally) -> dict[str, Any]:
    """Return how near results lay, each population's share of the blocks, and what the employer measured.

    The blocks are those of the honest chain, and a population's are those that it proposed. The employer's measurement
    is that of the best clean and of the best poisoned block.
    """
    return {
        "comparisons": {
            "within": tally.training.compared[True],
            "beyond": tally.training.compared[False],
            "farthest_within": tally.training.farthest_within,
        },
        "proposed": _measure_proposed(tally),
        "branches": {
            "honest": _describe_branch(find_best(tally, is_poisoned=False)),
            "poisoned": _describe_branch(find_best(tally, is_poisoned=True)),
        },
    }


def _measure_proposed(tally: Tally) -> dict[str, float]:
    chain = [tally.blocks[block].part for block in tally.get_chain(tally.compute_agreement()[1].head)]
    proposers = [part.proposer for part in chain if isinstance(part, TrainingBlock)]
    proposed = Counter(tally.nodes[label].population for label in proposers if label in tally.nodes)
    populations = sorted({node.population for node in tally.nodes.values()})
    return {name: proposed[name] / len(proposers) for name in populations if proposers}


def _describe_branch(best: Evaluated | None) -> dict[str, Any] | None:
    if best is None:
        return None
    return {
        "height": best.height,
        "accuracy": best.accuracy,
        "recalls": best.list_recalls(),
        "trigger_success": best.trigger_success,
    }

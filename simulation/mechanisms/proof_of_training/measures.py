"""What training adds to a run's measures: comparisons of results, and the models of both kinds of branch."""

from typing import Any

from simulation.analysis import find_best
from simulation.records import Evaluated, Tally


def measure_training(tally: Tally) -> dict[str, Any]:
    """Return how near results lay, and the employer's measurement of the best clean and the best poisoned block."""
    return {
        "comparisons": {
            "within": tally.training.compared[True],
            "beyond": tally.training.compared[False],
            "farthest_within": tally.training.farthest_within,
        },
        "branches": {
            "honest": _describe_branch(find_best(tally, is_poisoned=False)),
            "poisoned": _describe_branch(find_best(tally, is_poisoned=True)),
        },
    }


def _describe_branch(best: Evaluated | None) -> dict[str, Any] | None:
    if best is None:
        return None
    return {
        "height": best.height,
        "accuracy": best.accuracy,
        "recalls": best.list_recalls(),
        "trigger_success": best.trigger_success,
    }

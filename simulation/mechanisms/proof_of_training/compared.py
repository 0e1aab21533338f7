"""What of training stands beside other runs, and in a report: the model, poisoned stages, and what training took."""

from typing import Final

from simulation.analysis import ComparedFigure, Measures, find_best, measured, show_number, show_share, show_shares
from simulation.records import Tally


def compute_coverage(tally: Tally) -> float | None:
    """Return the share of the data set that clean stages of the employer's chain have trained on, as a summary does."""
    opening = tally.get_opening()
    samples, per_stage = opening.samples, opening.samples_per_stage
    if not samples or per_stage is None:
        return None
    clean = tally.employer.height - tally.count_poisoned_employer()
    return min(1.0, clean * per_stage / samples)


def _show_coverage(tally: Tally, measures: Measures) -> str | None:
    coverage = compute_coverage(tally)
    return None if coverage is None else f"{coverage:.0%}" if coverage in (0, 1) else f"{coverage:.1%}"


def _show_accuracy(tally: Tally, measures: Measures) -> str | None:
    last, divergence = tally.training.evaluations.get(tally.employer.head), tally.find_divergence()
    note = "" if divergence is None else f"\nthe model is not finite since stage {divergence}"
    return None if last is None else f"{last.accuracy:.2%}{note}"


def _show_trigger(tally: Tally, measures: Measures) -> str | None:
    last = tally.training.evaluations.get(tally.employer.head)
    return None if last is None else show_share(last.trigger_success)


def _show_deceived(tally: Tally, measures: Measures) -> str:
    return "yes" if tally.count_poisoned_employer() else "no"


def _show_branch(tally: Tally, *, is_poisoned: bool) -> str | None:
    best = find_best(tally, is_poisoned=is_poisoned)
    return None if best is None else show_share(best.accuracy)


def _show_earned(tally: Tally, measures: Measures) -> str | None:
    rates = {name: values["coins_per_cpu_s"] for name, values in measures["populations"].items()}
    return "\n".join(f"{name} {'-' if rate is None else format(rate, ',.1f')}" for name, rate in rates.items()) or None


COMPARED: Final = (
    ComparedFigure("test accuracy", _show_accuracy),
    ComparedFigure("trigger success", _show_trigger),
    ComparedFigure("coverage of the data set", _show_coverage),
    ComparedFigure("poisoned stages, honest", lambda tally, _: str(tally.count_poisoned_honest())),
    ComparedFigure("poisoned stages, employer", lambda tally, _: str(tally.count_poisoned_employer())),
    ComparedFigure("employer deceived", _show_deceived),
    ComparedFigure("accuracy, poisoned branch", lambda tally, _: _show_branch(tally, is_poisoned=True)),
    ComparedFigure("accuracy, honest branch", lambda tally, _: _show_branch(tally, is_poisoned=False)),
    measured("blocks made, by population", "proposed", show_shares),
    measured("declarations to a block", "blocks.declarations_each", show_number),
    ComparedFigure("coins a CPU s, by population", _show_earned),
    ComparedFigure("training CPU s in the chain", lambda tally, _: f"{tally.sum_training_cpu()[0]:,.1f}"),
    ComparedFigure("training CPU s discarded", lambda tally, _: f"{tally.sum_training_cpu()[1]:,.1f}"),
)

"""The figures that stand first in a report."""

from collections import Counter

from simulation.analysis import WORK, measure_detection
from simulation.commands.report.picture import Table
from simulation.commands.report.sources import Run
from simulation.records import Tally


def build_headline(run: Run) -> Table:
    """Return the headline figures of a run."""
    tally, opening = run.tally, run.tally.get_opening()
    agreement, best = tally.compute_agreement()
    deceived = tally.count_poisoned_employer()
    measured = tally.training.evaluations.get(tally.employer.head)
    rows = [
        ("scenario", f"{opening.scenario}, seed {opening.seed}, engine {opening.engine}"),
        ("nodes", _list_populations(tally)),
        ("data set", opening.dataset),
        ("ended", _describe_ending(tally)),
        ("height of the honest chain", str(best.height)),
        ("agreement of honest nodes", f"{agreement:.0%}"),
        (
            "employer deceived",
            f"yes: {deceived} of its {tally.employer.height} stages are poisoned" if deceived else "no",
        ),
        ("employer's height", f"{tally.employer.height} ({tally.employer.outcome})"),
        ("poisoned stages in honest chains", str(tally.count_poisoned_honest())),
        ("test accuracy", f"{measured.accuracy:.2%}{_describe_divergence(tally)}" if measured else "not measured"),
        ("trigger succeeds", f"{measured.trigger_success:.2%}" if measured else "not measured"),
        ("coverage of the data set", _show_share(compute_coverage(tally))),
        ("forks", f"{tally.count_forks()} blocks of honest nodes off their head's chain"),
        ("deepest reorganisation", f"{tally.reorg_depth_max} blocks"),
        ("rejected by honest nodes", _list_refusals(tally)),
        ("detection", _describe_detection(tally)),
    ]
    return Table(("figure", "value"), tuple(rows))


def compute_coverage(tally: Tally) -> float | None:
    """Return the share of the data set that clean stages of the employer's chain have trained on, as a summary does."""
    opening = tally.get_opening()
    samples, per_stage = opening.samples, opening.samples_per_stage
    if not samples or per_stage is None:
        return None
    clean = tally.employer.height - tally.count_poisoned_employer()
    return min(1.0, clean * per_stage / samples)


def _show_share(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def _list_populations(tally: Tally) -> str:
    counts = Counter((node.population, node.role) for node in tally.nodes.values() if node.role)
    return ", ".join(f"{count} {name} ({role})" for (name, role), count in counts.items()) or "none"


def _list_refusals(tally: Tally) -> str:
    totals = sum(tally.rejected_from.values(), start=Counter[str]())
    listed = ", ".join(f"{reason} {count:,}" for reason, count in totals.most_common(8))
    more = f", and {len(totals) - 8} more reasons" if len(totals) > 8 else ""
    return f"{totals.total():,}: {listed}{more}" if totals.total() else "0"


def _describe_ending(tally: Tally) -> str:
    reason, obstacle = tally.get_reason(), tally.get_obstacle()
    if reason is None:
        return "unfinished: the log has no closing line"
    return f"{reason}: {obstacle}" if obstacle is not None else reason


def _describe_divergence(tally: Tally) -> str:
    stage = tally.find_divergence()
    return "" if stage is None else f"; the model is not finite since stage {stage}"


def _describe_detection(tally: Tally) -> str:
    found = measure_detection(tally)
    parts = {
        "of attackers' work rejected": found.recall,
        "of rejected work was attackers'": found.precision,
        "of honest work rejected": found.false_rejection,
    }
    shown = [f"{_show_share(share)} {what}" for what, share in parts.items() if share is not None]
    return f"{', '.join(shown)} (work: {', '.join(WORK[:-1])} and {WORK[-1]} messages)" if shown else "-"

"""The figures that stand first in a report."""

from collections import Counter
from collections.abc import Iterable, Iterator

from simulation.analysis import COSTS, WORK, ComparedFigure, compute_measures, list_compared, measure_detection
from simulation.commands.report.picture import Table
from simulation.commands.report.sources import Run
from simulation.records import Tally


def build_headline(run: Run) -> Table:
    """Return the headline figures of a run: those of every run, its mechanism's own, and what its blocks cost."""
    tally, opening = run.tally, run.tally.get_opening()
    agreement, best = tally.compute_agreement()
    rows = [
        ("scenario", f"{opening.scenario}, seed {opening.seed}, engine {opening.engine}"),
        ("mechanism", run.mechanism or "unknown"),
        ("nodes", _list_populations(tally)),
        ("data set", opening.dataset),
        ("ended", _describe_ending(tally)),
        ("height of the honest chain", str(best.height)),
        ("agreement of honest nodes", f"{agreement:.0%}"),
        ("employer's height", f"{tally.employer.height} ({tally.employer.outcome})"),
        ("forks", f"{tally.count_forks()} blocks of honest nodes off their head's chain"),
        ("deepest reorganisation", f"{tally.reorg_depth_max} blocks"),
        *_list_measured(run, list_compared(run.mechanism)),
        ("rejected by honest nodes", _list_refusals(tally)),
        ("detection", _describe_detection(tally)),
        *_list_measured(run, COSTS),
    ]
    return Table(("figure", "value"), tuple(rows))


def _list_measured(run: Run, figures: Iterable[ComparedFigure]) -> Iterator[tuple[str, str]]:
    """Yield the figures that a run has."""
    measures = compute_measures(run.tally, run.mechanism)
    for figure in figures:
        shown = figure.show(run.tally, measures)
        if shown is not None:
            yield figure.name, shown


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


def _describe_detection(tally: Tally) -> str:
    found = measure_detection(tally)
    parts = {
        "of attackers' work rejected": found.recall,
        "of rejected work was attackers'": found.precision,
        "of honest work rejected": found.false_rejection,
    }
    shown = [f"{_show_share(share)} {what}" for what, share in parts.items() if share is not None]
    return f"{', '.join(shown)} (work: {_list_work(tally)} messages)" if shown else "-"


def _list_work(tally: Tally) -> str:
    """Return the kinds of messages that detection is over: those of training where there is any, else those judged."""
    judged = {kind for _, kind in (*tally.accepted_of, *tally.rejected_of)}
    has_training = any(map(tally.is_trained, tally.blocks))
    *first, last = [kind for kind in WORK if has_training or kind in judged]
    return f"{', '.join(first)} and {last}" if first else last

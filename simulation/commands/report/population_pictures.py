"""The colours of populations, the same in every picture of a run, and their refusals and coins."""

from collections import Counter, defaultdict
from math import ceil
from typing import Final

from matplotlib.axes import Axes

from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.sources import Run
from simulation.commands.report.style import BLACK, GREY, WIDTH, colour_populations, fit, make_figure
from simulation.records import PartyTally

REFUSALS: Final = "Refusals"
COINS: Final = "Coins"

ROW: Final = 0.36
"""Inches that a bar has."""
LEGEND_ROW: Final = 0.21
LEGEND_COLUMNS: Final = 4
LEGEND_MARK: Final = 0.5
"""Inches that an entry of a legend takes besides its letters."""
LETTER: Final = 0.09
MAX_ROWS: Final = 40
"""More populations or reasons than these are drawn together as one."""

OTHERS: Final = "all others"


def group_nodes(run: Run) -> dict[str, list[PartyTally]]:
    """Return the nodes of each population, honest ones first; those that the log never introduces are left out."""
    groups: defaultdict[str, list[PartyTally]] = defaultdict(list)
    for _, node in sorted(run.tally.nodes.items()):
        if node.role:
            groups[node.population].append(node)
    return dict(sorted(groups.items(), key=lambda item: (item[1][0].role != "honest", item[0])))


def find_colours(run: Run) -> dict[str, str]:
    """Return the colour of each population of nodes, and of users."""
    groups = group_nodes(run)
    honest = [name for name, nodes in groups.items() if nodes[0].role == "honest"]
    return {**colour_populations(honest, set(groups) - set(honest)), "users": BLACK}


def draw_refusals(run: Run) -> Picture | Missing:
    """Return the picture of what honest nodes rejected."""
    counts = {name: reasons for name, reasons in run.tally.rejected_from.items() if reasons.total()}
    if not counts:
        return Missing(REFUSALS, "Honest nodes rejected nothing.")
    shown, colours = _merge(counts), find_colours(run)
    totals = sum(shown.values(), start=Counter[str]())
    reasons = sorted(totals, key=lambda reason: (-totals[reason], reason))
    longest = max(len(fit(name)) for name in shown)
    fitting = int(WIDTH / (LEGEND_MARK + LETTER * longest))  # a wider legend would be cut off at both sides
    legend_columns = max(1, min(LEGEND_COLUMNS, fitting))
    figure = make_figure(ROW * len(reasons) + 1.6 + LEGEND_ROW * ceil(len(shown) / legend_columns - 1))
    axes = figure.subplots()
    starts = dict.fromkeys(reasons, 0)
    order = [*(name for name in colours if name in shown), *sorted(set(shown) - set(colours))]
    for name in order:
        widths = [shown[name][reason] for reason in reasons]
        lefts = list(starts.values())
        colour = colours.get(name, GREY)
        places = range(len(reasons))
        axes.barh(places, widths, left=lefts, height=0.7, color=colour, edgecolor="white", label=fit(name))
        starts = {reason: starts[reason] + shown[name][reason] for reason in reasons}
    for place, reason in enumerate(reasons):
        axes.annotate(
            f"{totals[reason]:,}", (totals[reason], place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(reasons)), [fit(reason) for reason in reasons])
    axes.set_ylim(len(reasons) - 0.4, -0.6)
    axes.set_xlim(0, max(totals.values()) * 1.1)
    axes.set(title="Messages that honest nodes rejected, by the author's population", xlabel="messages rejected")
    axes.grid(axis="x")
    figure.legend(loc="outside lower center", ncols=legend_columns, title="author")
    return Picture("refusals", REFUSALS, _describe_refusals(counts), _explain_refusals(run), figure, _tabulate(counts))


def draw_coins(run: Run) -> Picture | Missing:
    """Return the picture of what nodes own in the end."""
    groups = group_nodes(run)
    if not run.series.has_balances or not groups:
        return Missing(COINS, "The log ends before the nodes say what they own.")
    names, colours = list(groups)[:MAX_ROWS], find_colours(run)
    sums = [sum(node.balance for node in groups[name]) for name in names]
    figure = make_figure(ROW * len(names) + 1.3)
    total, each = figure.subplots(1, 2, sharey=True)
    total.barh(range(len(names)), sums, height=0.7, color=[colours[name] for name in names])
    for place, coins in enumerate(sums):
        total.annotate(f"{coins:,.2f}", (coins, place), xytext=(4, 0), textcoords="offset points", va="center")
    for place, name in enumerate(names):
        balances = [node.balance for node in groups[name]]
        each.plot(balances, [place] * len(balances), "o", color=colours[name], alpha=0.6, clip_on=False)
    total.set_yticks(range(len(names)), [f"{fit(name)} ({len(groups[name])})" for name in names])
    total.set_ylim(len(names) - 0.4, -0.6)
    total.set_xlim(0, max(sums) * 1.3 or 1)
    each.set_xlim(0, max(node.balance for nodes in groups.values() for node in nodes) * 1.05 or 1)
    total.set(title="Coins of each population", xlabel="coins")
    each.set(title="Coins of each node", xlabel="coins")
    for axes in (total, each):
        _finish(axes)
    parts = [f"{name}: {len(groups[name])} nodes, {coins:,.2f} coins" for name, coins in zip(names, sums, strict=True)]
    note = (
        "What nodes own at the end, apart from their stake, each at its own head: coins on a branch that others refuse "
        "buy nothing there. In brackets, the number of nodes."
    )
    if len(groups) > MAX_ROWS:
        note += f" {len(groups) - MAX_ROWS} more populations are in the table only."
    return Picture("coins", COINS, "; ".join(parts) + ".", note, figure, _tabulate_coins(groups))


def _finish(axes: Axes) -> None:
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _merge(counts: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Return refusals with rare reasons and authors together, so that a flood of made-up names can still be drawn."""
    totals = sum(counts.values(), start=Counter[str]())
    names = sorted(counts, key=lambda name: (-counts[name].total(), name))[:MAX_ROWS]
    reasons = set(sorted(totals, key=lambda reason: (-totals[reason], reason))[:MAX_ROWS])
    merged: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, found in counts.items():
        for reason, count in found.items():
            merged[name if name in names else OTHERS][reason if reason in reasons else OTHERS] += count
    return dict(merged)


def _describe_refusals(counts: dict[str, Counter[str]]) -> str:
    parts = []
    for name, reasons in sorted(counts.items())[:MAX_ROWS]:
        listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common(5))
        parts.append(f"from {name} {reasons.total():,} ({listed})")
    total = sum(reasons.total() for reasons in counts.values())
    return f"Honest nodes rejected {total:,} messages: {'; '.join(parts)}."


def _explain_refusals(run: Run) -> str:
    by_honest = sum(reasons.total() for reasons in run.tally.rejected_from.values())
    others = run.tally.rejected.total() - by_honest
    rest = f" {others:,} refusals by other parties are not shown." if others else ""
    return f"A copy that reaches several honest nodes is rejected by each of them.{rest}"


def _tabulate(counts: dict[str, Counter[str]]) -> Table:
    rows = [
        (name, reason, f"{count:,}")
        for name, reasons in sorted(counts.items())
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Table(("author", "reason", "messages rejected"), tuple(rows))


def _tabulate_coins(groups: dict[str, list[PartyTally]]) -> Table:
    rows = []
    for name, nodes in groups.items():
        balances = [node.balance for node in nodes]
        heights = [node.height for node in nodes]
        figures = (sum(balances), min(balances), max(balances))
        spread = f"{min(heights)} to {max(heights)}" if min(heights) < max(heights) else str(heights[0])
        rows.append((name, nodes[0].role, str(len(nodes)), spread, *(f"{coins:,.2f}" for coins in figures)))
    head = ("population", "role", "nodes", "height", "coins", "least of a node", "most of a node")
    return Table(head, tuple(rows))

"""What a user sees when a run has ended."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulation.analysis import is_uncharged
from simulation.records import PartyTally, Tally
from simulation.runs.energy import describe_energy
from simulation.runs.fitting_table import Column, build_fitting_table
from simulation.runs.mechanism_view import MechanismView
from simulation.runs.summary import Summary

KIB: Final = 1 << 10

_COLUMNS: Final = (
    Column("population", is_number=False),
    Column("role", rank=4, is_number=False),
    Column("nodes", rank=1),
    Column("height", rank=2),
    Column("accepted", rank=3),
    Column("rejected"),
    Column("most rejected for"),
    Column("coins earned"),
)


def group_nodes(tally: Tally) -> dict[str, list[PartyTally]]:
    """Return the nodes of each population."""
    groups: dict[str, list[PartyTally]] = {}
    for node in tally.nodes.values():
        groups.setdefault(node.population, []).append(node)
    return groups


def count_alive(members: list[PartyTally]) -> str:
    """Return how many nodes have not crashed, and how many have, as the console shows it."""
    crashed = sum(node.outcome == "crashed" for node in members)
    return f"{len(members) - crashed} [red](-{crashed})[/]" if crashed else str(len(members))


def print_summary(
    console: Console, tally: Tally, summary: Summary, *, view: MechanismView, rules: str | None, folder: str
) -> None:
    """Print the closing tables.

    Args:
        console: Where they go.
        tally: What was counted of the run.
        summary: Its figures.
        view: What is shown of its mechanism.
        rules: Which rules were in force; None where the mechanism has no versions of them.
        folder: Where the run's files are.
    """
    chain, cost, ledger = (summary[key] for key in ("chain", "cost", "ledger"))
    facts = Table(box=None, show_header=False, padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    obstacle, warnings = tally.get_obstacle(), "\n".join(view.list_warnings(tally))
    rows = {
        "ended": f"{summary['ended']}: {obstacle}" if obstacle is not None else str(summary["ended"]),
        **view.list_data(summary),
        **({"rules": rules} if rules is not None else {}),
        "honest chain": f"height {chain['height']}, agreement {chain['honest_agreement']:.2f}, "
        f"{_count(chain['forks'], 'fork')}, deepest reorganisation {chain['reorg_depth_max']}",
        **_describe_finality(chain.get("final_twice")),
        "employer's chain": f"height {summary['employer']['height']}, {summary['employer']['outcome']}",
        **view.list_results(tally, summary),
        **({"warning": f"[red]{escape(warnings)}[/]"} if warnings else {}),
        "ledger": f"{_count(ledger['transactions'], 'transfer')}, supply {ledger['supply']:,.2f} coins",
        "cost": f"{cost['wall_s']:.1f} s, {cost['cpu_s']:.1f} CPU-s, {cost['memory_pss_mb_max']:,.0f} MB",
        **view.list_costs(tally, summary),
        **_describe_blocks(summary["engine"], summary["measures"].get("cost")),
        "invariants": _describe_invariants(summary),
        "folder": escape(folder),
    }
    for name, text in rows.items():
        facts.add_row(name, text)
    console.print()
    console.print(facts)
    console.print()
    console.print(_build_populations(console.width, tally))
    console.print("  accepted, rejected: each population's messages, by honest nodes", style="dim")


def _describe_finality(twice: Mapping[str, Any] | None) -> dict[str, str]:
    """Return that two blocks of one height are final; nothing where none are."""
    if twice is None:
        return {}
    more = twice["heights"] - 1
    rest = f"; the same at {_count(more, 'height')} more" if more else ""
    what = {2: "two"}.get(len(twice["blocks"]), str(len(twice["blocks"])))
    told = f"{what} final blocks at height {twice['height']}: {' and '.join(twice['blocks'])}{rest}"
    return {"finality": f"[red]{told}[/]"}


def _describe_invariants(summary: Summary) -> str:
    """Return which invariant is broken, or that none is; some are not promised to whom they do not hold for."""
    if summary["broken_invariant"] is not None:
        return f"[red]{escape(summary['broken_invariant'])}[/]"
    return "all hold" if "final_twice" not in summary["chain"] else "all hold that this scenario promises"


def _describe_blocks(engine: str, cost: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what each final block took; nothing where there is none. Simulated time may charge no processor time."""
    if cost is None or not cost["final_blocks"]:
        return {}
    cpu_s, parts = cost["cpu_s_each"], []
    if not is_uncharged(engine, cpu_s):
        energy = f" ({describe_energy(cpu_s)})" if cpu_s else ""
        used = f", {cost['useful_share']:.1%} of use" if cost["useful_share"] is not None else ""
        parts.append(f"{cpu_s:,.3g} CPU-s of nodes{energy}{used}")
    made, checked = cost["signatures_made_each"], cost["signatures_checked_each"]
    parts.append(f"{_round(made)} signatures made and {_round(checked)} checked")
    parts.append(f"{_round(cost['bytes_each'] / KIB)} KiB sent")
    return {"a final block": ", ".join(parts)}


def _round(number: float) -> str:
    """Return a mean with the digits that tell it from others."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _build_populations(width: int, tally: Tally) -> Table:
    """Return what became of each population."""
    rows = []
    for name, members in group_nodes(tally).items():
        reasons = tally.rejected_from[name].most_common(1)
        rows.append(
            (
                name,
                members[0].role,
                count_alive(members),
                f"{min(node.height for node in members)}-{max(node.height for node in members)}",
                str(tally.accepted_from[name]),
                str(tally.rejected_from[name].total()),
                reasons[0][0] if reasons else "-",
                f"{sum(node.balance for node in members):,.2f}",
            )
        )
    return build_fitting_table(width, _COLUMNS, rows)


def _count(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {what if number == 1 else what + 's'}"

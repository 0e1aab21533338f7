"""Large networks that look for nonces, in simulated time: what they cost against their goals."""

from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.runs import run_scenario

SETTINGS: Final = (
    "engine=virtual",
    "populations.fast.count=0",
    "mechanism.interval_ms=10000.0",
    "mechanism.slice_ms=100000.0",  # one search for each head: no transfers wait for a new header
    "protocol.slot_ms=5000.0",
    "network.topology=random_regular",
    "network.degree=8",
    "network.latency.ms=20.0",
    "users.transactions=0",
    "run.time_limit_s=100000.0",
    "output={records: essential, pictures: false}",
)

GOALS: Final = ((1_000, 100, 10.0, 1_024), (10_000, 10, 30.0, None))
"""Nodes, blocks, and the wall seconds and megabytes to stay below."""


def print_work_figures() -> None:
    """Print what proof of work takes among many nodes, and the wall seconds as a ratio of the goal."""
    table = Table(title="virtual engine, proof of work: random regular graph of degree 8, a block every 10 s")
    for column in ("nodes", "blocks", "wall s", "goal", "ratio", "CPU s", "memory MB", "goal", "events", "agreement"):
        table.add_column(column, justify="right")
    for nodes, blocks, wall_goal, memory_goal in GOALS:
        sizes = (f"populations.honest.count={nodes}", f"mechanism.length={blocks}")
        summary = run_scenario("proof_of_work", *SETTINGS, *sizes)
        cost = summary["cost"]
        table.add_row(
            f"{nodes:,}",
            f"{blocks}",
            f"{cost['wall_s']:.1f}",
            f"{wall_goal:g}",
            f"{cost['wall_s'] / wall_goal:.2f}",
            f"{cost['cpu_s']:.1f}",
            f"{cost['memory_pss_mb_max']:,.0f}",
            f"{memory_goal:,}" if memory_goal else "-",
            f"{summary['events']:,}",
            f"{summary['chain']['honest_agreement']:.2f}",
        )
    Console(width=130).print(table)

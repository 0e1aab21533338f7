"""The virtual engine's cost against the number of nodes, and how it grows."""

import math

from rich.console import Console
from rich.table import Table

from benchmarks.runs import run_scenario

SIZES = (100, 1_000, 10_000)
GOALS = {1_000: (8.0, None), 10_000: (60.0, 4_000)}
"""Wall seconds and megabytes to stay below."""

GOAL_EXPONENT = 1.15


def print_virtual_figures() -> None:
    """Print the cost of the scenario `thousands` at several sizes, and the fitted exponent of its growth."""
    table = Table(title="virtual engine: random regular graph of degree 8, 10 blocks, real training and signatures")
    for column in ("nodes", "wall s", "goal", "CPU s", "memory MB", "goal", "events", "events a second", "agreement"):
        table.add_column(column, justify="right")
    points: list[tuple[float, float]] = []
    for size in SIZES:
        summary = run_scenario("thousands", f"populations.honest.count={size}")
        cost, events = summary["cost"], summary["events"]
        points.append((math.log(size), math.log(cost["wall_s"])))
        wall_goal, memory_goal = GOALS.get(size, (None, None))
        table.add_row(
            f"{size:,}",
            f"{cost['wall_s']:.1f}",
            f"{wall_goal:g}" if wall_goal else "-",
            f"{cost['cpu_s']:.1f}",
            f"{cost['memory_pss_mb_max']:,.0f}",
            f"{memory_goal:,}" if memory_goal else "-",
            f"{events:,}",
            f"{events / cost['wall_s']:,.0f}",
            f"{summary['chain']['honest_agreement']:.2f}",
        )
    Console(width=130).print(table)
    print(f"growth of wall time: n^{_fit_slope(points):.2f}, goal at most n^{GOAL_EXPONENT}")


def _fit_slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)

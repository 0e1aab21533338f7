"""Whole runs against their goals, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Goal:
    """What a scenario may cost at most."""

    scenario: str
    wall_s: float
    cpu_s: float | None
    memory_mb: float | None
    repeats: int | None = None
    """Runs of it, where a long one is not to be run as often as the rest."""


GOALS = (
    Goal("prototype", 10, 16, 1800),
    Goal("default", 20, None, None),
    Goal("many_nodes", 120, None, 10_000, repeats=1),
)


def print_run_figures(repeats: int) -> None:
    """Print wall seconds, CPU-seconds and proportional memory of each scenario's runs."""
    table = Table(title="whole runs: median (least to most), and the goal")
    for column in ("scenario", "runs", "wall s", "goal", "CPU s", "goal", "memory MB", "goal", "height", "accuracy"):
        table.add_column(column, justify="right")
    for goal in GOALS:
        summaries = [run_scenario(goal.scenario) for _ in range(goal.repeats or repeats)]
        costs = [summary["cost"] for summary in summaries]
        accuracy = summaries[-1]["training"]["test_accuracy"]
        table.add_row(
            goal.scenario,
            str(len(summaries)),
            _spread([cost["wall_s"] for cost in costs], 1),
            f"{goal.wall_s:g}",
            _spread([cost["cpu_s"] for cost in costs], 1),
            f"{goal.cpu_s:g}" if goal.cpu_s else "-",
            _spread([cost["memory_pss_mb_max"] for cost in costs], 0),
            f"{goal.memory_mb:g}" if goal.memory_mb else "-",
            str(summaries[-1]["chain"]["height"]),
            f"{accuracy:.2%}" if accuracy is not None else "-",
        )
    Console(width=130).print(table)


def run_scenario(scenario: str, *settings: str) -> dict[str, Any]:
    """Run a scenario in a process of its own and return its summary."""
    with run_in_folder(scenario, *settings) as folder:
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
        return summary


@contextmanager
def run_in_folder(scenario: str, *settings: str) -> Iterator[Path]:
    """Run a scenario in a process of its own; give its folder, which is deleted afterwards."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, str(ROOT / "main.py"), "run", scenario, "--out", out]
        for setting in settings:
            command += ["--set", setting]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=out)
        (path,) = Path(out).glob("*/summary.json")
        yield path.parent


def _spread(values: list[float], digits: int) -> str:
    text = f"{median(values):,.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"

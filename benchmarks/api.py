"""What a run costs by the API and by the command: one scenario in fresh processes, in pairs; and the import alone."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from simulation.foundation import ROOT

GOAL: Final = 1.02
"""Most CPU-seconds of a run by the API, as a multiple of those by the command."""

IMPORT_GOAL_S: Final = 0.3

SCENARIOS: Final[dict[str, tuple[str, ...]]] = {
    "stake_bft, 150 blocks": ("stake_bft", "engine=virtual", "mechanism.length=150", "output.pictures=false"),
    "honest, training": ("honest", "engine=virtual", "dataset.name=digits", "output.pictures=false"),
}
"""In simulated time, so that both ways do the very same work in the process that is measured."""

_PROGRAM: Final = "import sys, simulation as pot; pot.run(pot.load(*sys.argv[2:]), sys.argv[1])"
_COMMAND: Final = "import sys; from simulation.commands import main; sys.exit(main(sys.argv[1:]))"
_IMPORT: Final = "import time; start = time.perf_counter(); import simulation; print(time.perf_counter() - start)"


def print_api_figures(pairs: int) -> None:
    """Print the median of CPU-seconds by each way, and the median ratio of the two in a pair.

    Args:
        pairs: Pairs of runs; who goes first changes from one to the next.
    """
    table = Table(title=f"a run by the API and by the command, CPU-seconds of fresh processes, {pairs} pairs")
    for column in ("scenario", "command", "API", "ratio", "goal"):
        table.add_column(column, justify="right" if column != "scenario" else "left")
    for title, (name, *settings) in SCENARIOS.items():
        options = [part for setting in settings for part in ("--set", setting)]
        by_command: list[float] = []
        by_api: list[float] = []
        for number in range(pairs):
            with tempfile.TemporaryDirectory() as folder:
                ways = [
                    (by_command, [_COMMAND, "run", name, *options, "--quiet", "--out", folder]),
                    (by_api, [_PROGRAM, folder, name, *settings]),
                ]
                for taken, arguments in ways[:: -1 if number % 2 else 1]:
                    taken.append(_measure(arguments, folder))
        ratio = median(api / command for api, command in zip(by_api, by_command, strict=True))
        table.add_row(title, f"{median(by_command):.2f}", f"{median(by_api):.2f}", f"{ratio:.3f}", f"{GOAL}")
    console = Console(width=130)
    console.print(table)
    seconds = [float(_run([_IMPORT], str(ROOT)).stdout) for _ in range(max(pairs, 5))]
    console.print(f"import simulation: {median(seconds):.3f} s, goal {IMPORT_GOAL_S} s")


def _measure(arguments: Sequence[str], folder: str) -> float:
    """Return the CPU-seconds of a program and of all processes that it has waited for."""
    before = os.times()
    _run(arguments, folder)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _run(arguments: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)

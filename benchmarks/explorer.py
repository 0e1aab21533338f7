"""What it costs a run of eleven nodes to be watched on the explorer's page, and how often the page has news.

Pairs of runs, one alone and one watched, in turn, so that what else the machine does falls on both. The page is made as
often as a browser asks for it; the browser itself is not counted. A page has news when it shows another snapshot than
before, from the first one on, which comes when the engine starts; so its clocks have gone on, if nothing else has.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simulation as pot
from simulation.explorer import GoingRun

SCENARIOS = {
    "11 nodes, virtual": {"engine": "virtual", "virtual.trainer": "fake", "job.stages": 80, "dataset.name": "digits"},
    "11 nodes, processes": {"engine": "processes", "job.stages": 10, "dataset.name": "digits"},
}
"""What is changed of the shipped scenario `honest`."""

QUIET = {"output.pictures": False}


@dataclass(frozen=True, slots=True)
class Watched:
    """A run that was watched."""

    cost: dict[str, Any]
    news: float
    """News of the page a second."""
    page_share: float
    """What the page took of the machine's processors while it was watched."""


def print_explorer_figures(repeats: int) -> None:
    """Print how much longer watched runs take, and how often their page has news."""
    print(
        "\nexplorer: run alone, watched: the run's own seconds and CPU-seconds; ratio of each pair; the page's share of"
    )
    print("the processors; news a second")
    _run_watched(pot.load("stake_bft", QUIET, engine="virtual"))  # loads what an explorer that is open has loaded
    for what, changes in SCENARIOS.items():
        scenario = pot.load("honest", {**changes, **QUIET})
        pairs = [(_run_alone(scenario), _run_watched(scenario)) for _ in range(repeats)]
        ratios = [watched.cost["wall_s"] / alone["wall_s"] for alone, watched in pairs]
        cpu = [watched.cost["cpu_s"] / alone["cpu_s"] for alone, watched in pairs]
        news = [watched.news for _, watched in pairs]
        share = statistics.median(watched.page_share for _, watched in pairs)
        alone_s = statistics.median(alone["wall_s"] for alone, _ in pairs)
        print(
            f"{what}: {alone_s:.1f} s alone; time {statistics.median(ratios):.3f} "
            f"({min(ratios):.3f}-{max(ratios):.3f}), CPU {statistics.median(cpu):.3f} "
            f"({min(cpu):.3f}-{max(cpu):.3f}), page {share:.1%}, "
            f"news {statistics.median(news):.1f} ({min(news):.1f}-{max(news):.1f}) a second"
        )


def _run_alone(scenario: pot.Scenario) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(scenario.to_yaml(), "utf-8")
        command = [sys.executable, "main.py", "run", str(file), "--out", folder, "--quiet"]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        return _read_cost(Path(told.stdout.strip()))


def _run_watched(scenario: pot.Scenario) -> Watched:
    from simulation.explorer import watch_page  # noqa: PLC0415 - needs Streamlit, which other benchmarks do not

    with tempfile.TemporaryDirectory() as folder:
        going = GoingRun(scenario, Path(folder))
        seen: list[float] = []
        updates = 0
        began, used = time.monotonic(), time.process_time()
        for _ in watch_page(going):
            if going.updates > updates:
                updates = going.updates
                seen.append(time.monotonic())
        span, used = time.monotonic() - began, time.process_time() - used
        if going.folder is None:
            raise RuntimeError(going.error)
        rate = (len(seen) - 1) / (seen[-1] - seen[0]) if len(seen) > 1 else 0.0
        return Watched(_read_cost(going.folder), rate, used / span / (os.cpu_count() or 1))


def _read_cost(folder: Path) -> dict[str, Any]:
    cost: dict[str, Any] = pot.open_run(folder).summary["cost"]
    return cost

"""Nodes in processes that really hash, more of them than cores: what hashes, and how soon a block is heard."""

import json
import os
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.runs import run_in_folder

NODES: Final = 16
SETTINGS: Final = (
    "engine=processes",
    "populations.fast.count=0",
    f"populations.honest.count={NODES}",
    "mechanism={name: proof_of_work, length: 40, hash_rate: 150000.0, expected_hashes: 2000000, window: 0}",
    "mechanism.slice_ms=1000.0",
    "protocol.slot_ms=200",
    "output={pictures: false}",
)
"""Slices as long as a block takes, and slots so long that a node looks at its own head every four seconds.

With the defaults, a quarter of that and about once a block, looking up and telling the others take 3 % of both cores.
"""

BUSY_GOAL: Final = 0.95
HEARD_GOAL_MS: Final = 50.0
TWENTIETHS: Final = 20
MILLISECONDS: Final = 1e3


def print_hashing_figures() -> None:
    """Print which share of the cores hashed, and the time until each other node had a block, beside the goals."""
    with run_in_folder("proof_of_work", *SETTINGS) as folder:
        busy, heard_ms = measure(folder)
    table = Table(title=f"{NODES} nodes that hash on {os.cpu_count()} cores, a block about every second")
    for column in ("cores that hash", "goal", "heard after ms: median", "95 %", "most", "goal"):
        table.add_column(column, justify="right")
    late = quantiles(heard_ms, n=TWENTIETHS)[-1]
    table.add_row(
        f"{busy:.1%}",
        f"{BUSY_GOAL:.0%}",
        *(f"{value:.0f}" for value in (median(heard_ms), late, max(heard_ms), HEARD_GOAL_MS)),
    )
    Console(width=130).print(table)


def measure(folder: Path) -> tuple[float, list[float]]:
    """Return the share of all cores that hashed, and after how many milliseconds each node had each block of others.

    Each node counts from the genesis to its last record of hashing: tries after it are in no record.
    """
    records = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    began = next(record["time"] for record in records if record["event"] == "genesis")
    hashed_s: defaultdict[str, float] = defaultdict(float)
    until: dict[str, float] = {}
    had: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        if record["event"] == "hashed":
            hashed_s[record["who"]] += record["cpu_s"]
            until[record["who"]] = record["time"]
        elif record["event"] == "appended" and record["who"] in hashed_s:
            had[record["block"]].append(record["time"])
    busy = sum(hashed_s[who] / (until[who] - began) for who in until) / (os.cpu_count() or 1)
    return busy, [(time - min(times)) * MILLISECONDS for times in had.values() for time in sorted(times)[1:]]

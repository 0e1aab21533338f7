"""Sweeps for tests: small ones with made-up training, and executors that a test can look into."""

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from simulation.commands.sweeps.cell_runner import CellRunner, Outcome, WorkerSetup
from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.sweep_file import Sweep, load_sweep
from simulation.foundation.interruption import Interruption
from tests.support.memory_runs import make_raw, population
from tests.support.scenarios import save

VARY: dict[str, Any] = {
    "network.loss": [0.0, 0.05],
    "crowd": {"keys": ["populations.honest.count", "protocol.stakeholders"], "values": [[3, 1], [4, 2]]},
}
"""Two axes, one of two keys: four combinations."""


def make_sweep(**changes: Any) -> dict[str, Any]:
    """Return a raw sweep of the scenario that `save_sweep` puts beside it; keys given as None are left out."""
    raw = {"name": "small", "description": "a sweep of a test", "scenario": "base.yaml", "vary": VARY, "repeats": 3}
    return {key: value for key, value in {**raw, "seed": 5, **changes}.items() if value is not None}


def save_sweep(folder: Path, **changes: Any) -> Path:
    """Write a sweep and its scenario; return the sweep's file."""
    base = make_raw(population("honest", 3), population("poisoners", 1, "data_injection"), job={"stages": 1})
    save(folder, base, "base.yaml")
    return save(folder, make_sweep(**changes), "sweep.yaml")


def read_sweep(folder: Path, **changes: Any) -> Sweep:
    return load_sweep(save_sweep(folder, **changes))


def find_folder(out: Path) -> Path:
    """Return the one folder of a sweep there is."""
    folders = list(out.iterdir())
    assert len(folders) == 1, folders
    return folders[0]


def read_cells(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a sweep's file of cells."""
    whole, _, _ = (folder / "cells.jsonl").read_text("utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def read_tables(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a sweep's tables."""
    names = [f"{name}.{ending}" for name in ("results", "aggregate") for ending in ("csv", "parquet")]
    return {name: (folder / name).read_bytes() for name in names}


class HereExecutor:
    """Runs cells in this process, so that a test can change what they do; remembers which it was given."""

    def __init__(self, workers: int) -> None:
        self.given: list[Cell] = []

    def run(
        self, setup: WorkerSetup, chunks: Sequence[Sequence[Cell]], wants_end: Callable[[], bool]
    ) -> Generator[Outcome, None, None]:
        runner = CellRunner(setup, Interruption())
        for cell in (cell for chunk in chunks for cell in chunk):
            if wants_end():
                return
            self.given.append(cell)
            yield runner.run(cell)

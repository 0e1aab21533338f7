"""The files of a run's folder: their names, their digests, and writing one in a single step."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

SCENARIO_NAME: Final = "scenario.yaml"
"""The resolved scenario; a sweep's folder has one too."""

LOG_NAME: Final = "pot_sim.log"
EVENTS_NAME: Final = "events.jsonl"
CHAIN_NAME: Final = "chain.jsonl"
MODEL_NAME: Final = "model.keras"
SUMMARY_NAME: Final = "summary.json"
CERTIFICATE_NAME: Final = "certificate.json"
"""Proof of the delivery, for whoever has neither the chain nor the data."""

JOURNAL_FOLDER: Final = "journal"
"""One file a party, where a run keeps journals."""

WEIGHTS_FOLDER: Final = "weights"
"""Where a run with a tolerance keeps the weights of its blocks."""

SWEEP_NAME: Final = "sweep.yaml"
CELLS_NAME: Final = "cells.jsonl"
DIGESTS_NAME: Final = "tables.json"
RESULTS_STEM: Final = "results"
AGGREGATE_STEM: Final = "aggregate"
"""A sweep's tables: each is written as CSV and as Parquet."""


def compute_file_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file in hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_in_one_step(path: Path, write: Callable[[Path], object], part: Path | None = None) -> None:
    """Let a file be written beside its place and put it there whole: nobody ever reads half of it.

    Args:
        path: Where the file goes; one that is there already is replaced.
        write: Writes the content to the path that it is given.
        part: Where the content is written first; by default ``path`` with ``.part`` at its end.

    Raises:
        OSError: The file cannot be written; nothing is left of it.
    """
    beside = part or path.with_name(f"{path.name}.part")
    try:
        write(beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text_in_one_step(path: Path, text: str) -> None:
    """Write a text file in one step.

    Raises:
        OSError: The file cannot be written; nothing is left of it.
    """
    write_in_one_step(path, lambda part: part.write_text(text, "utf-8"))

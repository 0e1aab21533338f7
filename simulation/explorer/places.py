"""Which folders the page may look into: those below the working folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulation.foundation import SimulationError
from simulation.records import AGGREGATE_STEM, SUMMARY_NAME

MOST_LISTED: Final = 500
"""Folders that are offered, the latest first."""


class PlaceError(SimulationError):
    """A folder is not one that the page may or can look into; the text says why."""


def find_place(told: str | Path) -> Path:
    """Return the folder that a text names, relative to the working folder.

    Raises:
        PlaceError: It lies outside, links followed, or is not there.
    """
    base = Path.cwd().resolve()
    try:
        path = (base / told).resolve()
        is_inside, is_there = path.is_relative_to(base), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise PlaceError(f"{told}: not a folder that can be opened: {error}") from None
    if not is_inside:
        raise PlaceError(f"{told}: lies outside of the working folder; start `explore` in a folder above it")
    if not is_there:
        raise PlaceError(f"{told}: there is no such folder any more, or it is a file; choose another one")
    return path.relative_to(base)


def list_runs(given: Sequence[Path]) -> list[str]:
    """Return the folders of ended runs to choose from: those given, then those below `runs`, the latest first."""
    return _list([SUMMARY_NAME], given, Path("runs"))


def list_sweeps(given: Sequence[Path]) -> list[str]:
    """Return the folders of ended sweeps to choose from: those given, then those below `sweeps`, the latest first."""
    return _list([f"{AGGREGATE_STEM}.parquet"], given, Path("sweeps"))


def _list(names: list[str], given: Sequence[Path], shelf: Path) -> list[str]:
    """Return the folders that hold a file of one of these names."""
    found = [str(folder) for folder in given if _has_one(folder, names)]
    latest = [(_find_time(folder), name) for folder in _list_folders(shelf) if (name := _take(folder, names))]
    return list(dict.fromkeys([*found, *(name for _, name in sorted(latest, reverse=True))]))[:MOST_LISTED]


def _list_folders(shelf: Path) -> list[Path]:
    try:
        return list(shelf.iterdir())
    except OSError:
        return []


def _take(folder: Path, names: list[str]) -> str | None:
    """Return what to call a folder; None for one that has gone, lies elsewhere, or is of another kind."""
    try:
        return str(find_place(folder)) if _has_one(folder, names) else None
    except PlaceError:
        return None


def _find_time(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _has_one(folder: Path, names: list[str]) -> bool:
    try:
        return any((folder / name).is_file() for name in names)
    except OSError:
        return False

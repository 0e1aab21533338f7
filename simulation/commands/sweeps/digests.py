"""``tables.json``: digests of a sweep's tables and of the cells they were made of, so that an edited one is noticed."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from simulation.records import DIGESTS_NAME, compute_file_digest, write_text_in_one_step


def write_digests(folder: Path, names: Iterable[str]) -> None:
    """Write the SHA-256 digests of files, in one step.

    Raises:
        OSError: A file cannot be read or written.
    """
    digests = {name: compute_file_digest(folder / name) for name in names}
    write_text_in_one_step(folder / DIGESTS_NAME, json.dumps({"files": digests}, indent=2) + "\n")


def read_digests(folder: Path) -> Mapping[str, str] | None:
    """Return the digests of a sweep's files by name; None where there are none, or none that can be read."""
    try:
        digests = json.loads((folder / DIGESTS_NAME).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    is_whole = isinstance(digests, dict) and all(isinstance(digest, str) for digest in digests.values())
    return digests if is_whole else None


def is_changed(folder: Path, name: str, digests: Mapping[str, str]) -> bool:
    """Return whether a file is not there, or not the one that its digest is of."""
    try:
        return digests.get(name) != compute_file_digest(folder / name)
    except OSError:
        return True

"""``tables.json``: digests of a sweep's tables and of the cells they were made of, so that an edited one is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

DIGESTS_NAME: Final = "tables.json"


def write_digests(folder: Path, names: Iterable[str]) -> None:
    """Write the SHA-256 digests of files, in one step.

    Raises:
        OSError: A file cannot be read or written.
    """
    digests = {name: _compute_digest(folder / name) for name in names}
    part = folder / f"{DIGESTS_NAME}.part"
    part.write_text(json.dumps({"files": digests}, indent=2) + "\n", "utf-8")
    part.replace(folder / DIGESTS_NAME)


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
        return digests.get(name) != _compute_digest(folder / name)
    except OSError:
        return True


def _compute_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

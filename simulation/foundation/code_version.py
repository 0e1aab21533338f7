"""Which code made a result: the release, and a digest of the sources it ran from."""

import hashlib
from functools import cache
from typing import Final

from simulation.foundation.project import ROOT

RELEASE: Final = "1.0.0"


@cache
def compute_code_version() -> str:
    """Return the release and 8 hex digits over every source file of the two packages."""
    digest = hashlib.sha256()
    for package in ("protocol", "simulation"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{RELEASE}+{digest.hexdigest()[:8]}"

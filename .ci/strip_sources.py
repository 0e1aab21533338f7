"""Takes the package index out of a lock file, so that each machine uses the index it is set up for."""

import json
import sys
from pathlib import Path


def strip(path: Path) -> None:
    """Empty the list of sources and drop every reference to one."""
    lock = json.loads(path.read_text("utf-8"))
    lock["_meta"]["sources"] = []
    for name, packages in lock.items():
        for package in packages.values() if name != "_meta" else ():
            package.pop("index", None)
    path.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    strip(Path(sys.argv[1]))

"""Plug-ins and scenarios that the tests of plug-ins share."""

from pathlib import Path
from typing import Any

from tests.support.scenarios import save

SMALL: dict[str, Any] = {
    "name": "lab",
    "description": "four honest nodes and one that somebody else has written",
    "engine": "virtual",
    "dataset": {"name": "digits"},
    "job": {"layers": [16], "steps_per_stage": 5, "batch_size": 16, "stages": 2},
    "populations": [{"name": "honest", "role": "honest", "count": 4}],
    "users": {"count": 0, "transactions": 0},
    "run": {"time_limit_s": 60.0},
    "output": {"pictures": False},
}
"""A scenario in which little is trained."""

INVERTED = """
from simulation.plugins import register_poison


@register_poison("inverted", does="`share` of the pictures are inverted")
def invert(images, labels, chosen, rng, *, white: int = 255):
    images[chosen] = white - images[chosen]
    return images, labels
"""


def write(folder: Path, source: str, name: str = "my_lab.py") -> Path:
    """Write the file of a plug-in."""
    path = folder / name
    path.write_text(source, "utf-8")
    return path


def poisoned(**poison: Any) -> dict[str, Any]:
    """Return a population of one node with a poison."""
    return {"name": "bad", "role": "data_injection", "count": 1, "poison": {"kind": "inverted", **poison}}


def save_lab(folder: Path, *populations: dict[str, Any], plugins: list[Any] | None = None, **changes: Any) -> Path:
    """Write a scenario with plug-ins, and some populations beside the honest one."""
    raw = {**SMALL, "plugins": ["my_lab.py"] if plugins is None else plugins, **changes}
    return save(folder, {**raw, "populations": [*SMALL["populations"], *populations]})

"""Plug-ins and scenarios that the tests of plug-ins share."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support.scenarios import ROOT, save

DOCS = (ROOT / "docs" / "plugins.md").read_text("utf-8")

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


MUMBLER = """
from typing import Annotated

from msgspec import Meta

from simulation.plugins import SAYINGS, Adversary, Parameters, Traits, register_behaviour


class MumblerKeys(Parameters):
    share: Annotated[float, Meta(ge=0, le=1)] = 0.5


@register_behaviour
class Mumbler(Adversary):
    kind = "mumbler"
    does = "leaves out a share of what it would say"
    expected = "blocks take longer"
    traits = Traits(passes_on=False, does_its_part=False)
    parameters = MumblerKeys

    def __init__(self, generator, coalition, share):
        super().__init__(generator, coalition)
        self.share = share

    def speak(self, core, action, now):
        is_left_out = isinstance(action, SAYINGS) and self.rng.random() < self.share
        return () if is_left_out else (action,)
"""


def mumbling(*behaviours: Any) -> dict[str, Any]:
    """Return a population of one node with behaviours."""
    return {"name": "bad", "role": "adversary", "count": 1, "behaviours": list(behaviours) or ["mumbler"]}


class Example(NamedTuple):
    """An example of docs/plugins.md."""

    title: str
    python: str
    """The file of a plug-in."""
    keys: dict[str, Any]
    """What a scenario says of it."""


def list_examples() -> list[Example]:
    """Return the examples of docs/plugins.md."""
    found = []
    for section in DOCS.split("\n## ")[1:]:
        blocks = dict(re.findall(r"```(python|yaml)\n(.*?)```", section, re.DOTALL))
        if "python" in blocks:
            keys: dict[str, Any] = yaml.safe_load(blocks["yaml"])
            found.append(Example(section.partition("\n")[0], blocks["python"], keys))
    return found


def find_example(title: str) -> Example:
    return next(example for example in list_examples() if example.title == title)

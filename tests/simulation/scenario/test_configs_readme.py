"""configs/README.md names every key a scenario may have, with the default it really has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from simulation.scenario.behaviours import BehaviourSection
from simulation.scenario.loading import CONFIGS
from simulation.scenario.populations import Conduct, Corruption, Poison, Population
from simulation.scenario.scenario import Scenario

TEXT = (CONFIGS / "README.md").read_text("utf-8")
ROWS = {match[1]: match[2] for match in re.finditer(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|", TEXT, re.MULTILINE)}
DEFAULTS = Scenario.model_validate(yaml.safe_load(Path(CONFIGS / "default.yaml").read_text("utf-8"))).model_dump()


def walk(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the dotted path of each key and its field's default."""
    for name, field in section.model_fields.items():
        if name in ("populations", "corruptions"):
            continue
        options = [field.annotation, *get_args(field.annotation)]
        inner = next((item for item in options if isinstance(item, type) and issubclass(item, BaseModel)), None)
        if inner is not None and inner not in (Poison, BehaviourSection):
            yield from walk(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.get_default(call_default_factory=True, validated_data={})


SHARED = {f"corruption.{name}" for name in Conduct.model_fields}
"""What a corruption has in common with a population."""

KEYS = [
    *walk(Scenario),
    *walk(Population),
    *walk(Poison, "poison."),
    *walk(BehaviourSection, "behaviour."),
    *[(key, default) for key, default in walk(Corruption, "corruption.") if key not in SHARED],
]


@pytest.mark.parametrize("key", [key for key, _ in KEYS])
def test_every_key_has_a_row(key: str) -> None:
    assert key in ROWS


@pytest.mark.parametrize(("key", "default"), [item for item in KEYS if item[0] in ROWS])
def test_the_default_shown_is_the_default_used(key: str, default: object) -> None:
    shown = ROWS[key].strip()
    value: object = DEFAULTS
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) and part in value else default
    if shown.startswith("`"):
        assert yaml.safe_load(shown.strip("`")) == value
    else:
        assert shown in ("needed", "-", "see below")

"""configs/README.md names every key a scenario may have, with the default it really has, and what classes declare."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml
from msgspec import NODEFAULT
from pydantic import BaseModel

from simulation.attacks.catalogue import load_catalogue
from simulation.attacks.traits import list_parameters
from simulation.scenario.behaviours import BehaviourSection
from simulation.scenario.loading import CONFIGS
from simulation.scenario.populations import Conduct, Corruption, Poison, Population
from simulation.scenario.scenario import Scenario
from simulation.training.poisons import POISONS

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


# ---- tables of what classes declare ----


def list_behaviour_keys() -> Iterator[str]:
    """Yield the row of each key that a behaviour takes."""
    takers = {
        item.name: (behaviour.kind, item)
        for behaviour in load_catalogue().values()
        for item in list_parameters(behaviour.parameters)
    }
    for name in list(BehaviourSection.model_fields)[1:]:
        kind, item = takers[name]
        choices = ", ".join(f"`{choice}`" for choice in get_args(item.type)) if get_origin(item.type) is Literal else ""
        holds = choices or (item.meta.extra or {})["unit"]
        default = item.default if isinstance(item.default, str) else json.dumps(item.default, default=str)
        shown, ending = ("-", "") if item.default is NODEFAULT else ("see below", f"; {default} if left out")
        yield f"| `behaviour.{name}` | {holds} | {shown} | `{kind}`: {item.meta.description}{ending} |"


TABLES = {
    "keys of behaviours": list(list_behaviour_keys()),
    "behaviours": [f"| `{kind}` | {item.does} | {item.expected} |" for kind, item in load_catalogue().items()],
    "poisons": [f"| `{name}` | {kind.alteration} |" for name, kind in POISONS.items()],
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_says_what_the_classes_say(table: str) -> None:
    missing = [row for row in TABLES[table] if row not in TEXT.splitlines()]
    assert missing == []
    assert "\n".join([*TABLES[table], "\n"]) in TEXT  # in this order, and nothing after them


@pytest.mark.parametrize("key", ["source", "target"])
def test_a_class_of_a_poison_is_said_to_belong_to_the_poisons_that_take_it(key: str) -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `poison.{key}` |"))
    named = set(re.findall(r"`(\w+)`", row))
    assert named == {name for name, kind in POISONS.items() if key in kind.classes}


def test_the_readme_names_every_shipped_scenario() -> None:
    readme = (CONFIGS.parent / "README.md").read_text("utf-8")
    shipped = [*CONFIGS.glob("*.yaml"), *CONFIGS.glob("attacks/*.yaml")]
    assert sorted(file.stem for file in shipped if f"`{file.stem}`" not in readme) == []

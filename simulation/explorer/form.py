"""A form made from the schema of scenarios: each key with the kind of field that it needs, and its own errors."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import simulation as pot
from simulation.foundation import ROOT
from simulation.scenario import Section

Kind = Literal["choice", "switch", "text"]

_LABELS: Final = frozenset({"name", "description", "mechanism.name", "plugins"})
"""Keys that are not in the form: for another mechanism another scenario is chosen, and no field names code to run."""

_DATA_FILE: Final = "dataset.path"

_ROW: Final = re.compile(r"\| `([a-z_.\[\]]+)` \|(.*)\|\s*$")
_PLAIN: Final = re.compile(r"[a-z_][\w./-]*", re.ASCII | re.IGNORECASE)
"""Text that YAML reads as text."""


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a scenario in a form."""

    key: str
    section: str
    value: str
    """As YAML writes it."""
    kind: Kind
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a form: a scenario, or sentences."""

    scenario: pot.Scenario | None
    at_keys: dict[str, str]
    """What is wrong, by key."""
    in_general: str | None = None
    """What is wrong and belongs to no single key."""


def list_fields(scenario: pot.Scenario) -> list[Field]:
    """Return every key of a scenario that can be changed, section by section."""
    return list(_list_section(scenario.keys, scenario.to_dict(), ""))


def apply(scenario: pot.Scenario, edits: Mapping[str, str]) -> Applied:
    """Return the scenario with some keys changed, or what is wrong with them.

    Args:
        scenario: What the form shows.
        edits: What was written for each key that was changed, as YAML.
    """
    try:
        changed = scenario.change(*(f"{key}={text}" for key, text in edits.items()))
        return _judge_path(changed) if _DATA_FILE in edits else Applied(changed, {})
    except pot.ScenarioError as error:
        sentence = str(error)
    at_keys = {}
    for key, text in edits.items():
        try:
            scenario.change(f"{key}={text}")
        except pot.ScenarioError as error:
            at_keys[key] = str(error).removeprefix(f"--set {key}={text}: ")
    if len(edits) == 1 or at_keys:
        return Applied(None, at_keys)
    named = [key for key in edits if key in sentence or f" {key.rpartition('.')[2]}" in sentence]
    if named:
        return Applied(None, {max(named, key=len): sentence})
    return Applied(None, {}, sentence)


def _judge_path(changed: pot.Scenario) -> Applied:
    """Return a scenario, if the data file that it names lies below the working folder."""
    path, base = changed.keys.dataset.path, Path.cwd().resolve()
    if path is None or (base / path).resolve().is_relative_to(base):
        return Applied(changed, {})
    return Applied(None, {_DATA_FILE: f"{path}: lies outside of the working folder; copy it there"})


def _list_section(section: Section, written: Mapping[str, Any], above: str) -> Iterator[Field]:
    for name, info in type(section).model_fields.items():
        key, value = f"{above}{name}", getattr(section, name)
        if name not in written or _is_a_label(key):
            continue
        if isinstance(value, Section):
            yield from _list_section(value, written[name], f"{key}.")
        elif isinstance(value, list) and value and all(hasattr(item, "name") for item in value):
            for item, told in zip(value, written[name], strict=True):
                yield from _list_section(item, told, f"{key}.{item.name}.")
        else:
            yield _make_field(key, info.annotation, written[name])


def _is_a_label(key: str) -> bool:
    """Return whether a key is one by which others are found."""
    return key in _LABELS or (key.startswith("populations.") and key.endswith(".name"))


def _make_field(key: str, annotation: Any, value: Any) -> Field:  # noqa: ANN401 - types and values of a schema
    section, choices = key.rpartition(".")[0] or "general", _list_choices(annotation)
    kind: Kind = "choice" if choices else "switch" if annotation is bool else "text"
    return Field(key, section, _write(value), kind, choices, _find_help(key))


def _write(value: Any) -> str:  # noqa: ANN401 - a value of a scenario
    """Return a value as YAML on one line, as it is written behind `--set`."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value not in ("true", "false", "null") else json.dumps(value)
    text = json.dumps(value)
    return re.sub(r"^(-?\d+)e", r"\1.0e", text) if isinstance(value, float) else text


def _list_choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type of a schema
    """Return the values that a key may have, if they can be counted; none for others."""
    if get_origin(annotation) is Literal:
        return tuple(_write(value) for value in get_args(annotation))
    parts = get_args(annotation)
    if NoneType in parts and len(parts) == 2:
        inner = _list_choices(next(part for part in parts if part is not NoneType))
        return ("null", *inner) if inner else ()
    return ()


def _find_help(key: str) -> str:
    """Return what the documentation says of a key."""
    texts = _read_help()
    parts = key.split(".")
    shapes = [key, f"{parts[0]}[].{parts[-1]}", f"{parts[0]}.{parts[-1]}", parts[-1]]
    return next((texts[shape] for shape in shapes if shape in texts), "")


@cache
def _read_help() -> dict[str, str]:
    """Return the meaning of each key as ``configs/README.md`` has it; nothing where the file is not there."""
    try:
        lines = (ROOT / "configs" / "README.md").read_text("utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        row = _ROW.match(line)
        if row:
            cells = [cell.strip() for cell in row[2].split(" | ")]
            found[row[1]] = f"{cells[-1]} ({cells[0]})" if len(cells) > 1 else cells[0]
    return found

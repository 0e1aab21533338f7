"""YAML, read strictly: a key written twice, or one that is not text, is refused with its place."""

import re
from pathlib import Path
from typing import Any

import yaml

from simulation.scenario.errors import ScenarioError


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice."""


def _read_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


# YAML 1.1 reads 1e-3 as text; whoever writes a learning rate that way means the number.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+\Z"), list("-+0123456789")
)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _read_mapping)


def read_file(path: Path, wanted: str = "name, description and populations") -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Args:
        path: The file.
        wanted: Keys that it cannot do without, for the message.

    Raises:
        ScenarioError: The file cannot be read, is not YAML, or holds something else.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"not UTF-8 text: {error}"
        raise ScenarioError(f"{path}: cannot be read: {why}") from None
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ScenarioError(f"{where}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ScenarioError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        found = "the file is empty" if raw is None else "there are no keys at its top level"
        raise ScenarioError(f"{path}: {found}; write {wanted} there")
    return raw


def read_value(text: str) -> Any:  # noqa: ANN401 - any YAML
    """Return the value that a piece of YAML stands for.

    Raises:
        ValueError: It is not valid YAML.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError("the value is not valid YAML") from error


def write_text(raw: dict[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)

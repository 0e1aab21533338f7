"""YAML, read strictly: a key written twice, or one that is not text, is refused with its place."""

import re
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from simulation.scenario.errors import ScenarioError

_MERGE: Final = "tag:yaml.org,2002:merge"
_LONG: Final = 100
"""Letters of what looks like a number, from which on it is not shown any more."""

_WORDS: Final = {
    r"mapping values are not allowed here": "a colon stands where none can; text with a colon in it needs quotes",
    r"could not determine a constructor for the tag '(?:tag:yaml\.org,2002:)?(.*)'": (
        "the tag {0} is not read; leave it out"
    ),
    r"found character '\\t' that cannot start any token": "a tab; write spaces in front of a key",
    r"found character '(.*)' that cannot start any token": "text cannot begin with {0}; write it in quotes",
    r"found undefined alias '(.*)'": "*{0} stands for nothing; text that begins with * needs quotes",
    r"found unexpected end of stream": "a quote that is opened is not closed",
    r"but found another document": "a second document begins (---); write one",
}
"""What PyYAML says of some mistakes, and what we say."""


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key written twice."""


def _read_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if key_node.tag == _MERGE:
            text = "merge keys (<<) are not read; write the keys out"
            raise yaml.constructor.ConstructorError(None, None, text, key_node.start_mark)
        key = loader.construct_object(key_node)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _read_scalar(kind: str, loader: _StrictLoader, node: yaml.ScalarNode) -> Any:  # noqa: ANN401 - any YAML
    """Return a number or a date; what looks like one and is none raises an error with its place."""
    read = yaml.SafeLoader.yaml_constructors[node.tag]
    try:
        return read(loader, node)
    except ValueError:
        digits = len(node.value)
        text = f"{kind} of {digits:,} digits is too long" if digits > _LONG else f"{node.value!r} is not {kind}"
        raise yaml.constructor.ConstructorError(None, None, text, node.start_mark) from None


# YAML 1.1 reads 1e-3 as text; whoever writes a learning rate that way means the number.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+\Z"), list("-+0123456789")
)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _read_mapping)
for _tag, _kind in (("int", "a whole number"), ("float", "a number"), ("timestamp", "a date; text needs quotes")):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", partial(_read_scalar, _kind))


def _explain(error: Exception) -> str:
    """Return what is not YAML in words that say what to do, where the library's own do not."""
    if isinstance(error, RecursionError):
        return "lists or keys are nested too deep"
    problem = str(error.problem if isinstance(error, yaml.MarkedYAMLError) else error)
    for pattern, words in _WORDS.items():
        match = re.fullmatch(pattern, problem, re.DOTALL)
        if match:
            return words.format(*match.groups())
    return problem


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
        raise ScenarioError(f"{where}: not valid YAML: {_explain(error)}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ScenarioError(f"{path}: not valid YAML: {_explain(error)}") from None
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
        raise ValueError(f"the value is not valid YAML: {_explain(error)}") from error


def write_text(raw: dict[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)

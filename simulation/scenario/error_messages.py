"""Turns what pydantic found into one sentence each: who wrote it, where it stands, and what to write instead."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import isnan
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from simulation.scenario.defaults import CONSTANTS_FILE, describe_constant, get_constant
from simulation.scenario.errors import INCONSISTENCY_TYPE, Inconsistency, shorten
from simulation.scenario.fields import NAME_PATTERN
from simulation.scenario.overrides import Location

_PATTERNS: Final[dict[str, str]] = {NAME_PATTERN: "write 1 to 40 lower-case letters, digits, _ or -, a letter first"}

_WANTED: Final[dict[str, str]] = {
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller whole number",
    "float_type": "write a number",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "string_type": "write text (a number or a yes needs quotes)",
    "string_unicode": "write text without half characters",
    "list_type": "write a list, such as [first, second]",
    "literal_error": "write {expected}",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "less_than": "write less than {lt}",
}
"""What to write instead, by the type of pydantic's error; the value that was refused is told after it."""

_COUNTED: Final[dict[str, str]] = {
    "too_short": "write {min_length} or more items, not {actual_length}",
    "too_long": "write {max_length} or fewer items, not {actual_length}",
    "string_too_short": "write {min_length} or more characters",
    "string_too_long": "write {max_length} or fewer characters",
}
"""The same where the value itself is too long to be told, or empty."""

_FOLLOWING: Final = "default_factory_not_called"
"""A default that depends on a key that is wrong: that key is told of, and no more."""

_MISSING: Final = "missing"
_UNKNOWN: Final = "extra_forbidden"
_BOUNDS: Final = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")


class Step(NamedTuple):
    """One state of a raw scenario: as the file has it, or after one more override."""

    source: str
    """What brought it about: the file, or the option as the user has typed it."""
    raw: dict[str, Any]
    location: Location
    """Where the override was written; empty for the file."""


class _Finding(NamedTuple):
    """One thing that is wrong."""

    type: str
    location: Location
    what: str
    section: Location | None = None
    """Where keys do not fit together: the section that they have in common."""
    meant: Location | None = None
    """Where a key is unknown: the one that was probably meant."""


def explain(error: ValidationError, steps: Sequence[Step], root: type[BaseModel]) -> str:
    """Return a line for each thing that is wrong with the last step.

    Args:
        error: What pydantic found there.
        steps: The file, and what each override made of it.
        root: The model of a whole scenario.
    """
    findings = _list_findings(error, root)
    misspelt = {finding.meant for finding in findings if finding.meant is not None}
    lines = [
        _explain_finding(finding, steps, root)
        for finding in findings
        if not (finding.type == _MISSING and finding.location in misspelt)
    ]
    return "\n".join(dict.fromkeys(lines))  # a constant may be the default of many items


def _explain_finding(finding: _Finding, steps: Sequence[Step], root: type[BaseModel]) -> str:
    where = ".".join(shorten(str(part)) for part in finding.location)
    source = _find_source(finding, steps, root)
    constants = "" if finding.type == _MISSING else _list_constants(finding.location, steps[-1].raw, root)
    if constants and (finding.section is None or not _is_written(finding.section, steps[-1].raw)):
        return f"{CONSTANTS_FILE}: {constants}: {finding.what}"
    if constants:  # what was written does not fit to what was not: either may be meant to change
        source = f"{source}, with {CONSTANTS_FILE}: {constants}"
    return f"{source}: {where + ': ' if where else ''}{finding.what}"


# ---- what is wrong ----


def _list_findings(error: ValidationError, root: type[BaseModel]) -> list[_Finding]:
    details = error.errors(include_url=False)
    return [_make_finding(detail, root) for detail in details if detail["type"] != _FOLLOWING]


def _make_finding(detail: ErrorDetails, root: type[BaseModel]) -> _Finding:
    kind, location, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind == INCONSISTENCY_TYPE:
        found = Inconsistency(**context)
        return _Finding(kind, (*location, *_split(found.where)), found.what, section=location)
    close = _find_close(location, root) if kind == _UNKNOWN else None
    return _Finding(kind, location, _describe(detail, root), meant=(*location[:-1], close) if close else None)


def _find_close(location: Location, root: type[BaseModel]) -> str | None:
    """Return the key that an unknown one was probably meant to be."""
    return next(iter(difflib.get_close_matches(str(location[-1]), _list_keys(location[:-1], root), n=1)), None)


def _describe(detail: ErrorDetails, root: type[BaseModel]) -> str:
    kind, location, context = detail["type"], detail["loc"], detail.get("ctx", {})
    plain = {name: _show_bound(value) for name, value in context.items()}
    if kind == _UNKNOWN:
        close = _find_close(location, root)
        allowed = ", ".join(_list_keys(location[:-1], root))
        return "unknown key; " + (f"did you mean {close!r}?" if close else f"allowed here: {allowed}")
    if kind == _MISSING:
        return "missing; this key has no default"
    if kind in ("too_short", "too_long") and isinstance(detail["input"], str):
        kind = f"string_{kind}"
    if kind in _COUNTED:
        return _COUNTED[kind].format(**plain)
    shown = show(detail["input"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"write keys below it ({', '.join(_list_keys(location, root))}), not {shown}"
    if kind == "string_pattern_mismatch":
        return f"{_PATTERNS.get(context['pattern'], 'write other text')}, not {shown}"
    if isinstance(detail["input"], float) and isnan(detail["input"]):  # it is in no bounds, whichever stands first
        kind = "finite_number" if kind in _BOUNDS else kind
    known = describe_bound({**detail, "type": kind}, shown)
    if known is not None:
        return known
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]


def show(value: object) -> str:
    """Return a value as a user would have written it, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "keys below it"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 1000:  # Python refuses to write out very long numbers
        return "one of hundreds of digits"
    return shorten(repr(value))


def describe_bound(detail: ErrorDetails, shown: str) -> str | None:
    """Return what to write in place of a value that is of another type or out of bounds; None for other faults.

    Args:
        detail: What pydantic has found.
        shown: The value, as it is told.
    """
    plain = {name: _show_bound(value) for name, value in detail.get("ctx", {}).items()}
    wanted = _WANTED.get(detail["type"])
    return None if wanted is None else f"{wanted.format(**plain)}, not {shown}"


def _show_bound(value: object) -> object:
    """Return a bound without an exponent or a decimal point that it does not need."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# ---- who wrote it ----


def _find_source(finding: _Finding, steps: Sequence[Step], root: type[BaseModel]) -> str:
    """Return the override that wrote the value or made the fault appear; the file if none did."""
    for step in steps[::-1]:
        if step.location and step.location == finding.location[: len(step.location)]:
            return step.source
    for after, before in pairwise(steps[::-1]):
        if not _has(before.raw, finding, root):
            return after.source
    return steps[0].source


def _has(raw: dict[str, Any], finding: _Finding, root: type[BaseModel]) -> bool:
    """Return whether a raw scenario has the same fault in the same place."""
    try:
        root.model_validate(raw)
    except ValidationError as error:
        return finding[:2] in [found[:2] for found in _list_findings(error, root)]
    return False


def _list_constants(location: Location, raw: dict[str, Any], root: type[BaseModel]) -> str:
    """Return the constants that a value which nobody wrote comes from; nothing where somebody wrote it."""
    if _is_written(location, raw):
        return ""
    fields = list(_walk_fields(location, root, raw))
    names = [name for field in fields if (name := get_constant(field, raw))][-1:]
    section = _find_section(fields[-1].annotation) if fields and not names else None
    if section is not None:
        names = [name for field in section.model_fields.values() if (name := get_constant(field, raw))]
    return ", ".join(describe_constant(name) for name in names)


def _is_written(location: Location, raw: Any) -> bool:  # noqa: ANN401 - raw YAML
    for part in location:
        is_key = isinstance(raw, dict) and part in raw
        is_item = isinstance(raw, list) and isinstance(part, int) and part < len(raw)
        if not (is_key or is_item):
            return False
        raw = raw[part]
    return True


def _split(where: str) -> Location:
    return tuple(int(part) if part.isdecimal() else part for part in where.split("."))


# ---- the keys there are ----


def _list_keys(location: Location, root: type[BaseModel]) -> list[str]:
    """Return the keys a scenario may have at a place."""
    fields = list(_walk_fields(location, root))
    section = _find_section(fields[-1].annotation) if fields else root
    return list(section.model_fields) if section else []


def _walk_fields(location: Location, root: type[BaseModel], raw: Any = None) -> Iterator[FieldInfo]:  # noqa: ANN401 - raw YAML
    """Yield the field of each key on the way to a place; numbers of list items are no keys.

    Args:
        location: The place.
        root: The model of a whole scenario.
        raw: The scenario, which chooses the keys of some sections; None where it does not matter.
    """
    section: type[BaseModel] | None = root
    for part in location:
        raw = _look_up(raw, part)
        if section is None or not isinstance(part, str):
            continue
        if part not in section.model_fields:
            return
        field = section.model_fields[part]
        yield field
        section = _find_section(field.annotation)
        choose: Callable[[Any], type[BaseModel]] | None = getattr(section, "choose_kind", None)
        section = choose(raw) if choose is not None else section


def _look_up(raw: Any, part: str | int) -> Any:  # noqa: ANN401 - raw YAML
    """Return what stands below a key, or at a place of a list; None where nothing does."""
    if isinstance(raw, dict):
        return raw.get(part)
    is_item = isinstance(raw, list) and isinstance(part, int) and part < len(raw)
    return raw[part] if is_item else None


def _find_section(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for item in get_args(annotation) if (found := _find_section(item)) is not None), None)

"""What a fact is: one frozen struct for each event, written as flat fields and read back strictly.

Each event name stands for one type of fact. Consensus mechanisms register facts of their own, and parts of facts that
the core writes, such as what they have to say of a block.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, inspect
from msgspec.structs import FieldInfo

from simulation.records.lines import RecordError, Value

_MOST: Final = 2**63 - 1
"""No whole number of a run is larger; one that is was not written by a run."""

_LIMIT: Final = 2.0**63
"""No other number of a run is as large."""

Count = Annotated[int, Meta(ge=0, le=_MOST)]
BlockHeight = Annotated[int, Meta(ge=1, le=_MOST, extra={"unit": "blocks"})]
Height = Annotated[int, Meta(ge=0, le=_MOST, extra={"unit": "blocks"})]
Bytes = Annotated[int, Meta(ge=0, le=_MOST, extra={"unit": "bytes"})]
Number = Annotated[float, Meta(gt=-_LIMIT, lt=_LIMIT)]
Seconds = Annotated[float, Meta(gt=-_LIMIT, lt=_LIMIT, extra={"unit": "s"})]
CpuSeconds = Annotated[float, Meta(gt=-_LIMIT, lt=_LIMIT, extra={"unit": "CPU-s"})]
Mebibytes = Annotated[float, Meta(gt=-_LIMIT, lt=_LIMIT, extra={"unit": "MiB"})]
Coins = Annotated[float, Meta(gt=-_LIMIT, lt=_LIMIT, extra={"unit": "coins"})]
MicroCoins = Annotated[int, Meta(ge=0, le=_MOST, extra={"unit": "micro-coins"})]
Share = Annotated[float, Meta(ge=0, le=1, extra={"unit": "share"})]


class FactError(RecordError):
    """Fields are not those of an event's fact."""

    def __init__(self, event: str, field: str, problem: str) -> None:
        """Say which event, which of its fields (empty for none), and what is wrong."""
        super().__init__(f"{event}: {field}: {problem}" if field else f"{event}: {problem}")
        self.event = event
        self.field = field
        self.problem = problem


class Part(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """Fields that stand in the middle of a fact, and which differ from one mechanism, or one case, to the next."""


class Fact(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that happened in a run.

    The fields of a record stand in the order in which they are declared. One with the default None is left out where it
    is None.
    """

    event: ClassVar[str]
    """What happened, in one word."""
    level: ClassVar[str]
    """`INFO`, `DEBUG` or `WARNING`."""
    subject: ClassVar[str]
    """Whose label its records have, in words."""

    def to_fields(self) -> dict[str, Value]:
        """Return the fields of a record, those of a part in its place."""
        fields: dict[str, Value] = msgspec.to_builtins(self)
        return _flatten(fields) if type(self) in _PARTS else fields


_TYPES: Final[dict[str, type[Fact]]] = {}
_PARTS: Final[defaultdict[type[Fact], list[type[Part]]]] = defaultdict(list)


def register_facts(*types: type[Fact]) -> None:
    """Let records of some events be read.

    Raises:
        ValueError: Another type has the event's name.
    """
    for kind in types:
        if _TYPES.setdefault(kind.event, kind) is not kind:
            raise ValueError(f"{kind.event}: both {_TYPES[kind.event].__name__} and {kind.__name__}")


def register_parts(whole: type[Fact], *parts: type[Part]) -> None:
    """Let records of a fact have one of some parts."""
    _PARTS[whole].extend(part for part in parts if part not in _PARTS[whole])


def list_facts() -> tuple[type[Fact], ...]:
    """Return every type of fact there is, in the order of registration."""
    return tuple(_TYPES.values())


def list_parts(whole: type[Fact]) -> tuple[type[Part], ...]:
    """Return the parts that a type of fact may have; none for most."""
    return tuple(_PARTS.get(whole, ()))


def read_fact(event: str, fields: Mapping[str, Value]) -> Fact:
    """Return the fact that a record's fields say.

    Raises:
        FactError: There is no such event, or a field is missing, unknown or not what it must be.
    """
    kind = _TYPES.get(event)
    if kind is None:
        raise FactError(event, "", "no event of a run")
    with suppress(msgspec.ValidationError, ArithmeticError, ValueError):
        return _convert(kind, fields)
    raise _find_fault(kind, fields)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is asked of the fields of a fact or part."""

    fields: dict[str, FieldInfo]
    """All but the part."""
    optional: frozenset[str]
    """Fields that are left out where they are None."""
    part: str | None
    """Field in whose place a part stands."""
    tag: dict[str, str]
    """The field that tells a part from others, if there is one, and its text."""
    names: frozenset[str]
    """Names of the fields in a record, without those of a part."""


@cache
def _find_shape(kind: type[Fact | Part]) -> _Shape:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    parts = [name for name, field in fields.items() if isinstance(field.type, type) and issubclass(field.type, Part)]
    for name in parts:
        del fields[name]
    config = kind.__struct_config__
    tag = {str(config.tag_field): str(config.tag)} if config.tag_field is not None else {}
    optional = frozenset(name for name, field in fields.items() if not field.required)
    return _Shape(fields, optional, parts[0] if parts else None, tag, frozenset([*fields, *tag]))


def _convert(kind: type[Fact], fields: Mapping[str, Value]) -> Fact:
    """Return a fact; raise one of several errors where a field does not hold."""
    shape = _find_shape(kind)
    if _has_null(shape, fields) or shape.part in fields:
        raise ValueError
    if shape.part is None:
        return msgspec.convert(fields, kind)
    part = _choose_part(kind, fields)
    names = _find_shape(part).names
    if _has_null(_find_shape(part), fields):
        raise ValueError
    own: dict[str, Any] = {name: value for name, value in fields.items() if name not in names}
    rest = {name: value for name, value in fields.items() if name in names}
    whole = msgspec.convert({**own, shape.part: {}}, kind)
    return msgspec.structs.replace(whole, **{shape.part: msgspec.convert(rest, part)})


def _has_null(shape: _Shape, fields: Mapping[str, Value]) -> bool:
    """Return whether a field is None that would have been left out."""
    return any(fields.get(name, "") is None for name in shape.optional)


def _choose_part(whole: type[Fact], fields: Mapping[str, Value]) -> type[Part]:
    """Return the part that fields look most like; whether they are its own is yet to be seen."""

    def rate(kind: type[Part]) -> tuple[bool, int]:
        shape = _find_shape(kind)
        return shape.tag.items() <= fields.items(), -len(shape.names ^ (fields.keys() - _find_shape(whole).names))

    return max(_PARTS[whole], key=rate)


def _find_fault(kind: type[Fact], fields: Mapping[str, Value]) -> FactError:
    """Return what is wrong with fields that are no fact, naming the first that does not hold."""
    shapes = [_find_shape(kind)]
    if shapes[0].part is not None:
        shapes.append(_find_shape(_choose_part(kind, fields)))
    for name in fields:
        if not any(name in shape.names for shape in shapes):
            return FactError(kind.event, name, "no field of this event")
    for shape in shapes:
        for name, text in shape.tag.items():
            if fields.get(name) != text:
                return FactError(kind.event, name, "unknown" if name in fields else "missing")
        for name, field in shape.fields.items():
            problem = _find_problem(field, fields[name]) if name in fields else "missing" if field.required else None
            if problem is not None:
                return FactError(kind.event, name, problem)
    return FactError(kind.event, "", "not what a run writes")


def _find_problem(field: FieldInfo, value: Value) -> str | None:
    """Return what is wrong with a value; None where the field takes it."""
    if value is not None or field.required:
        with suppress(msgspec.ValidationError, ArithmeticError, ValueError):
            msgspec.convert(value, field.type)
            return None
    return _describe_problem(field, value)


def _describe_problem(field: FieldInfo, value: Value) -> str:
    shown = str(value)[:40]
    kinds = set(map(type, _list_types(inspect.type_info(field.type))))
    if not kinds & {inspect.IntType, inspect.FloatType}:
        return f"not what a run writes: {shown}"
    takes_fractions = inspect.FloatType in kinds
    if isinstance(value, bool) or not isinstance(value, int | float if takes_fractions else int):
        return f"not a number: {shown}"
    return "below 0" if not takes_fractions and value < 0 else f"not a number of a run: {shown}"


def _list_types(found: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types that a field's type is made of."""
    match found:
        case inspect.UnionType(types=types):
            for item in types:
                yield from _list_types(item)
        case inspect.Metadata(type=inner):
            yield from _list_types(inner)
        case _:
            yield found


def _flatten(fields: Mapping[str, Value | dict[str, Value]]) -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= value
        else:
            flat[name] = value
    return flat

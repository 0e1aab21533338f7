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


class Part(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
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
    writer: ClassVar[str]
    """Who the record is about."""

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
    shape = _find_shape(kind)
    if shape.part is None:
        if not any(fields.get(name, "") is None for name in shape.optional):
            with suppress(msgspec.ValidationError, ArithmeticError, ValueError):  # what it was is found out below
                return msgspec.convert(fields, kind)
        return kind(**_read_each(event, shape, fields))
    part = _choose_part(kind, fields)
    names = _find_shape(part).names
    read = _read_each(event, shape, {name: value for name, value in fields.items() if name not in names})
    rest = {name: value for name, value in fields.items() if name in names}
    return kind(**read, **{shape.part: part(**_read_each(event, _find_shape(part), rest))})


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is asked of the fields of a fact or part."""

    fields: dict[str, FieldInfo]
    """All but the part."""
    optional: frozenset[str]
    """Fields that are left out where they are None."""
    part: str | None
    """Field in whose place a part stands."""
    tag: tuple[str, str] | None
    """Name and text of the field that tells a part from others."""
    names: frozenset[str]
    """Names of the fields in a record, without those of a part."""


@cache
def _find_shape(kind: type[Fact | Part]) -> _Shape:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    parts = [name for name, field in fields.items() if isinstance(field.type, type) and issubclass(field.type, Part)]
    for name in parts:
        del fields[name]
    config = kind.__struct_config__
    tag = (str(config.tag_field), str(config.tag)) if config.tag_field is not None else None
    return _Shape(
        fields,
        optional=frozenset(name for name, field in fields.items() if not field.required),
        part=parts[0] if parts else None,
        tag=tag,
        names=frozenset([*fields, *(tag[:1] if tag else ())]),
    )


def _choose_part(whole: type[Fact], fields: Mapping[str, Value]) -> type[Part]:
    """Return the part that fields look most like; whether they are its own is yet to be seen."""

    def rate(kind: type[Part]) -> tuple[bool, int]:
        shape = _find_shape(kind)
        is_named = shape.tag is None or fields.get(shape.tag[0]) == shape.tag[1]
        return is_named, -len(shape.names ^ (fields.keys() - _find_shape(whole).names))

    return max(_PARTS[whole], key=rate)


def _read_each(event: str, shape: _Shape, fields: Mapping[str, Value]) -> dict[str, Any]:
    """Return fields one by one, so that the first that does not hold can be named."""
    for name in fields:
        if name not in shape.names:
            raise FactError(event, name, "no field of this event")
    read: dict[str, Any] = {}
    for name, field in shape.fields.items():
        if name in fields:
            read[name] = _read_field(event, name, field, fields[name])
        elif field.required:
            raise FactError(event, name, "missing")
    if shape.tag is not None and fields.get(shape.tag[0]) != shape.tag[1]:
        raise FactError(event, shape.tag[0], "unknown" if shape.tag[0] in fields else "missing")
    return read


def _read_field(event: str, name: str, field: FieldInfo, value: Value) -> Any:  # noqa: ANN401 - of the field's own type
    if value is not None or field.required:
        with suppress(msgspec.ValidationError, ArithmeticError, ValueError):
            return msgspec.convert(value, field.type)
    raise FactError(event, name, _find_problem(field, value))


def _find_problem(field: FieldInfo, value: Value) -> str:
    """Return what is wrong with a value that a field does not take."""
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

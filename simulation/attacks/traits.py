"""What a behaviour declares about itself: its traits and the keys that a scenario may write below its kind."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What others may expect of a node that behaves in some way."""

    passes_on: bool
    """It relays most of what honest nodes say, so it does not stand between them."""
    does_its_part: bool
    """A round can be finished with it: it does what an honest node does, whatever it does besides."""
    may_jam: bool = True
    """It may send more, or longer, than an honest node, so a slow link may be full of it."""
    is_private: bool = False
    """It talks to its coalition alone, so members must be linked; the length of their chain alone decides."""
    is_telling: bool = False
    """It tells its coalition what others do not hear, so members must be linked, though it talks to everybody."""
    is_stalling: bool = False
    """It can hold up a chain for ever where a header ends the time for declarations."""
    is_mute: bool = False
    """It never says anything that a block is agreed on by."""
    is_strategic: bool = False
    """It uses what the rules leave to a sender's choice, and sends nothing that is wrong by them."""
    keeps_back: bool = False
    """It chooses which of its blocks others get; a node can have one such behaviour only."""
    is_role: bool = False
    """A population's `role` may be its kind, short for an adversary with this one behaviour."""
    differs_by: str | None = None
    """The key in which two such behaviours of one node differ; None where a node can have one only."""

    @property
    def needs_links(self) -> bool:
        """Whether all members of its coalition must be linked."""
        return self.is_private or self.is_telling


HONEST: Final = Traits(passes_on=True, does_its_part=True, may_jam=False)
"""What is expected of a node that follows the protocol."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario says of a behaviour besides its kind.

    A behaviour that takes keys has a subclass with a field for each: an `Annotated` type with a `msgspec.Meta` that
    holds its bounds and its description, and what to call its unit as `extra["unit"]`. A field with a default may be
    left out.
    """


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of a behaviour."""

    name: str
    type: Any
    """What it holds, without its bounds."""
    meta: msgspec.Meta
    default: Any
    """`msgspec.NODEFAULT` where it must be written."""

    @property
    def bounds(self) -> dict[str, Any]:
        """What is set of the bounds that `msgspec` and `pydantic` call by the same names."""
        found = {name: getattr(self.meta, name) for name in ("ge", "gt", "le", "lt", "min_length", "max_length")}
        return {name: bound for name, bound in found.items() if bound is not None}


def list_parameters(parameters: type[Parameters]) -> tuple[Parameter, ...]:
    """Return the keys that a behaviour takes, in their order."""
    return tuple(_read_parameter(field) for field in msgspec.structs.fields(parameters))


def _read_parameter(field: msgspec.structs.FieldInfo) -> Parameter:
    is_annotated = get_origin(field.type) is Annotated
    plain, *metas = get_args(field.type) if is_annotated else (field.type,)
    meta = next((item for item in metas if isinstance(item, msgspec.Meta)), msgspec.Meta())
    return Parameter(field.name, plain, meta, field.default)

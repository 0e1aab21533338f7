"""Looks at a mechanism before it is registered: what is missing is told when a scenario is read, not in a run."""

import difflib
import inspect
import re
from collections.abc import Mapping
from types import FunctionType
from typing import Any, Final, get_origin

from protocol.codec import Codec
from protocol.mechanism import Mechanism
from protocol.messages import BLOCK_KIND, BlockRequest, BlockResponse, HeadAnnouncement, Message, Transaction
from protocol.verdicts import Missing, Reason
from simulation.foundation import NAME_PATTERN
from simulation.scenario import MechanismKeys

_FIELDS: Final = ("height", "parent", "slot", "transactions", "coinbase", "author", "signature")
"""What every block has."""

_GENESIS_TAKES: Final = ("scenario", "accounts", "dataset", "dataset_digest", "form")


def check_mechanism(mechanism: type[Mechanism], parts: Mapping[str, Any]) -> None:
    """Look whether a mechanism, which declares what it must, and its parts are what others take them for.

    Raises:
        ValueError: They are not.
    """
    if not re.fullmatch(NAME_PATTERN, mechanism.name):
        raise ValueError(f"{mechanism.name!r} names no mechanism: write 1 to 40 lower-case letters, digits or _")
    fault = _find_method_fault(mechanism) or _find_message_fault(mechanism)
    if fault is not None:
        raise ValueError(f"{mechanism.__name__}{fault}")
    fault = _find_part_fault(parts)
    if fault is not None:
        raise ValueError(f"of the mechanism {mechanism.name!r} {fault}")


def _find_method_fault(mechanism: type[Mechanism]) -> str | None:
    """Return which method is missing, or takes something else; None where all are as they are called."""
    for missing in sorted(mechanism.__abstractmethods__):
        own = [name for name in dir(mechanism) if not hasattr(Mechanism, name)]
        close = difflib.get_close_matches(missing, own, n=1)
        hint = f"; is {close[0]} meant to be it?" if close else ""
        return f" must define the method {missing}{hint}"
    for name, base in vars(Mechanism).items():
        called = inspect.getattr_static(mechanism, name)
        if not isinstance(base, FunctionType) or called is base or not isinstance(called, FunctionType):
            continue
        given = inspect.signature(base).parameters
        if not can_take(called, len(given)):
            return f".{name} must take ({', '.join(given)})"
    for name, kind in (("reasons", Reason), ("waits", Missing)):
        found = getattr(mechanism, name)
        if not (isinstance(found, type) and issubclass(found, kind)):
            return f".{name} must be a subclass of {kind.__name__}"
    return None


def _find_message_fault(mechanism: type[Mechanism]) -> str | None:
    """Return what of a mechanism's messages cannot be sent or read; None where all can be."""
    block = mechanism.block
    if getattr(block, "kind", None) != BLOCK_KIND:
        return f".block must have BLOCK_KIND as its kind: write kind: ClassVar[str] = BLOCK_KIND in {block.__name__}"
    field = next((name for name in _FIELDS if not hasattr(block, name)), None)
    if field is not None:
        return f".block must have a field {field}, as every block has; add it to {block.__name__}"
    for needed in (Transaction, HeadAnnouncement, BlockRequest, BlockResponse[block]):  # type: ignore[valid-type]
        if needed not in mechanism.messages:
            kind = f"BlockResponse[{block.__name__}]" if needed not in _PLAIN else needed.__name__
            return f".messages must have {kind}, which every chain has"
    tags: dict[object, str] = {}
    for message in mechanism.messages:
        kind = get_origin(message) or message
        if not (isinstance(kind, type) and issubclass(kind, Message)):
            return f".messages must have subclasses of Message alone, not {message!r}"
        tag, name = kind.__struct_config__.tag, kind.__name__
        if tag is None:
            return f".messages needs a tag for each: write tag='...' where {name} is declared"
        if tag in tags:
            return f".messages cannot be told apart: {name} has the tag {tag!r} of {tags[tag]}; give it another"
        tags[tag] = name
    try:
        Codec(b"", mechanism.messages)
    except (TypeError, ValueError) as error:
        return f".messages cannot be read: {' '.join(str(error).split())[:200]}"
    return None


_PLAIN: Final = (Transaction, HeadAnnouncement, BlockRequest)


def _find_part_fault(parts: Mapping[str, Any]) -> str | None:
    keys, genesis = parts.get("keys", MechanismKeys), parts["genesis"]
    if not isinstance(keys, str) and not (isinstance(keys, type) and issubclass(keys, MechanismKeys)):
        what = f"the class {keys.__name__}" if isinstance(keys, type) else f"a {type(keys).__name__}"
        return f"the part keys must be a subclass of ChainKeys or MechanismKeys, not {what}"
    if not isinstance(genesis, str) and not (callable(genesis) and can_take(genesis, len(_GENESIS_TAKES))):
        return f"the part genesis must be a function that takes ({', '.join(_GENESIS_TAKES)})"
    return None


def can_take(function: Any, count: int) -> bool:  # noqa: ANN401 - anything that is called
    """Return whether something can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True

"""Keys that things of plug-ins have of their own in a scenario: read as strictly as ours, by the types they declare."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, get_type_hints

from pydantic import create_model

from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import Section

_TAKEN: Final = frozenset((*dir(Section), "own", "kind", "name"))
"""Names that mean something else already."""

_MAX_INTEGER: Final = 2**63
"""Canonical bytes have 64 bits for a number."""

OwnKeys = Mapping[str, tuple[Any, Any]]
"""Type and default of each key; the default `...` means that it has none."""


def read_own_keys(function: Callable[..., Any], given: tuple[str, ...]) -> OwnKeys:
    """Return the keys that a function of a plug-in takes: its parameters that are passed by name only.

    Args:
        function: The function.
        given: What it is handed besides, in this order.

    Raises:
        ValueError: It takes something else, or a key has no type.
    """
    parameters = inspect.signature(function).parameters.values()
    named = [item for item in parameters if item.kind is item.KEYWORD_ONLY]
    others = [item for item in parameters if item.kind is not item.KEYWORD_ONLY]
    name = getattr(function, "__name__", "the function")
    if len(others) != len(given) or any(item.kind is not item.POSITIONAL_OR_KEYWORD for item in others):
        raise ValueError(f"{name} must take ({', '.join(given)}), and keys of its own behind a *")
    hints = get_type_hints(function, include_extras=True)
    untyped = next((item.name for item in named if item.name not in hints), None)
    if untyped is not None:
        raise ValueError(f"{name} must say of which type its key {untyped} is, such as {untyped}: float = 1.0")
    keys = {item.name: (hints[item.name], ... if item.default is item.empty else item.default) for item in named}
    taken = next((key for key in keys if key in _TAKEN or key.startswith("_")), None)
    if taken is not None:
        raise ValueError(f"a key cannot be called {taken}; give the key of {name} another name")
    try:
        create_model("OwnKeys", __base__=Section, **dict[str, Any](keys))
    except Exception as error:  # noqa: BLE001 - whatever it is, these are no types that can be read
        raise ValueError(f"the keys of {name} cannot be read: {' '.join(str(error).split())[:200]}") from None
    return keys


_sections: Final[dict[int, tuple[object, type[Section]]]] = {}
"""Sections that have been built, by the identity of what they are built for, which is kept alive."""

KeysT = TypeVar("KeysT", bound=Section)


def build_own_section(base: type[KeysT], key: str, name: str, keys: OwnKeys) -> type[KeysT]:
    """Return a section with keys of its own, built once for each declaration of them.

    Args:
        base: What it is besides.
        key: The key that names it, such as `kind`.
        name: What stands there.
        keys: Its own keys.
    """
    known = _sections.get(id(keys))
    if known is None:
        fields: dict[str, Any] = {key: (Literal[name], ...), **keys}
        known = _sections[id(keys)] = (keys, create_model(base.__name__, __base__=base, **fields))
    found: Any = known[1]
    built: type[KeysT] = found
    return built


def refuse_unknown(named: Mapping[Any, Any], allowed: tuple[str, ...]) -> None:
    """Refuse a key that is not allowed.

    Raises:
        PydanticCustomError: There is one.
    """
    unknown = next((str(key) for key in named if key not in allowed), None)
    if unknown is not None:
        raise Inconsistency(unknown, f"unknown key; {suggest(unknown, allowed, 'allowed here:')}").to_error()


def refuse_what_none_can_agree_on(values: Mapping[str, Any]) -> None:
    """Refuse a key whose value has no place in what all parties agree on, which has its canonical bytes.

    Args:
        values: Values by key, as JSON.

    Raises:
        PydanticCustomError: There is one.
    """
    for key, value in values.items():
        items = value if isinstance(value, list) else [value]
        kinds = (int, float, str) if isinstance(value, list) else (bool, int, float, str)
        if not all(type(item) in kinds and (type(item) is not int or abs(item) < _MAX_INTEGER) for item in items):
            what = "all parties agree on it: text, a boolean, a number below 2**63, or a list of texts and numbers"
            raise Inconsistency(key, what).to_error()


def suggest(name: str, known: Sequence[str], otherwise: str = "there are") -> str:
    """Return what to write in place of a name: the one that was probably meant, or any of those known."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"{otherwise} {', '.join(known)}"

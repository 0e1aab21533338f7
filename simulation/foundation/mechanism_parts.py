"""The parts that mechanisms contribute outside the core, by mechanism and kind of part.

A part is looked up by the room that needs it; one that a mechanism does not have is None, and the room does without. A
mechanism of the package names its parts in `simulation/mechanisms/<name>/parts.py`; one from outside calls
`register_parts`.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

SHIPPED: Final = (
    "proof_of_training",
    "proof_of_work",
    "stake_chain",
    "stake_bft",
    "proof_of_activity",
)
"""Mechanisms of the package; each has a folder of its name in `simulation/mechanisms`."""

_registered: dict[str, Mapping[str, Any]] = {}


def register_parts(name: str, parts: Mapping[str, Any]) -> None:
    """Add the parts of a mechanism from outside the package; each is an object, or ``module:attribute`` to be loaded.

    Raises:
        ValueError: The mechanism is one of the package.
    """
    if name in SHIPPED:
        raise ValueError(f"{name!r} is a mechanism of the package")
    _registered[name] = parts


def unregister_parts(name: str) -> None:
    """Take the parts of a mechanism out again that were added by `register_parts`."""
    _registered.pop(name, None)


def list_part_names() -> tuple[str, ...]:
    """Return the names of all parts that a mechanism of the package has."""
    return tuple(sorted({part for name in SHIPPED for part in _list_parts(name)}))


def find_part(name: str, part: str) -> Any:  # noqa: ANN401 - each kind of part has a type of its own
    """Return a part of a mechanism; None where it has none."""
    found = _list_parts(name).get(part)
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = getattr(import_module(module), attribute)
    return found


def find_part_module(name: str, part: str) -> str | None:
    """Return the module that a part of a mechanism is loaded from, without loading it; None where none need be."""
    found = _list_parts(name).get(part)
    return found.partition(":")[0] if isinstance(found, str) else None


def _list_parts(name: str) -> Mapping[str, Any]:
    if name in _registered:
        return _registered[name]
    parts: Mapping[str, Any] = import_module(f"simulation.mechanisms.{name}.parts").PARTS if name in SHIPPED else {}
    return parts

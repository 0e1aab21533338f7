"""Registers mechanisms: how blocks are agreed on."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from protocol.mechanism import Mechanism
from protocol.mechanisms import register, unregister
from simulation.foundation import SHIPPED, enlist, list_part_names, register_parts, unregister_parts
from simulation.scenario import suggest

GENESIS: Final = "genesis"
"""The one part that every mechanism has."""


def register_mechanism(mechanism: type[Mechanism], parts: Mapping[str, Any]) -> None:
    """Let scenarios name a mechanism: ``mechanism: NAME``; docs/mechanisms.md says what one is.

    Args:
        mechanism: The class; its `name` is what scenarios call it.
        parts: What it contributes outside the core, by the names in docs/mechanisms.md; `genesis` must be there. Its
            behaviours are registered by `register_behaviour`, with their `mechanism` set to its name.

    Raises:
        ValueError: It is no mechanism, its name is taken, or a part is none that there is.
    """
    if not (isinstance(mechanism, type) and issubclass(mechanism, Mechanism)):
        raise ValueError(f"{getattr(mechanism, '__name__', mechanism)} is no subclass of Mechanism")
    name = mechanism.name
    if name in SHIPPED:
        raise ValueError(f"there is a mechanism called {name!r} already; give it another name")
    known = tuple(part for part in list_part_names() if part != "behaviours")
    wrong = next((part for part in parts if part not in known), None)
    if wrong is not None:
        raise ValueError(f"the mechanism {name!r} has a part {wrong!r}; {suggest(wrong, known)}")
    if GENESIS not in parts:
        raise ValueError(f"the mechanism {name!r} needs the part {GENESIS}, a function that makes its genesis")
    enlist(f"mechanism {name!r}", partial(_put, mechanism, dict(parts)), partial(_drop, mechanism))


def _put(mechanism: type[Mechanism], parts: Mapping[str, Any]) -> None:
    try:
        register(mechanism)
    except ValueError as error:
        raise ValueError(f"{error}; give it another name") from None
    register_parts(mechanism.name, parts)


def _drop(mechanism: type[Mechanism]) -> None:
    unregister(mechanism)
    unregister_parts(mechanism.name)

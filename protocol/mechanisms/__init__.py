"""Consensus mechanisms by name. `register` adds one from outside the package."""

from importlib import import_module
from typing import Final, cast

from protocol.mechanism import Mechanism

__all__ = ["MechanismError", "MechanismType", "find_mechanism", "list_mechanisms", "register"]

MechanismType = type[Mechanism]
"""A class whose instances are made of a genesis: ``find_mechanism(name)(genesis)``."""

_SHIPPED: Final = {"proof_of_training": "protocol.mechanisms.proof_of_training:ProofOfTraining"}
"""Where each lives; it is loaded when it is first asked for."""

_registered: dict[str, MechanismType] = {}


class MechanismError(LookupError):
    """No mechanism has this name; the text says which there are."""


def register(mechanism: MechanismType) -> None:
    """Add a mechanism under its name; the same one may be added again.

    Raises:
        ValueError: Another mechanism has the name.
    """
    known = _registered.setdefault(mechanism.name, mechanism)
    if known is not mechanism or mechanism.name in _SHIPPED:
        raise ValueError(f"there is a mechanism called {mechanism.name!r} already")


def list_mechanisms() -> tuple[str, ...]:
    """Return the names of all mechanisms, those of the package first."""
    return (*_SHIPPED, *sorted(_registered))


def find_mechanism(name: str) -> MechanismType:
    """Return a mechanism by its name.

    Raises:
        MechanismError: There is none.
    """
    if name in _registered:
        return _registered[name]
    if name not in _SHIPPED:
        raise MechanismError(f"no mechanism is called {name!r}; there are {', '.join(list_mechanisms())}")
    module, _, attribute = _SHIPPED[name].partition(":")
    return cast(MechanismType, getattr(import_module(module), attribute))

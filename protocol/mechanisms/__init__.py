"""Consensus mechanisms by name. `register` adds one from outside the package."""

from typing import Any, Final

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_training import ProofOfTraining
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_chain import StakeChain

__all__ = ["MechanismError", "find_mechanism", "list_mechanisms", "register", "unregister"]

_SHIPPED: Final[dict[str, type[Any]]] = {
    mechanism.name: mechanism
    for mechanism in (
        ProofOfTraining,
        ProofOfWork,
        StakeChain,
        StakeBft,
        ProofOfActivity,
    )
}

_registered: dict[str, type[Any]] = {}


class MechanismError(LookupError):
    """No mechanism has this name; the text says which there are."""


def register(mechanism: type[Mechanism]) -> None:
    """Add a mechanism under its name; the same one may be added again.

    Raises:
        ValueError: Another mechanism has the name.
    """
    known = _SHIPPED.get(mechanism.name) or _registered.setdefault(mechanism.name, mechanism)
    if known is not mechanism:
        raise ValueError(f"there is a mechanism called {mechanism.name!r} already")


def unregister(mechanism: type[Mechanism]) -> None:
    """Take a mechanism out again that was added by `register`; one that is not there is no matter."""
    if _registered.get(mechanism.name) is mechanism:
        del _registered[mechanism.name]


def list_mechanisms() -> tuple[str, ...]:
    """Return the names of all mechanisms, those of the package first."""
    return (*_SHIPPED, *sorted(_registered))


def find_mechanism(name: str) -> type[Any]:
    """Return a mechanism by its name: a class whose instances are made of a genesis of its own kind.

    Raises:
        MechanismError: There is none.
    """
    found = _SHIPPED.get(name) or _registered.get(name)
    if found is None:
        raise MechanismError(f"no mechanism is called {name!r}; there are {', '.join(list_mechanisms())}")
    return found

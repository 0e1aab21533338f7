"""Registers behaviours: in which ways an attacker's node differs from an honest one."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, get_args

from protocol.events import Event
from protocol.mechanism import Proposer
from simulation.attacks import SAYINGS, Action, Adversary, Core, Parameters, Traits, list_parameters
from simulation.foundation import PluginError, locate
from simulation.scenario import PLUGIN_BEHAVIOURS, build_plugin_section

__all__ = ["SAYINGS", "Action", "Adversary", "Core", "Parameters", "Traits", "register_behaviour"]

AdversaryT = TypeVar("AdversaryT", bound=type[Adversary])

_DECLARED: Final[dict[str, type[Any]]] = {"kind": str, "does": str, "expected": str, "traits": Traits}

_RETURNED: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "hear": ("events", get_args(Event)),
    "speak": ("actions", get_args(Action)),
    "act": ("actions", get_args(Action)),
}
"""What methods that plug-ins replace have to return."""


def register_behaviour(behaviour: AdversaryT) -> AdversaryT:
    """Let scenarios name a behaviour: ``behaviours: [{kind: KIND}]``.

    Args:
        behaviour: A subclass of `Adversary`. Its `kind` is what scenarios call it; `does`, `expected` and `traits` say
            what it does, and what others may expect; `parameters` declares its own keys, each of which is an argument
            of its ``__init__`` behind `generator` and `coalition`.

    Raises:
        ValueError: It declares something else, or the kind is taken.
    """
    if not (isinstance(behaviour, type) and issubclass(behaviour, Adversary)):
        raise ValueError(f"{getattr(behaviour, '__name__', behaviour)} is no subclass of Adversary")
    name = behaviour.__name__
    for attribute, wanted in _DECLARED.items():
        if not isinstance(getattr(behaviour, attribute, None), wanted):
            raise ValueError(f"{name} must declare {attribute}, of the type {wanted.__name__}")
    if not (isinstance(behaviour.parameters, type) and issubclass(behaviour.parameters, Parameters)):
        raise ValueError(f"{name}.parameters must be a subclass of Parameters")
    proposer, mechanism = behaviour.proposer, behaviour.mechanism
    if proposer is not None and not (isinstance(proposer, type) and issubclass(proposer, Proposer)):
        raise ValueError(f"{name}.proposer must be a subclass of its mechanism's proposer")
    if not isinstance(mechanism, str | None):
        raise ValueError(f"{name}.mechanism must be the name of a mechanism")
    keys = [item.name for item in list_parameters(behaviour.parameters)]
    if not _takes(behaviour, 2, keys):
        raise ValueError(f"{name}.__init__ must take ({', '.join(['self', 'generator', 'coalition', *keys])})")
    for method in _RETURNED:
        expected = inspect.signature(getattr(Adversary, method)).parameters
        if not _takes(getattr(behaviour, method), len(expected)):
            raise ValueError(f"{name}.{method} must take ({', '.join(expected)})")
    replaced: dict[str, Any] = {method: _check(behaviour, method) for method in _RETURNED}
    checked: Any = type(name, (behaviour,), {**replaced, "__module__": behaviour.__module__})
    build_plugin_section(checked)
    PLUGIN_BEHAVIOURS.register(behaviour.kind, checked)
    return behaviour


def _takes(function: Callable[..., Any], count: int, keys: Iterable[str] = ()) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count, **dict.fromkeys(keys))
    except TypeError:
        return False
    return True


def _check(behaviour: type[Adversary], method: str) -> Callable[..., Iterable[Any]]:
    """Return a method that looks at what a method of a plug-in returns."""
    called = getattr(behaviour, method)
    what, types = _RETURNED[method]
    fault = f"{behaviour.__name__}.{method} returned"

    def checked(self: Adversary, *given: Any) -> Iterable[Any]:  # noqa: ANN401 - as the method
        returned = called(self, *given)
        if not isinstance(returned, Iterable):
            raise PluginError(f"{locate(called)}: {fault} a {type(returned).__name__}; return a sequence of {what}")
        items = tuple(returned)
        wrong = next((item for item in items if not isinstance(item, types)), None)
        if wrong is not None:
            raise PluginError(f"{locate(called)}: {fault} a {type(wrong).__name__} among {what}")
        return items

    return checked

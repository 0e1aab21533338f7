"""Registers mechanisms: how blocks are agreed on."""

from collections.abc import Mapping
from functools import partial, wraps
from inspect import getattr_static
from types import FunctionType
from typing import Any, Final, get_args

from msgspec import Struct

from protocol.events import TimerKind
from protocol.ledger import LedgerState
from protocol.mechanism import Mechanism, Proposer
from protocol.mechanisms import register, unregister
from protocol.messages import AnyBlock, Payout
from protocol.verdicts import Verdict
from simulation.foundation import (
    SHIPPED,
    PluginError,
    enlist,
    is_plugin,
    list_part_names,
    locate,
    register_parts,
    unregister_parts,
)
from simulation.plugins.mechanism_checks import check_mechanism
from simulation.scenario import suggest

GENESIS: Final = "genesis"
"""The one part that every mechanism has."""

_DECLARED: Final[dict[str, type[Any]]] = {
    "name": str,
    "summary": str,
    "messages": tuple,
    "block": AnyBlock,
    "timers": TimerKind,
    "genesis_type": Struct,
}
"""What a mechanism must declare: a value of a type, or a subclass of one."""

_RETURNED: Final[dict[str, tuple[type[Any], ...]]] = {
    "judge_proof": get_args(Verdict),
    "judge_after_last": get_args(Verdict),
    "compute_coinbase": (tuple,),
    "conclude": (LedgerState,),
    "weigh": (int,),
    "may_speak": (bool,),
    "may_outweigh": (bool,),
    "is_whole": (bool,),
    "shows_majority": (bool,),
    "rank": (bytes,),
    "make_proposer": (Proposer,),
}
"""What methods that plug-ins replace have to return."""


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
    _check_declared(mechanism)
    name = mechanism.name
    if name in SHIPPED:
        raise ValueError(f"there is a mechanism called {name!r} already; give it another name")
    known = tuple(part for part in list_part_names() if part != "behaviours")
    wrong = next((part for part in parts if part not in known), None)
    if wrong is not None:
        raise ValueError(f"the mechanism {name!r} has a part {wrong!r}; {suggest(wrong, known)}")
    if GENESIS not in parts:
        raise ValueError(f"the mechanism {name!r} needs the part {GENESIS}, a function that makes its genesis")
    check_mechanism(mechanism, parts)
    for method in _RETURNED:
        _check_returned(mechanism, method)
    checked = {**parts, GENESIS: _check_genesis(mechanism, parts[GENESIS])}
    enlist(f"mechanism {name!r}", partial(_put, mechanism, checked), partial(_drop, mechanism))


def _check_declared(mechanism: type[Mechanism]) -> None:
    """Look whether a mechanism says what others read of it.

    Raises:
        ValueError: It does not.
    """
    for attribute, wanted in _DECLARED.items():
        found = getattr(mechanism, attribute, None)
        is_class = isinstance(found, type) and issubclass(found, wanted)
        if not is_class and (wanted not in (str, tuple) or not isinstance(found, wanted)):
            what = f"of the type {wanted.__name__}" if wanted in (str, tuple) else f"a subclass of {wanted.__name__}"
            raise ValueError(f"{mechanism.__name__} must declare {attribute}, {what}")
    if mechanism.block not in mechanism.messages:
        raise ValueError(f"{mechanism.__name__}.messages must have its block, {mechanism.block.__name__}")


def _check_returned(mechanism: type[Mechanism], method: str) -> None:
    """Let a method that a plug-in has written look at what it returns."""
    called = getattr_static(mechanism, method)
    types = _RETURNED[method]
    if not isinstance(called, FunctionType) or not is_plugin(called.__code__.co_filename):
        return

    @wraps(called)
    def checked(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method
        returned = called(*given, **named)
        fault = None
        if not isinstance(returned, types):
            fault = f"a {type(returned).__name__}; return {' or '.join(kind.__name__ for kind in types)}"
        elif method == "compute_coinbase":
            wrong = next((item for item in returned if not isinstance(item, Payout)), None)
            fault = f"a {type(wrong).__name__} among payouts" if wrong is not None else None
        if fault is not None:
            raise PluginError(f"{locate(called)}: {mechanism.__name__}.{method} returned {fault}")
        return returned

    setattr(mechanism, method, checked)


def _check_genesis(mechanism: type[Mechanism], build: Any) -> Any:  # noqa: ANN401 - a function, or where it is found
    """Return a function that looks at the mechanism that a plug-in makes."""
    if not callable(build):
        return build

    @wraps(build)
    def checked(*given: Any) -> Any:  # noqa: ANN401 - as the function
        returned = build(*given)
        if not isinstance(returned, mechanism):
            what = f"the genesis of the mechanism {mechanism.name!r} is a {type(returned).__name__}"
            raise PluginError(f"{locate(build)}: {what}; return a {mechanism.__name__}")
        return returned

    return checked


def _put(mechanism: type[Mechanism], parts: Mapping[str, Any]) -> None:
    try:
        register(mechanism)
    except ValueError as error:
        raise ValueError(f"{error}; give it another name") from None
    register_parts(mechanism.name, parts)


def _drop(mechanism: type[Mechanism]) -> None:
    unregister(mechanism)
    unregister_parts(mechanism.name)

"""What is wrong with an argument of a call, in one sentence, before anything is done."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from os import PathLike
from typing import Any, Final, ParamSpec, TypeVar

from simulation.foundation import SimulationError

P = ParamSpec("P")
T = TypeVar("T")


def _is_path(value: object) -> bool:
    return isinstance(value, str | PathLike)


def _is_count(value: object) -> bool:
    is_whole = hasattr(value, "__index__") or (isinstance(value, float) and value.is_integer())
    return is_whole and not isinstance(value, bool)


_PATH: Final = (_is_path, "a path, as text or as a Path")
_CALLED: Final = (callable, "a function")
_LISTED: Final = (lambda value: hasattr(value, "__iter__"), "a list")

_CHECKS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "out": _PATH,
    "folder": (lambda value: _is_path(value) or hasattr(value, "folder"), "a path, as text or as a Path"),
    "dataset": _PATH,
    "jobs": (_is_count, "a whole number"),
    "cancel": (lambda value: callable(getattr(value, "is_set", None)), "a threading.Event, or anything with is_set()"),
    "on_progress": _CALLED,
    "take_record": _CALLED,
    "say": _CALLED,
    "warn": _CALLED,
    "figures": _LISTED,
    "lines_by": _LISTED,
    "plugins": _LISTED,
    "add_plugins": _LISTED,
    "axes": (
        lambda value: hasattr(value, "errorbar"),
        "one Axes of matplotlib, such as the first of what plt.subplots() returns an array of",
    ),
}
"""What arguments of a name have to be, all over: how to tell, and in words."""


def checked(call: Callable[P, T]) -> Callable[P, T]:
    """Return a function that refuses arguments that are of no use, by their names, with a `SimulationError`.

    None passes where it is the default, or where the parameter is said to take it.
    """
    parameters = inspect.signature(call).parameters

    @wraps(call)
    def refuse_or_call(*args: P.args, **kwargs: P.kwargs) -> T:
        for name, value in _pair(parameters, args, kwargs):
            holds, wanted = _CHECKS[name]
            takes_none = "None" in str(parameters[name].annotation)
            if not (takes_none if value is None else holds(value)):
                raise SimulationError(f"{name}: write {wanted}, not {show(value)}")
        return call(*args, **kwargs)

    return refuse_or_call


def _pair(
    parameters: Mapping[str, inspect.Parameter], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    """Yield the names and values of arguments that there is a check for."""
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = []
    for name, parameter in parameters.items():
        if parameter.kind not in by_place:
            break
        places.append(name)
    for name, value in [*zip(places, args, strict=False), *kwargs.items()]:
        if name in _CHECKS and name in parameters:
            yield name, value


def show(value: object) -> str:
    """Return a value as one line that is short enough for a sentence."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."

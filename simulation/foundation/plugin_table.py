"""What plug-ins add to the tables of the package, which of them are in force, and where in their files something is.

A plug-in registers things by name; `put_in_force` puts those of some plug-ins into the tables, and takes those of
others out, so that a scenario finds what its own plug-ins offer and nothing else.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from traceback import extract_tb
from typing import Final, Generic, NamedTuple, TypeVar

from simulation.foundation.errors import SimulationError
from simulation.foundation.exit_codes import EXIT_FAILED

T = TypeVar("T")

NAME_PATTERN: Final = r"[a-z][a-z0-9_]{0,39}"


class PluginError(SimulationError, ValueError):
    """A plug-in cannot be used, or has failed; the text says what is wrong, with its file and line."""

    exit_code = EXIT_FAILED


class Registration(NamedTuple):
    """One thing that a plug-in offers."""

    what: str
    """Its kind and name, for a sentence."""
    place: str
    """File and line of the plug-in that register it."""
    put: Callable[[], object]
    """Puts it into the table of its kind; raises ValueError where the name is taken."""
    drop: Callable[[], object]
    """Takes it out again."""
    module: str = ""
    """File of the module whose execution registers it."""


class PluginSource(NamedTuple):
    """All that another process needs to load the same plug-in."""

    path: str
    source: bytes


@dataclass(slots=True)
class Plugin:
    """A plug-in that has been loaded."""

    name: str
    path: str
    """What its code calls its file."""
    source: bytes
    digest: str
    """SHA-256 of its source, in hexadecimal digits."""
    registrations: list[Registration] = field(default_factory=list)
    files: frozenset[str] = frozenset()
    """Those of a package; of a file alone, none but its path."""

    @property
    def paths(self) -> frozenset[str]:
        """What its code calls its files."""
        return self.files or frozenset({self.path})

    def to_source(self) -> PluginSource:
        """Return what another process needs to load it."""
        return PluginSource(self.path, self.source)


_loaded: Final[dict[str, Plugin]] = {}
"""Plug-ins that have been loaded, by digest."""

_paths: Final[set[str]] = set()
"""Files that the code of plug-ins stands in."""

_in_force: list[Plugin] = []
_collecting: list[Plugin] = []
"""The plug-in that is being loaded; empty while none is."""


def find_loaded(digest: str) -> Plugin | None:
    """Return the plug-in of a digest, if it has been loaded."""
    return _loaded.get(digest)


def list_in_force() -> tuple[Plugin, ...]:
    """Return the plug-ins whose things are in the tables."""
    return tuple(_in_force)


@contextmanager
def collect(plugin: Plugin) -> Iterator[None]:
    """Let a plug-in register what it offers; it counts as loaded if all goes well."""
    _paths.update(plugin.paths)
    _collecting.append(plugin)
    try:
        yield
    finally:
        _collecting.pop()
    _loaded[plugin.digest] = plugin


def enlist(what: str, put: Callable[[], object], drop: Callable[[], object]) -> None:
    """Keep a thing that a plug-in offers; outside of a plug-in it is put into its table at once, and stays there."""
    if _collecting:
        plugin = _collecting[-1]
        plugin.registrations.append(Registration(what, _find_caller(plugin), put, drop, _find_module(plugin)))
    else:
        put()


def put_in_force(plugins: Sequence[Plugin]) -> None:
    """Put what some plug-ins offer into the tables, and take out what others do.

    Raises:
        PluginError: Two of them, or one of them and the package, have something of one kind and name.
    """
    if list(plugins) == _in_force:
        return
    while _in_force:
        for registration in _in_force.pop().registrations:
            registration.drop()
    for plugin in plugins:
        _put(plugin)
        _in_force.append(plugin)


def _put(plugin: Plugin) -> None:
    done: list[Registration] = []
    there = {id(registration) for other in _in_force for registration in other.registrations}
    for registration in plugin.registrations:
        if id(registration) in there:  # two plug-ins of one package share what modules that both import register
            continue
        try:
            registration.put()
        except ValueError as error:
            for former in done:
                former.drop()
            raise PluginError(f"{registration.place}: {error}") from None
        done.append(registration)


class PluginTable(Generic[T]):
    """Things of one kind that plug-ins add to those of the package."""

    def __init__(self, what: str, is_taken: Callable[[str], bool]) -> None:
        """Begin with none.

        Args:
            what: What one of them is called.
            is_taken: Whether something of the package has a name.
        """
        self._what = what
        self._one = f"an {what}" if what[0] in "aeiou" else f"a {what}"
        self._is_taken = is_taken
        self._items: dict[str, T] = {}

    def register(self, name: str, item: T) -> None:
        """Add something under a name.

        Raises:
            ValueError: It is no name, or it is taken.
        """
        if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
            raise ValueError(f"{name!r} names no {self._what}: write 1 to 40 lower-case letters, digits or _")
        if self._is_taken(name):
            raise ValueError(f"there is {self._one} called {name!r} already; give it another name")
        enlist(f"{self._what} {name!r}", partial(self._put, name, item), partial(self._items.pop, name, None))

    def _put(self, name: str, item: T) -> None:
        if name in self._items:
            raise ValueError(f"there is {self._one} called {name!r} already; give it another name")
        self._items[name] = item

    def find(self, name: object) -> T | None:
        """Return what has a name; None where nothing has."""
        return self._items.get(name) if isinstance(name, str) else None

    def list_names(self) -> tuple[str, ...]:
        """Return all names."""
        return tuple(self._items)


# ---- where something is ----


def find_place(error: BaseException) -> str | None:
    """Return file and line of the plug-in that an exception comes from; None where it comes from none."""
    places = [
        f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__) if is_plugin(frame.filename)
    ]
    return places[-1] if places else None


def is_plugin(path: str) -> bool:
    """Return whether a file is that of a plug-in."""
    return path in _paths


def locate(thing: object) -> str:
    """Return file and line of a function or class."""
    code = getattr(thing, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    module = sys.modules.get(getattr(thing, "__module__", ""))
    return str(getattr(module, "__file__", None) or "a plug-in")


def _find_caller(plugin: Plugin) -> str:
    """Return the line of a plug-in that is being executed."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename in plugin.paths:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return plugin.path


def _find_module(plugin: Plugin) -> str:
    """Return the file of a plug-in whose top level is being executed, the innermost."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename in plugin.paths:
            return frame.f_code.co_filename
        frame = frame.f_back  # type: ignore[assignment]
    return plugin.path

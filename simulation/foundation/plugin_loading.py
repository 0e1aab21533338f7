"""Loading plug-ins: a file of Python, whose code registers what it offers when it is executed."""

import hashlib
import re
import stat
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Final, NamedTuple

from simulation.foundation.exit_codes import EXIT_BAD_INPUT
from simulation.foundation.plugin_packages import find_package, import_package
from simulation.foundation.plugin_table import (
    NAME_PATTERN,
    Plugin,
    PluginError,
    PluginSource,
    collect,
    find_loaded,
    find_place,
    list_in_force,
    put_in_force,
)
from simulation.foundation.plugin_watch import GRACE_S, PluginOvertime, PluginWatch

LOAD_LIMIT_S: Final = 30.0
"""Seconds that a plug-in may take to be loaded, by the wall; what it imports counts."""

MAX_SOURCE_BYTES: Final = 1_000_000

MODULE_PREFIX: Final = "pot_plugin_"


class Permission(NamedTuple):
    """Which code of a stored run may be executed."""

    files: tuple[Path, ...] = ()
    """Plug-ins that the user has named, which must be the same: files, or names of installed packages."""
    is_folder_trusted: bool = False
    """Whether copies in the run's folder may be executed too."""


PACKAGE: Final = "package:"
"""What stands before the name of a package in place of a path."""


class _Permitted(NamedTuple):
    """A permission, and the plug-ins that it names."""

    permission: Permission
    named: tuple[tuple[Path, Plugin], ...]


_permitted: Final[list[_Permitted]] = []


@contextmanager
def permit_plugins(permission: Permission) -> Iterator[None]:
    """Let plug-ins of stored runs be loaded meanwhile.

    Raises:
        PluginError: One of those that the user has named cannot be loaded.
    """
    permitted = _Permitted(permission, tuple((file, load_named_plugin(file)) for file in permission.files))
    _permitted.append(permitted)
    try:
        yield
    finally:
        _permitted.remove(permitted)


def load_named_plugin(file: Path) -> Plugin:
    """Return the plug-in that a user has named: a file, or the name of an installed package.

    Raises:
        PluginError: It cannot be loaded.
    """
    is_package = re.fullmatch(NAME_PATTERN, str(file)) is not None and not file.exists()
    try:
        return load_package(str(file)) if is_package else load_plugin(file)
    except PluginError as error:
        error.exit_code = EXIT_BAD_INPUT  # it is a word of the user's
        raise


def check_permitted(recorded: Mapping[str, str]) -> None:
    """Look whether each plug-in that the user has named is one that a stored run had.

    Args:
        recorded: What the run calls its plug-ins, by digest.

    Raises:
        PluginError: One of them is not.
    """
    for file, plugin in (item for permitted in _permitted for item in permitted.named):
        if plugin.digest in recorded:
            continue
        packages = [name.removeprefix(PACKAGE) for name in recorded.values() if name.startswith(PACKAGE)]
        what = "none of the run's plug-ins, which are " + ", ".join(recorded.values())
        if not recorded:
            what = "the run has no plug-ins"
        elif len(packages) == len(recorded):
            what = f"the run's plug-in {packages[0]} is an installed package"
            if len(packages) > 1:
                what = f"the run's plug-ins {', '.join(packages)} are installed packages"
        raise PluginError(f"--plugin {file}: {what}; leave it out")


def load_stored_plugin(path: Path, digest: str) -> Plugin:
    """Return a plug-in that a stored run names, by its digest: one that is loaded already, or the run's own copy.

    Raises:
        PluginError: Nobody has allowed its code to be executed, it is not what was recorded, or it cannot be loaded.
    """
    known = find_loaded(digest)
    if known is not None:
        return known
    if not any(permitted.permission.is_folder_trusted for permitted in _permitted):
        named = [file for permitted in _permitted for file in permitted.permission.files]
        other = f"{named[0]} is another version of it" if named else "its code would be executed"
        remedy = "add --trust-plugins, or --plugin with a file of yours that is the same"
        raise PluginError(f"{path}: a plug-in of this run, and {other}; read it, then {remedy}")
    return load_plugin(path, digest)


def load_plugin(path: Path, digest: str | None = None) -> Plugin:
    """Return the plug-in in a file, loaded once for each source.

    Args:
        path: The file.
        digest: What its SHA-256 must be; None for whatever it is.

    Raises:
        PluginError: The file cannot be read, is not what it should be, or its code fails.
    """
    known = find_loaded(digest) if digest is not None else None
    if known is not None:
        return known
    source = _read(path)
    found = hash_source(source)
    if digest is not None and found != digest:
        raise PluginError(f"{path}: another version of the plug-in: SHA-256 {found[:12]}, recorded {digest[:12]}")
    return load_source(PluginSource(str(path), source))


def load_package(name: str, digest: str | None = None) -> Plugin:
    """Return the plug-in that an installed package offers, loaded once for each version of its files.

    Args:
        name: Name of the entry point.
        digest: What the SHA-256 of its module's name and its package's files must be; None for whatever it is.

    Raises:
        PluginError: No package offers it, it is another version, or its code fails.
    """
    package = find_package(name)
    listed = "".join(f"{module}:{hash_source(_read(file))}\n" for file, module in package.files.items())
    version = hash_source(listed.encode())
    found = hash_source(f"{package.module}:{version}\n".encode())
    if digest is not None and found != digest:
        raise PluginError(f"the package {name!r} is another version: SHA-256 {found[:12]}, recorded {digest[:12]}")
    known = find_loaded(found)
    if known is not None:
        return known
    plugin = Plugin(name, f"{PACKAGE}{name}", found.encode(), found, files=frozenset(map(str, package.files)))
    _register(plugin, lambda: import_package(plugin, package, version))
    return plugin


def load_source(given: PluginSource) -> Plugin:
    """Return a plug-in by its source, loaded once; a package must be installed here too.

    Raises:
        PluginError: Its code fails, or the package here is another version.
    """
    if given.path.startswith(PACKAGE):
        return load_package(given.path.removeprefix(PACKAGE), given.source.decode())
    digest = hash_source(given.source)
    known = find_loaded(digest)
    if known is not None:
        return known
    plugin = Plugin(Path(given.path).name, given.path, given.source, digest)
    module = ModuleType(f"{MODULE_PREFIX}{digest[:16]}", f"The plug-in {plugin.name}.")
    module.__file__ = plugin.path
    sys.modules[module.__name__] = module  # others find its classes there, by name
    try:
        _execute(plugin, module)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return plugin


def hash_source(source: bytes) -> str:
    """Return by what a plug-in is told from all others: the SHA-256 of its source in hexadecimal digits."""
    return hashlib.sha256(source).hexdigest()


def use_plugins(sources: Collection[PluginSource]) -> None:
    """Load plugins that another process has in force, and put them in force here.

    Raises:
        PluginError: The code of one of them fails.
    """
    put_in_force([load_source(source) for source in sources])


def list_sources() -> tuple[PluginSource, ...]:
    """Return what another process needs to have the same plug-ins in force."""
    return tuple(plugin.to_source() for plugin in list_in_force())


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PluginError(f"{path}: not a regular file; name a file of Python")
        with path.open("rb") as file:
            source = file.read(MAX_SOURCE_BYTES + 1)
    except OSError as error:
        raise PluginError(f"{path}: cannot be read: {error.strerror}; name a file of Python") from None
    if len(source) > MAX_SOURCE_BYTES:
        raise PluginError(f"{path}: longer than {MAX_SOURCE_BYTES:,} bytes, which no plug-in is")
    return source


def _execute(plugin: Plugin, module: ModuleType) -> None:
    def run() -> None:
        code = compile(plugin.source, plugin.path, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - a plug-in is code that the user wants to be executed

    _register(plugin, run)


def _register(plugin: Plugin, run: Callable[[], object]) -> None:
    """Let the code of a plug-in run, and keep what it registers.

    Raises:
        PluginError: It fails, takes too long, or registers nothing.
    """
    watch = PluginWatch(LOAD_LIMIT_S)
    try:
        with collect(plugin), watch:
            run()
            if not plugin.registrations:
                raise PluginError(f"{plugin.path}: registers nothing; call a function of simulation.plugins")
    except PluginError:
        raise
    except PluginOvertime:
        text = f"not loaded within {LOAD_LIMIT_S:.0f} s; is there a loop without an end?"
        raise PluginError(f"{watch.place}: {text}") from None
    except SyntaxError as error:
        place = f"{error.filename or plugin.path}:{error.lineno}"
        raise PluginError(f"{place}: not valid Python: {error.msg}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        raise PluginError(f"{find_place(error) or plugin.path}: {_describe_loading(plugin, error)}") from None


def _describe_loading(plugin: Plugin, error: BaseException) -> str:
    """Return what went wrong while a plug-in was loaded, and what to write instead where that is known."""
    text = describe_error(error)
    if isinstance(error, ModuleNotFoundError) and error.name and _is_beside(plugin, error.name.partition(".")[0]):
        return (
            f"{text}: a plug-in is one file, what lies beside it is not found; put it into this file, or make a package"
        )
    lacking = re.fullmatch(r"TypeError: (register_\w+)\(\) missing \d+ required keyword-only arguments?: (.*)", text)
    if lacking is None:
        return text
    words = ", ".join(f'{name}="..."' for name in re.findall(r"'(\w+)'", lacking[2]))
    return f'{lacking[1]} takes a name and words; write @{lacking[1]}("a_name", {words})'


def _is_beside(plugin: Plugin, module: str) -> bool:
    """Return whether a module lies beside the file of a plug-in."""
    if plugin.files:
        return False
    place = Path(plugin.path).parent / module
    return place.is_dir() or place.with_name(f"{module}.py").is_file()


@contextmanager
def guard_plugins(limit_s: float, limit: str, *, is_over: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Tell what plug-ins in force do wrong meanwhile in one sentence, and end a call of one that does not come back.

    Args:
        limit_s: The longest that a call may take, in seconds by the wall.
        limit: What the user may change to have another limit.
        is_over: Tells whether the run is to end, so that nothing is worth waiting for.

    Raises:
        PluginError: The code of a plug-in failed.
    """
    if not list_in_force():
        yield
        return
    watch = PluginWatch(limit_s, is_over=is_over)
    try:
        with watch:
            yield
    except PluginOvertime:
        if watch.was_hurried:
            raise PluginError(
                f"{watch.place}: this has not come back within {GRACE_S:g} s of the wish to end"
            ) from None
        raise PluginError(f"{watch.place}: this has not come back within {limit}, {limit_s:g} s") from None
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        blamed = blame_plugin(error)
        if blamed is None:
            raise
        raise PluginError(blamed) from error


def blame_plugin(error: BaseException) -> str | None:
    """Return what a plug-in has done wrong, with its file and line; None where an exception comes from none."""
    if isinstance(error, PluginError):
        return str(error)
    place = find_place(error)
    return f"{place}: {describe_error(error)}" if place is not None else None


def describe_error(error: BaseException) -> str:
    """Return an exception in one line."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, ValueError) and text and _is_ours(error):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_ours(error: BaseException) -> bool:
    """Return whether our own code has raised an exception, whose text then says all."""
    frames = extract_tb(error.__traceback__)
    return bool(frames) and "/simulation/" in frames[-1].filename.replace("\\", "/")

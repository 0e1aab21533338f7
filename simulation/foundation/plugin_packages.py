"""Plug-ins that are installed packages: which module an entry point names, and what its import registers.

A process executes each module of a package once, so that all of its plug-ins share its classes. What a module registers
belongs to every plug-in of the package that imports it, whichever was loaded first.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module, invalidate_caches
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from simulation.foundation.plugin_table import Plugin, PluginError, Registration

GROUP: Final = "proof_of_training.plugins"
"""Entry points of packages that are plug-ins: the name of a plug-in, and the module that registers its parts."""


class Package(NamedTuple):
    """An installed package, and the module in it that one plug-in consists of."""

    plugin: str
    """Name of the entry point."""
    module: str
    files: Mapping[Path, str]
    """All files of Python of the package in their order, and the module of each."""

    @property
    def name(self) -> str:
        """Name of the package, as it is imported."""
        return self.module.partition(".")[0]


_versions: Final[dict[str, str]] = {}
"""Which version of a package has been imported here, by its name."""

_registered: Final[dict[str, list[Registration]]] = {}
"""What the modules of a package have registered here, by its name."""


def find_package(name: str) -> Package:
    """Return the package that offers a plug-in.

    Args:
        name: Name of the entry point.

    Raises:
        PluginError: None does, or it is not there.
    """
    offered = {point.name: point.module for point in entry_points(group=GROUP)}
    if name not in offered:
        there = f"there are {', '.join(sorted(offered))}" if offered else "none is installed"
        raise PluginError(f"no package offers the plug-in {name!r} (entry points {GROUP}); {there}")
    module = offered[name]
    invalidate_caches()  # it may have been installed or changed since this process began
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise _tell_missing(name, module)
    origin = Path(spec.origin)
    if not spec.submodule_search_locations:
        return Package(name, module, {origin: module})
    root = origin.parent
    return Package(name, module, {file: _name_module(root, file) for file in sorted(root.rglob("*.py"))})


def import_package(plugin: Plugin, package: Package, version: str) -> None:
    """Import the module of a plug-in; what it and the modules it imports register is the plug-in's.

    Args:
        plugin: Takes what they register.
        package: Where the module is.
        version: By what its files are told from other versions.

    Raises:
        PluginError: The module is not there.
        BaseException: Whatever its code raises.
    """
    if _versions.get(package.name) != version:
        _forget(package)
    before = set(sys.modules)
    try:
        import_module(package.module)
    except BaseException as error:
        for name in _list_imported(package):
            if name not in before:
                del sys.modules[name]  # the next try executes them again
        if isinstance(error, ModuleNotFoundError) and error.name == package.module:
            raise _tell_missing(package.plugin, package.module) from None
        raise
    _versions[package.name] = version
    former = _registered.setdefault(package.name, [])
    needed = {str(file) for file in _list_needed(package)}
    shared = [registration for registration in former if registration.module in needed]
    former.extend(plugin.registrations)
    plugin.registrations[:0] = shared


def _tell_missing(name: str, module: str) -> PluginError:
    return PluginError(f"the plug-in {name!r} names the module {module}, which is not there; install it again")


def _forget(package: Package) -> None:
    """Have all modules of a package executed anew: they are those of another version, or nobody saw what they did."""
    for name in _list_imported(package):
        del sys.modules[name]
    _versions.pop(package.name, None)
    _registered.pop(package.name, None)


def _list_imported(package: Package) -> list[str]:
    return [name for name in sys.modules if name == package.name or name.startswith(f"{package.name}.")]


def _name_module(root: Path, file: Path) -> str:
    """Return the name of the module in a file of a package."""
    parts = (root.name, *file.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _list_needed(package: Package) -> set[Path]:
    """Return the files of a package that its module needs: its own, and those it imports, directly or not."""
    places = {module: file for file, module in package.files.items()}
    found: set[Path] = set()
    waiting = [package.module]
    while waiting:
        name = waiting.pop()
        parents = [name.rpartition(".")[0]] if "." in name else []
        file = places.get(name)
        if file is not None and file not in found:
            found.add(file)
            is_folder = file.name == "__init__.py"
            waiting += _list_imports(ast.parse(file.read_bytes()), name if is_folder else name.rpartition(".")[0])
        waiting += [parent for parent in parents if places.get(parent) not in found]
    return found


def _list_imports(tree: ast.AST, folder: str) -> Iterator[str]:
    """Yield what may be names of modules that a module imports.

    Args:
        tree: The module.
        folder: Name of the package that it lies in, from which relative imports count.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder.split(".")[: len(folder.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{item.name}" for item in node.names)

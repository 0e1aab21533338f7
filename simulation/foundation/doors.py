"""Doors of rooms: a package offers names of its modules, and loads a module when a name of it is first asked for.

A door costs nothing to import, however heavy what lies behind it, and closes no circle of imports.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def open_door(room: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions `__getattr__` and `__dir__` of a package that offers names of its modules.

    Args:
        room: The package's full name.
        names: The names that each module contributes, with spaces between them, by the module's name in the package.
    """
    modules = {name: f"{room}.{module}" for module, offered in names.items() for name in offered.split()}

    def find_name(name: str) -> Any:  # noqa: ANN401 - whatever a module has
        """Return what has this name; it is not kept here, so that who replaces it in its module replaces it for all."""
        if name not in modules:
            raise AttributeError(f"module {room!r} has no attribute {name!r}", name=name)
        return getattr(import_module(modules[name]), name)

    def list_names() -> list[str]:
        return sorted(modules)

    return find_name, list_names

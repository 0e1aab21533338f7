"""What a program may name a result by: the `Run` or `Sweep` itself, its folder, or a file of it."""

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Protocol

from simulation.api.arguments import show
from simulation.foundation import SimulationError


class Kept(Protocol):
    """A result that lies in a folder: a `Run` or a `Sweep`."""

    @property
    def folder(self) -> Path:
        """Return where its files lie."""


Source = Kept | str | Path
"""A run, its folder, or its log."""


def get_path(source: Source) -> Path:
    """Return where the files of a result lie.

    Raises:
        SimulationError: It is no result.
    """
    if isinstance(source, str | PathLike):
        return Path(source).expanduser()
    folder = getattr(source, "folder", None)
    if not isinstance(folder, Path):
        raise SimulationError(f"{show(source)}: write a Run or a Sweep, or the path of its folder")
    return folder


def spread(sources: Iterable[Source | Iterable[Source]]) -> Iterator[Source]:
    """Yield sources one by one that were named alone or in lists."""
    for source in sources:
        if isinstance(source, Iterable) and not isinstance(source, str | PathLike):
            yield from source
        else:
            yield source

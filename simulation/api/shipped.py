"""What there is to choose from, and whether a file is fit to be chosen."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from protocol import mechanisms as core
from simulation.api.arguments import checked
from simulation.api.scenario import Scenario, load
from simulation.api.sweeping import read_plan
from simulation.commands.sweeps import check_sweep, is_sweep, list_shipped_sweeps
from simulation.scenario import ScenarioError, find_scenario, list_shipped, load_scenario, read_file


def list_scenarios() -> dict[str, str]:
    """Return the names of the shipped scenarios, and what each is about."""
    return {name: load_scenario(path).description for name, path in list_shipped().items()}


def list_mechanisms() -> dict[str, str]:
    """Return the names of the consensus mechanisms, and what each is about."""
    return {name: core.find_mechanism(name).summary for name in core.list_mechanisms()}


@checked
def validate(
    source: str | Path | Mapping[str, Any] | Scenario,
    *,
    add_plugins: Sequence[str | Path] = (),
    warn: Callable[[str], object] = warnings.warn,
) -> str:
    """Return what a scenario or a sweep is about, once it, and every data file that it names, has been checked.

    Args:
        source: The name of a shipped scenario or sweep, the path of a scenario or a sweep file, the keys of either as a
            mapping, or a `Scenario`.
        add_plugins: Files of code, or names of installed packages, besides those that a scenario file names.
        warn: Takes a sentence about each thing that is allowed and may yet not be meant.

    Raises:
        DatasetError: A data file cannot be read, or holds no such data.
        ScenarioError: It is not valid, or it is a sweep, to which nothing can be added.
    """
    if isinstance(source, str | PathLike):
        source = _find_file(str(source))
    keys = read_file(source) if isinstance(source, Path) else source
    if isinstance(keys, Mapping) and is_sweep(keys):
        if add_plugins:
            named = f"{source}: " if isinstance(source, Path) else ""
            what = "a sweep has the plug-ins of its scenario; name it there"
            raise ScenarioError(f"{named}--plugin {add_plugins[0]}: {what}")
        return check_sweep(read_plan(source if isinstance(source, Path) else keys))
    if not isinstance(source, Scenario):
        source = load(source, add_plugins=add_plugins)
    for doubt in source.list_doubts():
        warn(doubt)
    return source.describe()


def _find_file(name: str) -> Path:
    """Return the file of a scenario or a sweep by its name or path.

    Raises:
        ScenarioError: There is none.
    """
    try:
        return find_scenario(name)
    except ScenarioError:
        shipped = list_shipped_sweeps().get(name)
        if shipped is None:
            raise
        return shipped

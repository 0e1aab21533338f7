"""When parties of a run could not reach each other, as its scenario has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from simulation.records import SCENARIO_NAME
from simulation.scenario import ScenarioError, read_file

_KINDS: Final = {"partitions": "partition", "eclipses": "eclipse"}


class Window(NamedTuple):
    """A while in which some could not reach others."""

    start_s: float
    """In seconds of the records' clock."""
    heal_s: float
    what: str
    """`partition` or `eclipse`."""


def list_windows(scenario: Mapping[str, Any], genesis_s: float = 0.0) -> tuple[Window, ...]:
    """Return the windows of a scenario as it is written, the first one first; what is not one is left out.

    Args:
        scenario: What its file says.
        genesis_s: The genesis, in seconds of the records' clock.
    """
    network = scenario.get("network")
    found = []
    for key, what in _KINDS.items():
        items = network.get(key) if isinstance(network, Mapping) else None
        for item in items if isinstance(items, list) else ():
            start, heal = (item.get(name) if isinstance(item, Mapping) else None for name in ("start_s", "heal_s"))
            if isinstance(start, int | float) and isinstance(heal, int | float) and start < heal:
                found.append(Window(genesis_s + start, genesis_s + heal, what))
    return tuple(sorted(found))


def read_windows(folder: Path, genesis_s: float = 0.0) -> tuple[Window, ...]:
    """Return the windows of a run by its folder; none where its scenario cannot be read. No plug-in is loaded."""
    try:
        return list_windows(read_file(folder / SCENARIO_NAME), genesis_s)
    except ScenarioError:
        return ()

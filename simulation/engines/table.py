"""The table of engines: adding one means an entry here and one in `simulation.scenario.engine_traits`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from simulation.engines.engine import EngineFactory

ENGINES: Final[Mapping[str, str]] = {
    "processes": "simulation.engines.processes",
    "virtual": "simulation.engines.virtual",
}
"""Package of each engine, whose `FACTORY` builds it."""


def find_engine(name: str) -> EngineFactory:
    """Return the factory of an engine. Its module is loaded now, and TensorFlow not before a run needs it.

    Raises:
        KeyError: No engine has this name.
    """
    factory: EngineFactory = import_module(ENGINES[name]).FACTORY
    return factory

"""Ways to run the same parties."""

from simulation.engines.engine import Engine, EngineFactory, EngineSetup
from simulation.engines.result import EngineResult, PartyError
from simulation.engines.table import ENGINES, find_engine

__all__ = ["ENGINES", "Engine", "EngineFactory", "EngineResult", "EngineSetup", "PartyError", "find_engine"]

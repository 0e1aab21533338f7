"""How the virtual engine is built."""

from typing import Final

from simulation.engines import EngineFactory, EngineSetup
from simulation.engines.virtual.engine import VirtualEngine
from simulation.scenario.world import World


class VirtualEngineFactory:
    """Builds virtual engines; these need no process and no pipe."""

    def prepare(self, mechanism: str) -> None:
        """Start nothing."""

    def abandon(self) -> None:
        """Nothing has been started."""

    def descriptors_needed(self, world: World) -> int:
        """Return 0: all parties live in one process."""
        return 0

    def build(self, setup: EngineSetup) -> VirtualEngine:
        """Return an engine that has yet to run."""
        return VirtualEngine(setup)


FACTORY: Final[EngineFactory] = VirtualEngineFactory()

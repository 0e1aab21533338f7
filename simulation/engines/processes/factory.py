"""How the process engine is built."""

from typing import Final

from simulation.engines import EngineFactory, EngineSetup
from simulation.engines.processes.casting import count_descriptors
from simulation.engines.processes.engine import ProcessEngine
from simulation.engines.processes.server import kill_server, start_server
from simulation.scenario.world import World


class ProcessEngineFactory:
    """Builds process engines."""

    def prepare(self, mechanism: str) -> int | None:
        """Start the server that parties are forked from; it loads what the mechanism's parties need meanwhile.

        Raises:
            EngineStartError: The path of the folder for temporary files is too long.
        """
        return start_server(mechanism)

    def abandon(self) -> None:
        """End the server, which would load all of that before it noticed that nobody needs it."""
        kill_server()

    def descriptors_needed(self, world: World) -> int:
        """Return the file descriptors that starting a world's parties may take at once."""
        return count_descriptors(world)

    def build(self, setup: EngineSetup) -> ProcessEngine:
        """Return an engine that has yet to run."""
        return ProcessEngine(setup)


FACTORY: Final[EngineFactory] = ProcessEngineFactory()

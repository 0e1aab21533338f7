"""Each party as an operating-system process, each link as a pipe."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.engines.processes.control import Setup
    from simulation.engines.processes.factory import FACTORY
else:
    __getattr__, __dir__ = open_door(__name__, {"control": "Setup", "factory": "FACTORY"})

__all__ = ["FACTORY", "Setup"]

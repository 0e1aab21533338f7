"""All parties in one process and in simulated time."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.engines.virtual.factory import FACTORY
    from simulation.engines.virtual.queue import EventQueue
else:
    __getattr__, __dir__ = open_door(__name__, {"factory": "FACTORY", "queue": "EventQueue"})

__all__ = ["FACTORY", "EventQueue"]

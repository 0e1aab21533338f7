"""What a user can ask for: a room for each larger command, and the command line."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.cli import main
else:
    __getattr__, __dir__ = open_door(__name__, {"cli": "main"})

__all__ = ["main"]

"""What all pages of one explorer share, whichever browser they are in: the folders given, and the run that goes on."""

import threading
from pathlib import Path
from typing import Final

import simulation as pot
from simulation.explorer.going import GoingRun
from simulation.foundation import SimulationError


class BusyError(SimulationError):
    """One run goes on already."""


class Desk:
    """One for each process of the explorer. A browser that is closed leaves it as it is."""

    def __init__(self) -> None:
        """Nothing is open."""
        self.given: list[Path] = []
        """Folders that the command named."""
        self.plugins: list[Path] = []
        """Files of code that the command named, which scenarios may be given."""
        self.reading: Final = threading.RLock()
        """Held while scenarios are read: the plug-ins of one at a time are in force, whichever browser it is for."""
        self.going: GoingRun | None = None
        """The latest run that was started here."""
        self._lock = threading.Lock()

    def start(self, scenario: pot.Scenario, *, pace: float | None = None) -> GoingRun:
        """Start a run, whose folder will be below `runs`.

        Raises:
            BusyError: One goes on already.
        """
        with self._lock, self.reading:
            if self.going is not None and self.going.is_running:
                raise BusyError(f"the run of {self.going.scenario.name} goes on; stop it, or wait for its end")
            self.going = GoingRun(scenario, Path("runs"), pace=pace)
            return self.going

    def close(self) -> None:
        """End the run that goes on, in order."""
        if self.going is not None and self.going.is_running:
            self.going.end()


DESK = Desk()

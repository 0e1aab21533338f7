"""The one writer of a run's records: the log, its copy, ``events.jsonl`` and, without a terminal, the console.

Every line is flushed as it is written, so a crash loses nothing that was already logged.
"""

import logging
import sys
from pathlib import Path
from typing import Final

from simulation.records import Record

LOG_NAME: Final = "pot_sim.log"
EVENTS_NAME: Final = "events.jsonl"

OF_THIS_EXECUTION: Final = frozenset({"date", "cost"})
"""Events about the execution rather than the simulated world."""

_LEVELS: Final = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING}


class RecordWriter:
    """Writes each record wherever it belongs."""

    def __init__(self, folder: Path, *, log_beside: Path | None, to_console: bool, is_repeatable: bool = False) -> None:
        """Open the files.

        Args:
            folder: The run's folder.
            log_beside: Where a second ``pot_sim.log`` goes, which each run overwrites; None for none.
            to_console: Whether INFO lines go to standard output as well.
            is_repeatable: Whether ``events.jsonl`` leaves out what differs between two runs of one seed.
        """
        self._is_repeatable = is_repeatable
        self._logger = logging.Logger("pot_sim", logging.DEBUG)
        self._handlers: list[logging.Handler] = [logging.FileHandler(folder / LOG_NAME, "w", "utf-8")]
        if log_beside is not None and log_beside.resolve() != (folder / LOG_NAME).resolve():
            self._handlers.append(logging.FileHandler(log_beside, "w", "utf-8"))
        if to_console:
            console = logging.StreamHandler(sys.stdout)
            console.setLevel(logging.INFO)
            self._handlers.append(console)
        for handler in self._handlers:
            handler.setFormatter(logging.Formatter("%(message)s"))
            self._logger.addHandler(handler)
        self._events = (folder / EVENTS_NAME).open("w", encoding="utf-8", buffering=1)

    def write(self, record: Record) -> None:
        """Write one record."""
        self._logger.log(_LEVELS[record.level], "%s", record.to_line())
        if not (self._is_repeatable and record.event in OF_THIS_EXECUTION):
            self._events.write(record.to_json() + "\n")

    def close(self) -> None:
        """Close the files."""
        for handler in self._handlers:
            handler.close()
        self._events.close()

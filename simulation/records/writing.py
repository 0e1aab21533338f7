"""The one writer of a run's records: the log, its copy, ``events.jsonl`` and, without a terminal, the console.

Every line is flushed as it is written, so a crash loses nothing that was already logged.
"""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from simulation.records.facts import Cost, Dated
from simulation.records.log_copy import CopyError, open_copy
from simulation.records.record import Record
from simulation.records.run_files import EVENTS_NAME, LOG_NAME

OF_THIS_EXECUTION: Final = (Dated, Cost)
"""Facts about the execution rather than the simulated world."""

_LEVELS: Final = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING}


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream; what cannot be written raises, or is dropped with everything after it."""

    def __init__(self, stream: TextIO, *, is_optional: bool) -> None:
        super().__init__(stream)
        self._is_optional = is_optional
        self._is_dead = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self._is_dead:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._is_optional:
            raise  # noqa: PLE0704 - called while the error is being handled
        self._is_dead = True


class RecordWriter:
    """Writes each record wherever it belongs."""

    def __init__(
        self,
        folder: Path,
        *,
        log_beside: Path | None,
        shows: Callable[[Record], bool] | None,
        is_repeatable: bool = False,
    ) -> None:
        """Open the files.

        Args:
            folder: The run's folder.
            log_beside: Where a second ``pot_sim.log`` goes, which each run replaces; None for none.
            shows: Tells which lines go to standard output as well; None for none.
            is_repeatable: Whether ``events.jsonl`` leaves out what differs between two runs of one seed.
        """
        self._is_repeatable = is_repeatable
        self._logger = logging.Logger("pot_sim", logging.DEBUG)
        self._streams = [(folder / LOG_NAME).open("w", encoding="utf-8")]
        self._handlers: list[logging.Handler] = [_Handler(self._streams[0], is_optional=False)]
        if log_beside is not None:
            self._add_copy(log_beside)
        self._shows = shows
        self._console = logging.Logger("pot_sim.console", logging.DEBUG)
        self._console.addHandler(_Handler(sys.stdout, is_optional=True))
        for handler in self._handlers:
            handler.setFormatter(logging.Formatter("%(message)s"))
            self._logger.addHandler(handler)
        self._events = (folder / EVENTS_NAME).open("w", encoding="utf-8", buffering=1)

    def write(self, record: Record) -> bool:
        """Write one record; return whether it stands in ``events.jsonl`` too."""
        line = record.to_line()
        self._logger.log(_LEVELS[record.level], "%s", line.to_text())
        if self._shows is not None and self._shows(record):
            self._console.log(_LEVELS[record.level], "%s", line.to_text())
        if self._is_repeatable and isinstance(record.fact, OF_THIS_EXECUTION):
            return False
        self._events.write(line.to_json() + "\n")
        return True

    def _add_copy(self, path: Path) -> None:
        """Write a second log, if that can be done; the run does not depend on it."""
        try:
            stream = open_copy(path)
        except CopyError as error:
            print(f"{path}: no copy of the log is kept here: {error}", file=sys.stderr)  # noqa: T201
            return
        self._streams.append(stream)
        self._handlers.append(_Handler(stream, is_optional=True))

    def close(self) -> None:
        """Close the files."""
        for stream in self._streams:
            with suppress(OSError):
                stream.close()
        self._events.close()

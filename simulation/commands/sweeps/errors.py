"""Why a sweep cannot go on, as the error that a user reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulation.foundation import EXIT_FAILED, SimulationError

KEPT: Final = "finished cells are kept, and the same command goes on"


class SweepError(SimulationError):
    """The sweep cannot go on; the text says why."""

    def __init__(self, text: str, exit_code: int = EXIT_FAILED) -> None:
        """Keep the exit code that the command ends with."""
        super().__init__(text)
        self.exit_code = exit_code


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what goes wrong with files into a sentence.

    Raises:
        SweepError: Something cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        raise SweepError(f"{error.filename or place}: cannot be written: {error.strerror or error}; {KEPT}") from None

"""What every error of a user's making has in common, so that one `except` catches them all."""

from simulation.foundation.exit_codes import EXIT_BAD_INPUT, EXIT_FAILED


class SimulationError(Exception):
    """Something cannot be done; the text is the sentence that a command prints: where, why, what to write instead."""

    exit_code: int = EXIT_BAD_INPUT
    """What a command ends with."""


class OutputError(SimulationError):
    """A file or folder cannot be written."""

    exit_code = EXIT_FAILED

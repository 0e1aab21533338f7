"""What is wrong with a scenario: as one finding between its sections, and as the error that a user reads."""

from typing import Final, NamedTuple

from pydantic_core import PydanticCustomError

from simulation.foundation import SimulationError

INCONSISTENCY_TYPE: Final = "does_not_fit"
"""Type of the pydantic error that carries an `Inconsistency`."""

SHOWN_CHARACTERS: Final = 80


class ScenarioError(SimulationError, ValueError):
    """The scenario is wrong; the text says where, and what to write instead."""


class UntrustedPluginError(ScenarioError):
    """A stored run has plug-ins that nobody has allowed to be executed; the text says how to."""


class Inconsistency(NamedTuple):
    """Keys that are fine one by one and do not fit together."""

    where: str
    """Dotted path of the key to change, from the section that they have in common."""
    what: str
    """What is wrong with it, and what to write instead."""

    def to_error(self) -> PydanticCustomError:
        """Return what a validator raises."""
        return PydanticCustomError(INCONSISTENCY_TYPE, "{where}: {what}", self._asdict())


def shorten(text: str) -> str:
    """Return text as one line that is short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 3] + "..."

"""How a table of transitions is used; which phases there are is for each mechanism to say."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

PhaseT = TypeVar("PhaseT", bound=Enum)
TriggerT = TypeVar("TriggerT", bound=Enum)


class IllegalTransitionError(Exception):
    """The node itself, not a peer, broke the phase rules."""


def advance(table: Mapping[tuple[PhaseT, TriggerT], PhaseT], phase: PhaseT, trigger: TriggerT) -> PhaseT:
    """Return the next phase.

    Raises:
        IllegalTransitionError: The table has no such change.
    """
    try:
        return table[phase, trigger]
    except KeyError:
        raise IllegalTransitionError(f"{trigger.name} in {phase.name}") from None

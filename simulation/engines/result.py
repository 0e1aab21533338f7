"""How an engine's run ended."""

from dataclasses import dataclass, field

from simulation.foundation import EXIT_FAILED, SimulationError


class PartyError(SimulationError):
    """A party's own code failed; the text says who, at which event, and how to see it again."""

    exit_code = EXIT_FAILED

    def __init__(self, text: str, events: int = 0) -> None:
        """Keep how many events had happened, where that is counted."""
        super().__init__(text)
        self.events = events


class EngineStartError(SimulationError):
    """An engine cannot start with the settings of this machine; the text says what to set instead."""


@dataclass(slots=True)
class EngineResult:
    """What an engine hands back."""

    reason: str
    """`complete`, `delivered`, `standstill`, `time-limit`, `no-nodes`, `no-employer` or `interrupted`."""
    chains: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Each party's chain as canonical blocks, lowest first; without those that crashed."""
    events: int = 0
    """Events of a virtual run; 0 where they are not counted."""
    obstacle: str | None = None
    """What kept the parties from beginning, in words; None where they began."""

"""How an engine's run ended."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class EngineResult:
    """What an engine hands back."""

    reason: str
    """`complete`, `delivered`, `time-limit`, `no-nodes`, `no-employer` or `interrupted`."""
    chains: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Each party's chain as canonical blocks, lowest first; without those that crashed."""
    events: int = 0
    """Events of a virtual run; 0 where they are not counted."""

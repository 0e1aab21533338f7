"""A record: one fact of a run, with its time and the party it is about."""

from collections.abc import Callable
from typing import Final

import msgspec

from simulation.records.fact import Fact
from simulation.records.lines import Line, Value

SHORT: Final = 12
"""Hex digits of a hash that records show."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One fact of a run; one line of ``pot_sim.log`` and one of ``events.jsonl``."""

    time: float
    """Seconds since the run began, to the microsecond."""
    level: str
    """`INFO`, `DEBUG` or `WARNING`."""
    who: str
    """Label of the party it is about; `run` for the run as a whole."""
    fact: Fact
    """What happened."""

    @property
    def event(self) -> str:
        """Return the name of what happened."""
        return self.fact.event

    @property
    def fields(self) -> dict[str, Value]:
        """Return the fact's fields as the logs have them."""
        return self.fact.to_fields()

    def to_line(self) -> Line:
        """Return the line that stands for it in a log."""
        return Line(self.time, self.level, self.who, self.fact.event, self.fact.to_fields())


Sink = Callable[[Fact], None]
"""Takes a fact; whoever gave it to a party adds time, level and party."""


def short_hash(digest: bytes) -> str:
    """Return a hash as records show it."""
    return f"0x{digest.hex()[:SHORT]}" if digest else "none"

"""What pictures need beyond a `Tally`: when things happened, and every training result."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.records import Appended, Counted, PartyEnded, Record, Relayed, Sent, Trained


@dataclass(slots=True)
class RunSeries:
    """What the records of a run say, counted next to its tally."""

    losses: dict[tuple[str, int, str], float] = field(default_factory=dict)
    """Mean loss by data ("clean" or "poisoned"), stage from 0, and digest of the weights it gave."""
    sent: Counter[tuple[str, float]] = field(default_factory=Counter)
    """Message copies put on links, by kind and time."""
    first_appended: dict[str, float] = field(default_factory=dict)
    """When the first party, honest or not, appended each block."""
    has_balances: bool = False
    """Whether parties have said what they own in the end."""
    is_counted: bool = False
    """Whether parties have counted most of what they did instead of recording it."""

    def add(self, record: Record) -> None:
        """Take a record that the tally has taken."""
        match fact := record.fact:
            case Trained():
                self.losses[fact.data, fact.stage, fact.weights] = float(fact.loss)
            case Sent():
                self.sent[fact.kind, record.time] += fact.copies
            case Relayed():
                self.sent["relayed", record.time] += fact.copies
            case Appended():
                self.first_appended.setdefault(fact.block, record.time)
            case PartyEnded():
                self.has_balances = True
            case Counted():
                self.is_counted = True

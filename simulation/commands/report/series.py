"""What pictures need beyond a `Tally`: when things happened, and every training result."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.records.checking import read_loss
from simulation.records.record import Record, Value


@dataclass(slots=True)
class Collected:
    """What the records of a run say, counted next to its tally."""

    losses: dict[tuple[str, int, str], float] = field(default_factory=dict)
    """Mean loss by data ("clean" or "poisoned"), stage from 0, and digest of the weights it gave."""
    sent: Counter[tuple[str, float]] = field(default_factory=Counter)
    """Message copies put on links, by kind and time."""
    first_appended: dict[str, float] = field(default_factory=dict)
    """When the first party, honest or not, appended each block."""
    proposers: dict[str, str] = field(default_factory=dict)
    """Who proposed each block."""
    has_balances: bool = False
    """Whether parties have said what they own in the end."""
    is_counted: bool = False
    """Whether parties have counted most of what they did instead of recording it."""

    def add(self, record: Record) -> None:
        """Take a record that the tally has taken."""
        fields = record.fields
        match record.event:
            case "trained":
                key = (str(fields["data"]), _whole(fields.get("stage")), str(fields["weights"]))
                self.losses[key] = read_loss(fields.get("loss"))
            case "sent" | "relayed":
                kind = "relayed" if record.event == "relayed" else str(fields["kind"])
                self.sent[kind, record.time] += _whole(fields["copies"])
            case "appended":
                block = str(fields["block"])
                self.first_appended.setdefault(block, record.time)
                self.proposers[block] = str(fields.get("proposer", ""))
            case "final":
                self.has_balances = True
            case "counted":
                self.is_counted = True


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0

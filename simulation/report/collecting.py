"""What pictures need beyond a `Tally`: when things happened, and every training result."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from simulation.records import Record, RecordError, Value

MAX_NUMBER: Final = 2**63
"""No number of a record is larger; one that is was not written by a run."""

_NEVER_NEGATIVE: Final = frozenset({"height", "stage", "copies", "bytes", "count", "amount"})


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
                self.losses[key] = _read_loss(fields.get("loss"))
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


def check_numbers(record: Record) -> Record:
    """Return a record whose numbers can be drawn.

    Raises:
        RecordError: A number of it is none that a run writes.
    """
    if not 0 <= record.time < MAX_NUMBER:
        raise RecordError(f"not a time: {record.time}")
    for name, value in record.fields.items():
        if isinstance(value, int | float) and not abs(value) < MAX_NUMBER:
            raise RecordError(f"{name}: not a number of a run: {str(value)[:40]}")
        if name in _NEVER_NEGATIVE and isinstance(value, int) and value < 0:
            raise RecordError(f"{name}: below 0")
    if record.event == "appended" and _whole(record.fields.get("height")) < 1:
        raise RecordError("only the genesis has height 0, and nobody appends it")
    if record.event == "evaluated":
        for name in ("accuracy", "trigger_success"):
            _check_share(name, record.fields.get(name))
    if record.event == "trained":
        _read_loss(record.fields.get("loss"))
    return record


def _check_share(name: str, value: Value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RecordError(f"{name}: not a share")


def _read_loss(value: Value) -> float:
    """Return a loss, which is text where training went wrong: "nan" or "inf"."""
    try:
        return float(str(value))
    except ValueError:
        raise RecordError("loss: not a number") from None


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0

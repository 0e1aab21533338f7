"""What a record of a log must be like to be counted and drawn; a damaged line is refused before it is counted."""

from typing import Final

from simulation.records.record import Record, RecordError, Value

MAX_NUMBER: Final = 2**63
"""No number of a record is larger; one that is was not written by a run."""

_NEVER_NEGATIVE: Final = frozenset({"height", "stage", "copies", "bytes", "count", "amount"})

_WHOLE: Final = _NEVER_NEGATIVE | {"reorg", "transactions"}
_NUMBERS: Final = frozenset({"cpu_s", "balance"})


def check_record(record: Record) -> Record:
    """Return a record whose numbers are such as a run writes.

    Raises:
        RecordError: One of them is not.
    """
    if not 0 <= record.time < MAX_NUMBER:
        raise RecordError(f"not a time: {record.time}")
    for name, value in record.fields.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if (name in _NUMBERS and not is_number) or (name in _WHOLE and not (is_number and isinstance(value, int))):
            raise RecordError(f"{name}: not a number: {str(value)[:40]}")
        if isinstance(value, int | float) and not abs(value) < MAX_NUMBER:
            raise RecordError(f"{name}: not a number of a run: {str(value)[:40]}")
        if name in _NEVER_NEGATIVE and isinstance(value, int) and value < 0:
            raise RecordError(f"{name}: below 0")
    if record.event == "appended" and record.fields.get("height") == 0:
        raise RecordError("height: only the genesis has 0, and nobody appends it")
    if record.event == "evaluated":
        for name in ("accuracy", "trigger_success"):
            _check_share(name, record.fields.get(name))
    if record.event == "trained":
        read_loss(record.fields.get("loss"))
    return record


def read_loss(value: Value) -> float:
    """Return a loss, which is text where training went wrong: "nan" or "inf".

    Raises:
        RecordError: It is no loss.
    """
    try:
        return float(str(value))
    except ValueError:
        raise RecordError("loss: not a number") from None


def _check_share(name: str, value: Value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RecordError(f"{name}: not a share")

"""A run's logs, line by line: a line of ``pot_sim.log`` and a line of ``events.jsonl`` say the same.

A line has a time (seconds since the run began), a level, who it is about, an event name and fields. Which events there
are and which fields they have is said by the facts; a line may be of any.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Final

Value = str | int | float | bool | None

INFO: Final = "INFO"
"""What any participant could see."""

DEBUG: Final = "DEBUG"
"""A party's own business: its losses, its lottery draws, its secret before it is shown."""

WARNING: Final = "WARNING"
"""What should not happen."""

_FIELD: Final = re.compile(r' (\w+)=("(?:[^"\\]|\\.)*"|[^\s"]+)(?= |\Z)', re.ASCII)
_LINE: Final = re.compile(r" *(-?\d+\.\d{6}) (DEBUG|INFO|WARNING) +(\S+) (\w+)( .*)?", re.ASCII)
_PLAIN: Final = re.compile(r"(?:0x[0-9a-f]+|[A-Za-z][\w./:+-]*)", re.ASCII)
_WORDS: Final[dict[str, Value]] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


class RecordError(ValueError):
    """A line is not one that a run writes; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    time: float
    """Seconds since the run began, to the microsecond."""
    level: str
    """`INFO`, `DEBUG` or `WARNING`."""
    who: str
    """Label of the party it is about; `run` for the run as a whole."""
    event: str
    """What happened, in one word."""
    fields: dict[str, Value] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the line of ``events.jsonl``."""
        head = {"time": round(self.time, 6), "level": self.level, "who": self.who, "event": self.event}
        return json.dumps({**head, **self.fields}, ensure_ascii=False)

    def to_text(self) -> str:
        """Return the line of ``pot_sim.log``."""
        fields = "".join(f" {name}={_format(value)}" for name, value in self.fields.items())
        return f"{self.time:12.6f} {self.level:<7} {self.who} {self.event}{fields}"


def parse_line(line: str) -> Line:
    """Return a line of ``pot_sim.log``.

    Raises:
        RecordError: The line is not one.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise RecordError(f"not a log line: {line[:80]!r}")
    time, level, who, event, rest = match.groups()
    try:
        fields = _parse_fields(rest or "")
    except ValueError:
        raise RecordError(f"not a log line: {line[:80]!r}") from None
    return Line(float(time), level, who, event, fields)


def parse_json(line: str) -> Line:
    """Return a line of ``events.jsonl``.

    Raises:
        RecordError: The line is not one.
    """
    try:
        fields = json.loads(line)
        time, level, who, event = (fields.pop(name) for name in ("time", "level", "who", "event"))
        at = float(time)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise RecordError(f"not an event: {line[:80]!r}") from None
    is_timed = isinstance(time, int | float) and not isinstance(time, bool)
    is_named = level in (DEBUG, INFO, WARNING) and isinstance(who, str) and isinstance(event, str)
    if not (is_timed and is_named and all(value is None or isinstance(value, Value) for value in fields.values())):
        raise RecordError(f"not an event: {line[:80]!r}")
    return Line(at, level, who, event, fields)


def _parse_fields(text: str) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    position = 0
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            raise ValueError(f"no field at {text[position : position + 20]!r}")
        fields[match[1]] = _parse(match[2])
        position = match.end()
    return fields


def _format(value: Value) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value not in _WORDS else json.dumps(value)
    return json.dumps(value)


def _parse(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    if _PLAIN.fullmatch(text):
        return text
    value: Value = json.loads(text)
    return value

"""Reading a run's logs back: every line that holds, and what is wrong with the others."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import simulation.records.stake_facts  # noqa: F401 - what nobody counts has to be known here all the same
from simulation.foundation import SimulationError
from simulation.records.fact import FactError, read_fact
from simulation.records.facts import Opening
from simulation.records.lines import Line, RecordError, parse_line
from simulation.records.record import Record
from simulation.records.run_files import LOG_NAME, SUMMARY_NAME
from simulation.records.tally import Tally

LAST_TIME: Final = 2**63
"""Seconds; no record of a run is as late."""

FORMER: Final = {"refused": "rejected"}
"""Words for events, and for what is counted, in logs of older versions, and what they are now."""


class LogError(SimulationError, ValueError):
    """A log cannot be used at all; the text says which and why."""


@dataclass(slots=True)
class RunLog:
    """What a log tells of a run."""

    path: Path
    name: str
    """What to call it: the run's folder, or the log and the folder it lies in, as far as the user has named them."""
    tally: Tally
    warnings: list[str] = field(default_factory=list)
    """What is wrong with the log, where it is still of use."""


def read_log(
    path: Path, watch: Callable[[Record], None] | None = None, parse: Callable[[str], Line] = parse_line
) -> RunLog:
    """Return a run's log.

    Args:
        path: A run's folder, or its ``pot_sim.log``.
        watch: Takes each record as well.
        parse: Reads a line, or raises `RecordError`.

    Raises:
        LogError: There is no log, or no line of it is one.
    """
    file = path / LOG_NAME if path.is_dir() else path
    try:
        *lines, rest = file.read_bytes().decode("utf-8", errors="replace").split("\n")
    except OSError as error:
        raise LogError(f"{file}: cannot be read: {error.strerror}") from None
    name = path.resolve().name if path.is_dir() else "/".join(path.parts[-2:])
    log = RunLog(file, name, Tally())
    if _was_changed(file):
        log.warnings.append(f"{file}: changed since the run ended: {SUMMARY_NAME} has another digest of it")
    damaged: list[str] = []
    second = 0
    for number, line in enumerate(lines, start=1):
        try:
            record = read_record(parse(line))
        except (RecordError, RecursionError) as error:
            damaged.append(f"line {number} ({_explain(error)})")
            continue
        if isinstance(record.fact, Opening) and log.tally.opening is not None:
            second = number
            break
        log.tally.add(record)
        if watch is not None:
            watch(record)
    if log.tally.opening is None:
        raise LogError(f"{file}: not the log of a run: its opening line is missing")
    if second:
        log.warnings.append(f"{file}: line {second} begins another run; that line and all after it are left out")
    elif rest:
        log.warnings.append(f"{file}: cut off in line {len(lines) + 1}, which is left out")
    if damaged:
        log.warnings.append(f"{file}: {len(damaged)} damaged lines left out, the first is {damaged[0]}")
    if log.tally.end is None:
        log.warnings.append(f"{file}: cut off: the run's closing line is missing, figures are those so far")
    return log


def _was_changed(file: Path) -> bool:
    """Return whether the summary beside a log knows it differently; without one, nothing can be said."""
    try:
        digests = json.loads((file.parent / SUMMARY_NAME).read_bytes())["files"]
        expected = digests[file.name]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return bool(expected != hashlib.sha256(file.read_bytes()).hexdigest())


def _explain(error: Exception) -> str:
    """Return what is wrong with a line."""
    if isinstance(error, FactError) and error.field:
        return f"{error.field}: {error.problem}"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def read_record(line: Line) -> Record:
    """Return the record that a line stands for.

    Raises:
        RecordError: It stands for none: there is no such event, or a field is missing, unknown or not what it must be.
    """
    if not 0 <= line.time < LAST_TIME:
        raise RecordError(f"not a time: {line.time}")
    event, fields = FORMER.get(line.event, line.event), line.fields
    what = fields.get("what")
    if isinstance(what, str) and what in FORMER:
        fields = {**fields, "what": FORMER[what]}
    return Record(line.time, line.level, line.who, read_fact(event, fields))

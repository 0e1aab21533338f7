"""What each party's core was told and what it answered, so that any run can be played again to fresh cores.

A journal is one file a party, one line an event: the time, the event, and the commands in words. Replaying a journal is
how a run with real processes, whose order of messages never comes again, becomes a test of the core.
"""

import base64
import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

from protocol.chain import BlockTree
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainTimer,
    Command,
    Event,
    HeadMoved,
    Judged,
    MessageReceived,
    Noted,
    Relay,
    RightUsedTwice,
    Send,
    SetTimer,
    Started,
    StartWork,
    Timer,
    TimerFired,
    TimerKind,
    WorkFinished,
)
from protocol.ledger import LedgerState
from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.participant import Participant
from protocol.types import Nanoseconds
from protocol.verdicts import Accept, Wait
from simulation.foundation import find_part
from simulation.records import short_hash

RESTART: Final = "restart"
END: Final = "end"


class JournalWords:
    """How a mechanism's own events and commands are written down; one that starts no work has no need of more."""

    def describe_task(self, task: Hashable) -> str:
        """Return slow work in words that are equal for equal work."""
        raise TypeError(f"no words for {task!r}")

    def describe_noted(self, noted: object) -> str:
        """Return what a proposer wants on record, in words."""
        raise TypeError(f"no words for {noted!r}")

    def pack_work(self, task: Hashable, result: object) -> dict[str, Any]:
        """Return the fields of a line about work that is done; `event` is a name of the mechanism's choice."""
        raise TypeError(f"no line for {task!r}")

    def unpack_work(self, line: dict[str, Any]) -> WorkFinished:
        """Return the event of such a line.

        Raises:
            KeyError: The line lacks something.
            TypeError: A part of it has another type.
            ValueError: A part of it means nothing.
        """
        raise ValueError(f"no event is called {line['event']!r}")


def find_words(mechanism: Mechanism) -> JournalWords:
    """Return the words of a mechanism."""
    kind: type[JournalWords] = find_part(mechanism.name, "journal_words") or JournalWords
    return kind()


class JournalWriter:
    """Writes one party's journal, a line at a time."""

    def __init__(self, folder: Path, label: str, words: JournalWords) -> None:
        """Open the file; a party that comes back goes on where it stopped."""
        self._words = words
        self._file = (folder / f"{label}.jsonl").open("a", encoding="utf-8", buffering=1)
        self._lines = 0

    def write(self, now: Nanoseconds, event: Event, commands: list[Command]) -> None:
        """Add what the core was told and what it answered."""
        told = [describe(command, self._words) for command in commands]
        line = {"now": now, **_pack(event, self._words), "commands": told}
        self._file.write(json.dumps(line) + "\n")
        self._lines += 1

    def write_restart(self, *, is_disk_kept: bool) -> None:
        """Note that the party starts anew."""
        self._file.write(json.dumps({"event": RESTART, "disk": is_disk_kept}) + "\n")
        self._lines += 1

    def close(self) -> None:
        """Write how many lines there should be, and close the file."""
        self._file.write(json.dumps({"event": END, "lines": self._lines}) + "\n")
        self._file.close()


class Journals:
    """The journals of the parties of one process."""

    def __init__(self, folder: Path | None, mechanism: Mechanism) -> None:
        """Take the folder they go to, None for keeping none, and the mechanism of the chain."""
        self._folder = folder
        self._mechanism = mechanism
        self._writers: dict[str, JournalWriter] = {}

    def open(self, label: str) -> JournalWriter | None:
        """Return a party's journal, always the same one; None where none are kept."""
        if self._folder is None:
            return None
        found = self._writers.get(label)
        if found is None:
            found = self._writers[label] = JournalWriter(self._folder, label, find_words(self._mechanism))
        return found

    def write_restart(self, label: str, *, is_disk_kept: bool) -> None:
        """Note that a party starts anew."""
        if label in self._writers:
            self._writers[label].write_restart(is_disk_kept=is_disk_kept)

    def close(self) -> None:
        """Close them all."""
        for writer in self._writers.values():
            writer.close()


def describe(command: Command, words: JournalWords) -> str:
    """Return a command in words that are equal for equal commands."""
    match command:
        case Broadcast(message):
            return f"broadcast {message.kind} {message.signature.hex()}"
        case Send(peer, message):
            return f"send {peer} {message.kind} {message.signature.hex()}"
        case Relay(frame, source):
            return f"relay {len(frame)} bytes from {source}"
        case SetTimer(timer, at):
            return f"timer {timer.kind.value} {timer.slot} {short_hash(timer.parent)} at {at}"
        case StartWork(task):
            return words.describe_task(task)
        case Judged(peer, verdict, kind):
            reason = f" {verdict.missing.value}" if isinstance(verdict, Wait) else ""
            reason = reason if isinstance(verdict, Accept | Wait) else f" {verdict.reason.value}"
            return f"judged {kind} of {peer}: {type(verdict).__name__.lower()}{reason}"
        case BlockAppended(record, change):
            moved = f"head moved, {len(change.abandoned)} left" if change else "head stays"
            return f"appended {record.height} {record.hash.hex()}, {moved}"
        case HeadMoved(record, change):
            return f"head moved to {record.height} {record.hash.hex()}, {len(change.abandoned)} left"
        case RightUsedTwice(author, height, first, second):
            return f"used twice by {author.hex()} at {height}: {first.hex()} {second.hex()}"
        case Noted(fact):
            return words.describe_noted(fact)


def _pack(event: Event, words: JournalWords) -> dict[str, Any]:
    match event:
        case Started():
            return {"event": "started"}
        case MessageReceived(peer, frame):
            return {"event": "frame", "peer": peer, "frame": base64.b64encode(frame).decode("ascii")}
        case TimerFired(timer):
            return {"event": "timer", "kind": timer.kind.value, "slot": timer.slot, "parent": timer.parent.hex()}
        case WorkFinished(task, result):
            return words.pack_work(task, result)


def unpack_event(line: dict[str, Any], mechanism: Mechanism, words: JournalWords) -> Event:
    """Return the event of a line, of a chain of a mechanism that writes in these words.

    Raises:
        KeyError: The line lacks something.
        TypeError: A part of it has another type.
        ValueError: A part of it means nothing.
    """
    match line["event"]:
        case "started":
            return Started()
        case "frame":
            return MessageReceived(line["peer"], base64.b64decode(line["frame"], validate=True))
        case "timer":
            return TimerFired(
                Timer(_find_timer_kind(line["kind"], mechanism), line["slot"], bytes.fromhex(line["parent"]))
            )
    return words.unpack_work(line)


def _find_timer_kind(name: str, mechanism: Mechanism) -> TimerKind:
    own = {kind.value: kind for kind in mechanism.timers}
    return own.get(name) or ChainTimer(name)


class JournalledCore:
    """A core that keeps a journal; behaviours cannot tell it from the core itself."""

    def __init__(self, core: Participant, journal: JournalWriter) -> None:
        """Wrap a core."""
        self._core = core
        self._journal = journal
        self.rules = core.rules
        self.keys = core.keys

    @property
    def tree(self) -> BlockTree[AnyBlock, LedgerState]:
        """The blocks the party knows."""
        return self._core.tree

    def handle(self, event: Event, now: Nanoseconds) -> list[Command]:
        """Return the core's commands, and write them down."""
        commands = self._core.handle(event, now)
        self._journal.write(now, event, commands)
        return commands

"""What each party's core was told and what it answered, so that any run can be played again to fresh cores.

A journal is one file a party, one line an event: the time, the event, and the commands in words. Replaying a journal is
how a run with real processes, whose order of messages never comes again, becomes a test of the core.
"""

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from protocol.chain import BlockTree
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    Command,
    CompareWeights,
    Event,
    Judged,
    LotteryWon,
    MessageReceived,
    PhaseChanged,
    Relay,
    SecretKnown,
    Send,
    SetTimer,
    Started,
    StartTraining,
    Timer,
    TimerFired,
    TimerKind,
    TrainingFinished,
    WeightsCompared,
)
from protocol.ledger import LedgerState
from protocol.light_client import LightClient
from protocol.messages import WrappedBlock
from protocol.node import PoTNode
from protocol.participant import Participant
from protocol.training import TrainingResult
from protocol.types import Nanoseconds
from protocol.validation import Rules
from protocol.verdicts import Accept, Wait
from simulation.engines.caching_rules import SharedRules
from simulation.engines.parties.building import build_node
from simulation.engines.parties.recorder import shorten
from simulation.records.run_files import CHAIN_NAME, JOURNAL_FOLDER, SCENARIO_NAME, SUMMARY_NAME
from simulation.runs.chain_file import ChainFileError, read_chain
from simulation.scenario.scenario import ScenarioError, load_scenario
from simulation.scenario.world.building import EMPLOYER, NodeSpec, build_world

RESTART: Final = "restart"
END: Final = "end"


class JournalError(ValueError):
    """A journal cannot be read; the text says where."""


class JournalWriter:
    """Writes one party's journal, a line at a time."""

    def __init__(self, folder: Path, label: str) -> None:
        """Open the file; a party that comes back goes on where it stopped."""
        self._file = (folder / f"{label}.jsonl").open("a", encoding="utf-8", buffering=1)
        self._lines = 0

    def write(self, now: Nanoseconds, event: Event, commands: list[Command]) -> None:
        """Add what the core was told and what it answered."""
        line = {"now": now, **_pack(event), "commands": [describe(command) for command in commands]}
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


def describe(command: Command) -> str:
    """Return a command in words that are equal for equal commands."""
    match command:
        case Broadcast(message):
            return f"broadcast {message.kind} {message.signature.hex()}"
        case Send(peer, message):
            return f"send {peer} {message.kind} {message.signature.hex()}"
        case Relay(frame, source):
            return f"relay {len(frame)} bytes from {source}"
        case SetTimer(timer, at):
            return f"timer {timer.kind.value} {timer.slot} {shorten(timer.parent)} at {at}"
        case StartTraining(stage, base):
            return f"train {stage} from {base.hex()}" if base else f"train {stage}"
        case CompareWeights(own, other):
            return f"compare {own.hex()} {other.hex()}"
        case Judged(peer, verdict, kind):
            reason = f" {verdict.missing.value}" if isinstance(verdict, Wait) else ""
            reason = reason if isinstance(verdict, Accept | Wait) else f" {verdict.reason.value}"
            return f"judged {kind} of {peer}: {type(verdict).__name__.lower()}{reason}"
        case BlockAppended(record, change):
            moved = f"head moved, {len(change.abandoned)} left" if change else "head stays"
            return f"appended {record.height} {record.hash.hex()}, {moved}"
        case PhaseChanged(phase, height):
            return f"phase {phase.value} {height}"
        case LotteryWon(role, height, slot):
            return f"won {role.value} {height} {slot}"
        case SecretKnown(height, parent, secret):
            return f"secret {height} {shorten(parent)} {secret.hex()}"


def _pack(event: Event) -> dict[str, Any]:
    match event:
        case Started():
            return {"event": "started"}
        case MessageReceived(peer, frame):
            return {"event": "frame", "peer": peer, "frame": base64.b64encode(frame).decode("ascii")}
        case TimerFired(timer):
            return {"event": "timer", "kind": timer.kind.value, "slot": timer.slot, "parent": timer.parent.hex()}
        case TrainingFinished(result, base):
            weights, losses = result.weights_digest.hex(), result.losses.hex()
            line = {"event": "trained", "stage": result.stage, "weights": weights, "losses": losses}
            return {**line, "base": base.hex()} if base else line
        case WeightsCompared(own, other, distance):
            return {"event": "compared", "own": own.hex(), "other": other.hex(), "distance": distance}


def _unpack(line: dict[str, Any]) -> Event:
    match line["event"]:
        case "started":
            return Started()
        case "frame":
            return MessageReceived(line["peer"], base64.b64decode(line["frame"], validate=True))
        case "timer":
            return TimerFired(Timer(TimerKind(line["kind"]), line["slot"], bytes.fromhex(line["parent"])))
        case "trained":
            digest, losses = bytes.fromhex(line["weights"]), bytes.fromhex(line["losses"])
            result = TrainingResult(stage=line["stage"], weights_digest=digest, losses=losses)
            return TrainingFinished(result, bytes.fromhex(line.get("base", "")))
        case "compared":
            return WeightsCompared(bytes.fromhex(line["own"]), bytes.fromhex(line["other"]), line["distance"])
    raise ValueError(f"no event is called {line['event']!r}")


class JournalledCore:
    """A core that keeps a journal; behaviours cannot tell it from the core itself."""

    def __init__(self, core: Participant, journal: JournalWriter) -> None:
        """Wrap a core."""
        self._core = core
        self._journal = journal
        self.rules = core.rules
        self.keys = core.keys

    @property
    def tree(self) -> BlockTree[WrappedBlock, LedgerState]:
        """The blocks the party knows."""
        return self._core.tree

    def handle(self, event: Event, now: Nanoseconds) -> list[Command]:
        """Return the core's commands, and write them down."""
        commands = self._core.handle(event, now)
        self._journal.write(now, event, commands)
        return commands


def replay_run(folder: Path) -> Iterator[tuple[str, int, str | None]]:
    """Feed every journal of a run to a fresh core.

    Yields:
        Label of the party, number of its events, and the first difference in words, or None. A journal that is missing
        or cut off is a difference too; that of a party that crashed has no end.

    Raises:
        JournalError: There are no journals, or one of them or what belongs to it cannot be read.
    """
    files = sorted((folder / JOURNAL_FOLDER).glob("*.jsonl"))
    if not files:
        raise JournalError(f"{folder}: no journals; run the scenario with --set output.journal=true")
    try:
        scenario = load_scenario(folder / SCENARIO_NAME)
        genesis, _ = read_chain(folder / CHAIN_NAME)
    except (ScenarioError, ChainFileError) as error:
        raise JournalError(f"{folder}: {error}") from None
    world = build_world(scenario, genesis.job.dataset, genesis.job.dataset_digest)
    rules = SharedRules(genesis)
    makers = {node.label: partial(_make_core, node, rules, world.network.is_relaying) for node in world.nodes}
    crashed = _list_crashed(folder)
    for label in sorted({*makers, EMPLOYER} - {file.stem for file in files} - crashed):
        yield label, 0, "its journal is missing"
    for file in files:
        if file.stem == EMPLOYER:
            make_core: Callable[[], Participant] = partial(LightClient, rules, KeyPair(world.employer_seed))
        elif file.stem in makers:
            make_core = makers[file.stem]
        else:
            raise JournalError(f"{file}: the scenario has no party {file.stem!r}")
        yield file.stem, *_replay(file, make_core, must_end=file.stem not in crashed)


def _list_crashed(folder: Path) -> frozenset[str]:
    """Return the parties that cannot have ended their journals, by the run's summary."""
    try:
        summary = json.loads((folder / SUMMARY_NAME).read_text("utf-8"))
        labels = {node["label"] for node in summary["nodes"] if node["outcome"] == "crashed"}
        return frozenset(labels | ({EMPLOYER} if summary["employer"]["outcome"] == "crashed" else set()))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(f"{file}: cannot be read: {error}") from None


def _replay(file: Path, make_core: Callable[[], Participant], *, must_end: bool) -> tuple[int, str | None]:
    core = make_core()
    number, last, end = 0, 0, None
    for number, text in enumerate(_read_lines(file), start=1):
        try:
            line = json.loads(text)
            if end is not None:
                raise ValueError("it goes on after its end")
            if line["event"] == END:
                end = int(line["lines"])
                continue
            if line["event"] == RESTART:
                before, core = core, make_core()
                if line["disk"] and isinstance(core, PoTNode) and isinstance(before, PoTNode):
                    core.restore(before)
                continue
            event, now, recorded = _unpack(line), int(line["now"]), list(line["commands"])
            if now < last:
                raise ValueError("its time is before that of the line above")
            last = now
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{file}:{number}: not a journal line: {error}") from None
        replayed = [describe(command) for command in core.handle(event, now)]
        if replayed != recorded:
            return number, _find_difference(number, line["event"], recorded, replayed)
    if end is None:
        return number, "its journal is cut off: the closing line is missing" if must_end else None
    return end, None if end == number - 1 else f"its journal has {number - 1} lines, its closing line says {end}"


def _make_core(spec: NodeSpec, rules: Rules, is_relaying: bool) -> Participant:
    core, _ = build_node(spec, rules)
    core.is_relaying = is_relaying
    return core


def _find_difference(number: int, event: str, recorded: list[str], replayed: list[str]) -> str:
    for index in range(max(len(recorded), len(replayed))):
        one = recorded[index] if index < len(recorded) else "nothing"
        other = replayed[index] if index < len(replayed) else "nothing"
        if one != other:
            return f"event {number} ({event}): recorded {one!r}, replayed {other!r}"
    return f"event {number} ({event}): no difference"

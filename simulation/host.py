"""A party's host: feeds events to its core through its behaviour, and turns commands into driver calls and records.

Both engines use it. It is the only place that knows what each command means outside the core.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from protocol.codec import encode, encode_frame
from protocol.events import (
    BlockAppended,
    Broadcast,
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
    TrainingFinished,
)
from protocol.light_client import LightClient
from protocol.messages import BlockResponse, Message, WrappedBlock
from protocol.participant import Participant
from protocol.training import TrainingResult
from protocol.types import MICRO_COINS_PER_COIN
from protocol.verdicts import Accept, Ignore, Reason, Reject, Wait
from simulation.attacks.behaviours import Action, Behaviour, SendBytes
from simulation.records import DEBUG, INFO, Value

SHORT: int = 12
"""Hex digits of a hash that records show."""


class Driver(Protocol):
    """What an engine does for a party."""

    def send(self, peers: Iterable[str], frame: bytes) -> int:
        """Hand bytes to links; return over how many they go."""

    def get_peers(self) -> Iterable[str]:
        """Return the neighbours that messages are for."""

    def set_timer(self, timer: Timer, at: int) -> None:
        """Ring at a time, in nanoseconds since the genesis."""

    def start_training(self, stage: int) -> None:
        """Train a stage and report its result later."""


Recorder = Callable[[str, str, dict[str, Value]], None]
"""Takes level, event and fields of a record; the engine adds time and party."""


class Host:
    """One party: core, behaviour, links and records."""

    def __init__(
        self, core: Participant, behaviour: Behaviour, driver: Driver, record: Recorder, labels: dict[bytes, str]
    ) -> None:
        """Put the parts together; `start` sets them going."""
        self.core = core
        self._behaviour = behaviour
        self._driver = driver
        self._record = record
        self._labels = labels
        self._ignored: Counter[tuple[str, str]] = Counter()
        self.on_block: Callable[[BlockAppended], None] | None = None

    def start(self, now: int) -> None:
        """Let the clock run."""
        self._feed(Started(), now)

    def receive(self, peer: str, frame: bytes, now: int) -> None:
        """Take a frame from a link."""
        self._feed(MessageReceived(peer, frame), now)

    def ring(self, timer: Timer, now: int) -> None:
        """Let a timer ring."""
        self._feed(TimerFired(timer), now)

    def finish_training(self, result: TrainingResult, now: int) -> None:
        """Take a training result."""
        self._feed(TrainingFinished(result), now)

    def count_duplicate(self) -> None:
        """Count a frame that the driver has dropped because the core has judged it before."""
        self._ignored["frame", Reason.DUPLICATE.value] += 1

    def flush(self) -> None:
        """Record what is only counted as it happens."""
        for (kind, reason), count in sorted(self._ignored.items()):
            self._record(DEBUG, "ignored", {"kind": kind, "reason": reason, "count": count})
        self._ignored.clear()

    def finish(self) -> tuple[bytes, ...]:
        """Record where the party ended; return the canonical bytes of its chain, lowest block first."""
        self.flush()
        core = self.core
        head = core.tree.head
        is_done = head.height == core.rules.genesis.job.stages
        done = "delivered" if isinstance(core, LightClient) else "finished"
        fields: dict[str, Value] = {
            "outcome": done if is_done else "stopped",
            "height": head.height,
            "head": _short(head.hash) if head.block is not None else "genesis",
            "balance": head.state.get_account(core.keys.public).balance / MICRO_COINS_PER_COIN,
        }
        self._record(INFO, "final", fields)
        return tuple(encode(record.block) for record in core.tree.get_chain() if record.block is not None)

    def _feed(self, event: Event, now: int) -> None:
        for action in self._behaviour.react(self.core, event, now):
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Broadcast(message):
                self._send(message, self._driver.get_peers(), "all")
            case Send(peer, message):
                self._send(message, (peer,), peer)
            case Relay(frame, source):
                copies = self._driver.send([peer for peer in self._driver.get_peers() if peer != source], frame)
                self._record(DEBUG, "relayed", {"copies": copies, "bytes": copies * len(frame)})
            case SendBytes(frame, label):
                copies = self._driver.send(self._driver.get_peers(), frame)
                fields: dict[str, Value] = {"kind": label, "to": "all", "copies": copies}
                self._record(INFO, "sent", {**fields, "bytes": copies * len(frame)})
            case SetTimer(timer, at):
                self._driver.set_timer(timer, at)
            case StartTraining(stage):
                self._driver.start_training(stage)
            case _:
                self._note(action)

    def _send(self, message: Message, peers: Iterable[str], target: str) -> None:
        frame = encode_frame(self.core.rules.chain_id, message)
        copies = self._driver.send(peers, frame)
        fields = {**_describe(message), "to": target, "copies": copies, "bytes": copies * len(frame)}
        self._record(INFO, "sent", fields)

    def _note(self, action: Action) -> None:
        match action:
            case Judged():
                self._note_judgement(action)
            case BlockAppended():
                self._note_block(action)
            case PhaseChanged(phase, height):
                self._record(DEBUG, "phase", {"phase": phase.value, "height": height})
            case LotteryWon(role, height, slot):
                self._record(DEBUG, "won", {"right": role.value, "height": height, "slot": slot})
            case SecretKnown(height, parent, secret, weights):
                fields: dict[str, Value] = {"height": height, "parent": _short(parent), "secret": secret.hex()}
                self._record(DEBUG, "secret", {**fields, "weights": _short(weights)})

    def _note_judgement(self, judged: Judged) -> None:
        fields: dict[str, Value] = {"kind": judged.kind}
        if judged.height is not None:
            fields["height"] = judged.height
        if judged.author is not None:
            fields["author"] = self._name(judged.author)
        fields["peer"] = judged.peer
        match judged.verdict:
            case Accept():
                self._record(INFO, "accepted", fields)
            case Reject(reason):
                self._record(INFO, "refused", {**fields, "reason": reason.value})
            case Ignore(reason):
                self._ignored[judged.kind, reason.value] += 1
            case Wait(missing):
                self._record(DEBUG, "waiting", {**fields, "missing": missing.value})

    def _note_block(self, appended: BlockAppended) -> None:
        record = appended.record
        block = record.block
        if block is None:
            return
        fields: dict[str, Value] = {
            "height": record.height,
            "block": _short(record.hash),
            "parent": _short(record.parent),
            "weights": _short(block.header.weights_digest),
            "proposer": self._name(block.header.author),
            "wrapper": self._name(block.author),
            "declarations": len(block.header.declarations),
            "transactions": len(block.transactions),
            "head": appended.change is not None,
            "reorg": len(appended.change.abandoned) if appended.change else 0,
        }
        self._record(INFO, "appended", fields)
        self.flush()
        if self.on_block is not None:
            self.on_block(appended)

    def _name(self, account: bytes) -> str:
        return self._labels.get(account, _short(account))


def _describe(message: Message) -> dict[str, Value]:
    fields: dict[str, Value] = {"kind": message.kind}
    if isinstance(message, BlockResponse):
        fields["blocks"] = len(message.blocks)
    elif isinstance(message, WrappedBlock) or hasattr(message, "height"):
        fields["height"] = message.height
    return fields


def _short(digest: bytes) -> str:
    return f"0x{digest.hex()[:SHORT]}" if digest else "none"

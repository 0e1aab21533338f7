"""A party's host: feeds events to its core through its behaviour, and turns commands into driver calls and records.

Both engines use it. It is the only place that knows what each command means outside the core.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from protocol.codec import encode_frame
from protocol.events import (
    BlockAppended,
    Broadcast,
    Event,
    Judged,
    MessageReceived,
    Relay,
    Send,
    SetTimer,
    Started,
    StartTraining,
    Timer,
    TimerFired,
    TrainingFinished,
)
from protocol.light_client import LightClient
from protocol.messages import Message
from protocol.participant import Participant
from protocol.training import TrainingResult
from protocol.types import MICRO_COINS_PER_COIN
from simulation.attacks.behaviours import Action, Behaviour, SendBytes
from simulation.journal import JournalledCore, JournalWriter
from simulation.notes import Notes, Recorder, shorten
from simulation.records import INFO, Value


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


class Host:
    """One party: core, behaviour, links and records."""

    def __init__(
        self,
        core: Participant,
        behaviour: Behaviour,
        driver: Driver,
        record: Recorder,
        notes: Notes,
        *,
        journal: JournalWriter | None = None,
    ) -> None:
        """Put the parts together; `start` sets them going."""
        self.core = core
        self._journalled = core if journal is None else JournalledCore(core, journal)
        self._behaviour = behaviour
        self._driver = driver
        self._record = record
        self.notes = notes
        self._reorg_max = 0
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

    def finish(self) -> tuple[bytes, ...]:
        """Record where the party ended; return the canonical bytes of its chain, lowest block first."""
        self.notes.flush()
        core = self.core
        head = core.tree.head
        is_done = head.height == core.rules.genesis.job.stages
        done = "delivered" if isinstance(core, LightClient) else "finished"
        fields: dict[str, Value] = {
            "outcome": done if is_done else "stopped",
            "height": head.height,
            "head": shorten(head.hash) if head.block is not None else "genesis",
            "reorg": self._reorg_max,
            "balance": head.state.get_account(core.keys.public).balance / MICRO_COINS_PER_COIN,
        }
        self._record(INFO, "final", fields)
        return tuple(core.rules.encode(record.block) for record in core.tree.get_chain() if record.block is not None)

    def _feed(self, event: Event, now: int) -> None:
        for action in self._behaviour.react(self._journalled, event, now):
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:  # the most frequent first
            case Judged():
                self.notes.note_judged(action)
            case Relay(frame, source):
                copies = self._driver.send([peer for peer in self._driver.get_peers() if peer != source], frame)
                self.notes.note_relayed(copies, len(frame))
            case Broadcast(message):
                self._send(message, self._driver.get_peers(), "all")
            case Send(peer, message):
                self._send(message, (peer,), peer)
            case SendBytes(frame, label):
                copies = self._driver.send(self._driver.get_peers(), frame)
                self.notes.note_sent(label, None, "all", copies, len(frame))
            case SetTimer(timer, at):
                self._driver.set_timer(timer, at)
            case StartTraining(stage):
                self._driver.start_training(stage)
            case BlockAppended():
                self.notes.note_block(action)
                self._reorg_max = max(self._reorg_max, len(action.change.abandoned) if action.change else 0)
                if self.on_block is not None:
                    self.on_block(action)
            case _:
                self.notes.note_private(action)

    def _send(self, message: Message, peers: Iterable[str], target: str) -> None:
        frame = encode_frame(self.core.rules.chain_id, message)
        copies = self._driver.send(peers, frame)
        self.notes.note_sent(message.kind, message, target, copies, len(frame))

"""A party's host: feeds events to its core through its behaviour, and turns commands into driver calls and records.

Both engines use it. It is the only place that knows what each command means outside the core.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final, Protocol

from protocol.codec import encode_frame
from protocol.events import (
    BlockAppended,
    Broadcast,
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
    WorkFinished,
)
from protocol.light_client import LightClient
from protocol.participant import Participant
from protocol.types import MICRO_COINS_PER_COIN
from simulation.attacks import Action, Behaviour, SendBytes, SendFragment
from simulation.engines import CountingKeys, WorkDone
from simulation.engines.parties.journal import JournalledCore, JournalWriter
from simulation.engines.parties.recorder import Recorder
from simulation.records import PartyEnded, Sink, Spent, short_hash


class Driver(Protocol):
    """What an engine does for a party."""

    def send(self, peer: str, frame: bytes) -> int:
        """Hand bytes to one link; return over how many they go."""

    def broadcast(self, frame: bytes, but: str | None = None) -> int:
        """Hand bytes to the links of all neighbours that messages are for, but one; return over how many they go."""

    def break_off(self, fragment: SendFragment) -> int:
        """Hand a part of a frame to the links of all neighbours as the last that goes over them; return to how many."""

    def set_timer(self, timer: Timer, at: int) -> None:
        """Ring at a time, in nanoseconds since the genesis."""

    def start_work(self, task: Hashable) -> None:
        """Do slow work and report what comes of it later, by `Host.finish_work`."""


class Host:
    """One party: core, behaviour, links and records."""

    __slots__ = ("_driver", "_on_block", "_react", "_sink", "core", "recorder", "reorg_max", "signed_before")

    def __init__(
        self,
        core: Participant,
        behaviour: Behaviour,
        driver: Driver,
        sink: Sink,
        recorder: Recorder,
        *,
        journal: JournalWriter | None = None,
        on_block: Callable[[BlockAppended | HeadMoved], None] | None = None,
    ) -> None:
        """Put the parts together; `start` sets them going.

        Args:
            core: Decides.
            behaviour: Stands in front of it.
            driver: Does what it says.
            sink: Takes the facts that the party writes down by itself.
            recorder: Writes down what it does and hears.
            journal: Takes what the core is told and answers; None for none.
            on_block: Called with each block that has been appended, or become the head, and been written down.
        """
        self.core = core
        self._react = partial(behaviour.react, core if journal is None else JournalledCore(core, journal))
        self._driver = driver
        self._sink = sink
        self._on_block = on_block
        self.recorder = recorder
        self.reorg_max = 0
        """Blocks given up in its deepest reorganisation."""
        self.signed_before = 0
        """Signatures that the party made with another core, which it no longer has."""

    def start(self, now: int) -> None:
        """Let the clock run."""
        self._feed(Started(), now)

    def receive(self, peer: str, frame: bytes, now: int) -> None:
        """Take a frame from a link."""
        self._feed(MessageReceived(peer, frame), now)

    def ring(self, timer: Timer, now: int) -> None:
        """Let a timer ring."""
        self._feed(TimerFired(timer), now)

    def finish_work(self, task: Hashable, done: WorkDone, now: int) -> None:
        """Take what has come of slow work."""
        if done.fact is not None:
            self.recorder.record_work(done.fact)
        self._feed(WorkFinished(task, done.result), now)

    def count_signed(self) -> int:
        """Return how many signatures the party has made with its own key, as far as that counts them."""
        keys = self.core.keys
        return self.signed_before + (keys.made if isinstance(keys, CountingKeys) else 0)

    def finish(self, cpu_s: float, checked: int, *, is_up: bool = True) -> tuple[bytes, ...]:
        """Record what the party has spent and where it ended; return the canonical bytes of its chain, lowest first.

        Args:
            cpu_s: Its CPU-seconds since the genesis.
            checked: The signatures that it has checked.
            is_up: Whether it is there.
        """
        self.recorder.flush()
        self.recorder.record_spent(Spent(cpu_s=round(cpu_s, 6), signed=self.count_signed(), checked=checked))
        core = self.core
        head = core.tree.head
        is_done = core.is_complete
        done = "delivered" if isinstance(core, LightClient) else "finished"
        self._sink(
            PartyEnded(
                outcome="down" if not is_up else done if is_done else "stopped",
                height=head.height,
                head=short_hash(head.hash) if head.block is not None else "genesis",
                reorg=self.reorg_max,
                balance=head.state.get_account(core.keys.public).balance / MICRO_COINS_PER_COIN,
            )
        )
        return tuple(core.rules.encode(record.block) for record in core.tree.get_chain() if record.block is not None)

    def _feed(self, event: Event, now: int) -> None:
        for action in self._react(event, now):
            _HANDLERS[type(action)](self, action)

    def _record_judged(self, action: Judged) -> None:
        self.recorder.record_judged(action)

    def _record_double_use(self, action: RightUsedTwice) -> None:
        self.recorder.record_double_use(action)

    def _record_noted(self, action: Noted) -> None:
        self.recorder.record_noted(action.fact)

    def _relay(self, action: Relay) -> None:
        copies = self._driver.broadcast(action.frame, action.source)
        self.recorder.record_relayed(copies, len(action.frame))

    def _broadcast(self, action: Broadcast) -> None:
        frame = encode_frame(self.core.rules.chain_id, action.message)
        copies = self._driver.broadcast(frame)
        self.recorder.record_sent(action.message.kind, action.message, "all", copies, len(frame))

    def _send(self, action: Send) -> None:
        frame = encode_frame(self.core.rules.chain_id, action.message)
        copies = self._driver.send(action.peer, frame)
        self.recorder.record_sent(action.message.kind, action.message, action.peer, copies, len(frame))

    def _send_bytes(self, action: SendBytes) -> None:
        copies = self._driver.broadcast(action.frame)
        self.recorder.record_sent(action.label, None, "all", copies, len(action.frame))

    def _send_fragment(self, action: SendFragment) -> None:
        copies = self._driver.break_off(action)
        self.recorder.record_sent(action.label, None, "all", copies, len(action.carried))

    def _set_timer(self, action: SetTimer) -> None:
        self._driver.set_timer(action.timer, action.at)

    def _start_work(self, action: StartWork) -> None:
        self.recorder.record_task(action.task)
        self._driver.start_work(action.task)

    def _record_block(self, action: BlockAppended) -> None:
        self.recorder.record_block(action)
        self._note_head(action)

    def _record_moved(self, action: HeadMoved) -> None:
        self.recorder.record_moved(action)
        self._note_head(action)

    def _note_head(self, action: BlockAppended | HeadMoved) -> None:
        self.reorg_max = max(self.reorg_max, len(action.change.abandoned) if action.change else 0)
        if self._on_block is not None:
            self._on_block(action)


_HANDLERS: Final[dict[type[Action], Callable[[Host, Any], None]]] = {
    Judged: Host._record_judged,
    Relay: Host._relay,
    Broadcast: Host._broadcast,
    Send: Host._send,
    SendBytes: Host._send_bytes,
    SendFragment: Host._send_fragment,
    SetTimer: Host._set_timer,
    StartWork: Host._start_work,
    BlockAppended: Host._record_block,
    HeadMoved: Host._record_moved,
    RightUsedTwice: Host._record_double_use,
    Noted: Host._record_noted,
}
"""What each action means. One table for all hosts: in large networks what each has of its own is never in the cache."""

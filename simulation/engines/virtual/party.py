"""A party in simulated time: what its host asks of the engine, and what its links bring."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from protocol.events import Timer
from protocol.node import Node
from protocol.types import Hash32
from simulation.attacks import SendFragment
from simulation.engines import HEADER, MAX_TRANSPORT_BYTES, STALL_NS, CachingRules, ChargingWorker, WorkDone
from simulation.engines.parties import Host
from simulation.engines.virtual.queue import EventQueue
from simulation.engines.virtual.transport import FrameTransport
from simulation.foundation import NANOSECONDS
from simulation.records import LinkClosed, Sink, Stalled, Unlinked
from simulation.scenario.world import NodeSpec


@dataclass(slots=True)
class Clockwork:
    """What all parties of a run move by."""

    queue: EventQueue
    transport: FrameTransport
    rules: CachingRules
    """What all parties judge by; it is told who asks."""
    acting: str = "run"
    """Who takes the action of now, for the words of a failure."""


class VirtualParty:
    """A party of the virtual engine: the `Driver` of its host, and the `Receiver` of what its links bring."""

    __slots__ = (
        "_build_host",
        "_clockwork",
        "_gone",
        "_neighbours",
        "_others",
        "_queue",
        "_rules",
        "_sender",
        "_sink",
        "_transport",
        "_worked_ns",
        "_worker",
        "core",
        "host",
        "incarnation",
        "is_up",
        "label",
        "place",
        "spec",
    )

    def __init__(
        self,
        clockwork: Clockwork,
        label: str,
        place: int,
        *,
        neighbours: Mapping[str, int],
        spec: NodeSpec | None,
        worker: ChargingWorker | None,
        build_host: Callable[["VirtualParty"], Host],
        sink: Sink,
        is_up: bool,
    ) -> None:
        """Put the party together; `start` sets it going.

        Args:
            clockwork: What it moves by.
            label: What it is called.
            place: Its place among all parties, in the order they are built.
            neighbours: Places of its neighbours by label.
            spec: Which node it is; None for the employer.
            worker: Does its slow work; None where it has none.
            build_host: Builds a host with a fresh core; called again when the party comes back.
            sink: Takes what happens to its links.
            is_up: Whether it is there from the beginning.
        """
        self.label = label
        self.place = place
        self.spec = spec
        self.is_up = is_up
        self.incarnation = 0
        """Raised when the party goes down, so that timers and results of before are dropped."""
        self._clockwork = clockwork
        self._queue = clockwork.queue
        self._transport = clockwork.transport
        self._rules = clockwork.rules
        self._sender = clockwork.transport.register(label, self)
        self._neighbours = neighbours
        self._gone: frozenset[str] = frozenset()
        """Neighbours to whom nothing goes any more."""
        self._others: dict[str | None, tuple[int, ...]] = {}
        """Places of all neighbours that are left but one."""
        self._worker = worker
        self._worked_ns = 0
        """Simulated nanoseconds of the slow work it has done."""
        self._sink = sink
        self._build_host = build_host
        self.host = build_host(self)
        self.core = self.host.core

    # ---- the receiver of what links bring ----

    def has_seen(self, frame_hash: Hash32) -> bool:
        """Return whether the party has judged a frame before."""
        return self.core.has_seen(frame_hash)

    def has_turned_away(self, frame_hash: Hash32) -> bool:
        """Return whether the party has just had no room for a frame."""
        return self.core.has_turned_away(frame_hash)

    def record_declined(self, count: int) -> None:
        """Count frames that a neighbour, or the party itself, did not take."""
        self.host.recorder.record_declined(count)

    def receive(self, source: str, frame: bytes) -> None:
        """Take a frame that has arrived."""
        self._clockwork.acting, self._rules.asker = self.label, self.place  # as `_act`, without the call
        self.host.receive(source, frame, self._queue.now)

    def receive_fragment(self, source: str, fragment: SendFragment) -> None:
        """Do what a party does whose link is a pipe: give the link up, or find later that it has stalled."""
        announced, received = fragment.announced, HEADER.size + len(fragment.carried)
        if announced > MAX_TRANSPORT_BYTES:
            self._give_up({source})
            self._sink(LinkClosed(peer=source, announced=announced))
        elif fragment.is_closing:
            self._give_up({source})
            self._sink(Unlinked(source, unfinished=received))
        else:
            stalled = Stalled(peer=source, received=received, announced=announced)
            self._queue.schedule(self._queue.now + STALL_NS, partial(self._note_stall, stalled, self.incarnation))

    def _give_up(self, peers: Iterable[str]) -> None:
        """Send neighbours nothing more."""
        self._gone = self._gone.union(peers)
        self._others.clear()

    def _note_stall(self, stalled: Stalled, incarnation: int) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._sink(stalled)

    # ---- the driver of the host ----

    def send(self, peer: str, frame: bytes) -> int:
        """Hand bytes to one link; return over how many they go."""
        place = self._neighbours[peer]
        return self._send((place,), frame) if peer not in self._gone else 0

    def broadcast(self, frame: bytes, but: str | None = None) -> int:
        """Hand bytes to the links of all neighbours but one; return over how many they go."""
        targets = self._others.get(but)
        if targets is None:
            targets = tuple(place for peer, place in self._neighbours.items() if peer != but and peer not in self._gone)
            self._others[but] = targets
        return self._send(targets, frame)

    def _send(self, targets: Sequence[int], frame: bytes) -> int:
        declined = self._transport.send(self._sender, targets, frame)
        if declined:
            self.record_declined(declined)
        return len(targets)

    def break_off(self, fragment: SendFragment) -> int:
        """Hand a part of a frame to the links of all neighbours as the last that goes over them; return to how many."""
        targets = tuple(place for peer, place in self._neighbours.items() if peer not in self._gone)
        self._give_up(self._neighbours)
        self._transport.send_fragment(self._sender, targets, fragment)
        return len(targets)

    def set_timer(self, timer: Timer, at: int) -> None:
        """Ring at a time."""
        queue = self._queue
        queue.schedule(max(at, queue.now), partial(self._ring, timer, self.incarnation))

    def start_work(self, task: Hashable) -> None:
        """Do slow work at once, and let the party know when its simulated time is over.

        Raises:
            LookupError: The party does no work.
        """
        worker = self._worker
        if worker is None:
            raise LookupError(f"{self.label} does not train")
        result = worker.perform(task)
        charged = worker.charge(task)
        done = partial(self._finish_work, self.incarnation, task, result, charged)
        self._queue.schedule(self._queue.now + charged, done)

    # ---- its life ----

    def start(self) -> None:
        """Let the party's clock run."""
        self._act()
        self.host.start(self._queue.now)

    def go_down(self) -> None:
        """Hear and do nothing from now on."""
        self.is_up = False
        self.incarnation += 1
        self.host.recorder.flush()

    def come_back(self, *, is_disk_kept: bool) -> None:
        """Be there again with a fresh core, which knows what was stored if the disk was kept; `start` follows."""
        before = self.host
        self.host = self._build_host(self)
        self.host.reorg_max = before.reorg_max
        self.host.signed_before = before.count_signed()
        self.core = self.host.core
        self._transport.forget(self.place)
        self.is_up = True
        if is_disk_kept and isinstance(before.core, Node) and isinstance(self.core, Node):
            self.core.restore(before.core)

    def finish(self) -> tuple[bytes, ...]:
        """Record what the party has spent and where it ended; return the bytes of its chain, lowest block first."""
        return self.host.finish(self._worked_ns / NANOSECONDS, self._rules.checked[self.place], is_up=self.is_up)

    def _act(self) -> None:
        """Say that what happens now is this party's doing."""
        self._clockwork.acting = self.label
        self._rules.asker = self.place

    def _ring(self, timer: Timer, incarnation: int) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._act()
            self.host.ring(timer, self._queue.now)

    def _finish_work(self, incarnation: int, task: Hashable, done: WorkDone, charged: int) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._worked_ns += charged
            self._act()
            self.host.finish_work(task, done, self._queue.now)

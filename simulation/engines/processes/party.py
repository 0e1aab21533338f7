"""The life of one party in its own process: one thread that decides, woken by links, timers, training and control."""

import errno
import heapq
import itertools
import os
import selectors
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection

from protocol.events import Timer
from simulation.attacks import SendFragment
from simulation.engines import HEADER, STALL_NS, Holdings, PromptWorker, Worker
from simulation.engines.parties import Host
from simulation.engines.processes.control import FinalReport, Go, Held, PartyFailed, Ready, Records, Setup, Stop
from simulation.engines.processes.links import Links
from simulation.engines.processes.worker_process import WorkerProcess
from simulation.engines.processes.worker_thread import WorkerThread
from simulation.foundation import NANOSECONDS, OF_THE_TERMINAL, blame_plugin
from simulation.records import Fact, PartyStarted, Record


class Orphaned(Exception):
    """The process that started this one has gone."""


class Party:
    """Loop, clock, links and records of one process; the `Driver` of its host."""

    def __init__(self, setup: Setup, control: Connection, connections: Mapping[str, Connection]) -> None:
        """Take over the pipes."""
        self.setup = setup
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._links = Links(connections, self._selector, receive=self._receive, record=self.record)
        self._selector.register(control, selectors.EVENT_READ, self._on_control)
        self._timers: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._records: list[Record] = []
        self._genesis_at: int | None = None
        self._cpu_before = 0.0
        """Processor time at the genesis, in seconds."""
        self._is_stopped = False
        self._is_mute = False
        """Whether it has broken off: nothing more goes over its links."""
        self._host: Host | None = None
        """None for users, who decide nothing."""
        self._workers: dict[type[Hashable], WorkerThread | WorkerProcess] = {}
        self._processes: dict[type[Hashable], WorkerProcess] = {}
        self._ended_cpu_s = 0.0
        """Of processes of its own that have ended."""

    def attach(
        self,
        host: Host,
        workers: Mapping[type[Hashable], Worker],
        prompt_workers: Mapping[type[Hashable], PromptWorker],
    ) -> None:
        """Take what decides and what works.

        Args:
            host: Takes frames, timers and results.
            workers: Do slow work, by the kind of task, each in a thread of its own.
            prompt_workers: The same, each in a process of its own.
        """
        self._host = host
        self._processes = {kind: WorkerProcess(worker) for kind, worker in prompt_workers.items()}  # before any thread
        self._workers = {**self._processes, **{kind: WorkerThread(worker) for kind, worker in workers.items()}}
        for worker in self._workers.values():
            self._selector.register(worker.wake_up, selectors.EVENT_READ, partial(self._finish_work, host, worker))

    # ---- the driver of the host ----

    def send(self, peer: str, frame: bytes) -> int:
        """Hand bytes to one link; return over how many they go."""
        return self._send((peer,), frame)

    def broadcast(self, frame: bytes, but: str | None = None) -> int:
        """Hand bytes to the links of all neighbours that messages are for, but one; return over how many they go."""
        return self._send([peer for peer in self.setup.broadcast_to if peer != but], frame)

    def _send(self, targets: Sequence[str], frame: bytes) -> int:
        """Hand bytes to links as the network model has it; return to how many peers they were sent."""
        if self._is_mute:
            return 0
        network = self.setup.network
        if network is None:
            return self._links.send(targets, frame)
        now = self.now()
        for peer in targets:
            for at in network.plan(self.setup.label, peer, len(frame), now):
                send = self._links.hold(peer, frame)
                if send is not None:
                    self.call_at(at, send)
        return len(targets)

    def break_off(self, fragment: SendFragment) -> int:
        """Hand a part of a frame to the links of all neighbours as the last that goes over them; return to how many."""
        if self._is_mute:
            return 0
        self._is_mute = True
        last, targets = HEADER.pack(fragment.announced) + fragment.carried, self.setup.broadcast_to
        ends = [partial(self._links.end, peer, last, is_closing=fragment.is_closing) for peer in targets]
        network, now = self.setup.network, self.now()
        if network is None:
            return sum(end() for end in ends)
        for peer, end in zip(targets, ends, strict=True):
            for at in network.plan(self.setup.label, peer, len(last), now):
                self.call_at(at, end)
        return len(targets)

    def set_timer(self, timer: Timer, at: int) -> None:
        """Ring at a time."""
        host = self._host
        if host is not None:
            self.call_at(at, lambda: host.ring(timer, self.now()))

    def start_work(self, task: Hashable) -> None:
        """Let slow work be done in its thread or process.

        Raises:
            KeyError: The party has no worker for it.
        """
        self._workers[type(task)].submit(task)

    def _finish_work(self, host: Host, worker: WorkerThread | WorkerProcess, _events: int) -> None:
        task, done = worker.take()
        host.finish_work(task, done, self.now())

    # ---- clock and records ----

    def now(self) -> int:
        """Return nanoseconds since the genesis."""
        return time.monotonic_ns() - self._genesis_at if self._genesis_at is not None else 0

    def get_cpu_s(self) -> float:
        """Return the processor time since the genesis, in seconds: of all threads, and of its processes once ended."""
        return time.process_time() - self._cpu_before + self._ended_cpu_s if self._genesis_at is not None else 0.0

    def call_at(self, at: int, action: Callable[[], object]) -> None:
        """Call something at a time since the genesis."""
        heapq.heappush(self._timers, (at, next(self._order), action))

    def record(self, fact: Fact, who: str | None = None) -> None:
        """Record a fact about the party, or about one it acts for; it goes out at the end of the turn."""
        elapsed = (time.monotonic_ns() - self.setup.run_start) / NANOSECONDS
        self._records.append(Record(elapsed, fact.level, who or self.setup.label, fact))

    # ---- the loop ----

    def run(self, on_go: Callable[[], None], report: Callable[[], FinalReport]) -> None:
        """Say that the party is ready, wait for the clock, live until told to stop, and report."""
        self.record(PartyStarted(os.getpid()))
        self._flush()
        self._tell(Ready(tuple(worker.pid for worker in self._processes.values())))
        while self._genesis_at is None and not self._is_stopped:
            self._wait(None)
        if not self._is_stopped:
            self._links.open()
            self._watch_for_stalls()
            on_go()
        while not self._is_stopped:
            timeout_s = self._ring_due()
            self._flush()
            self._wait(timeout_s)
        self._links.record_dropped()
        self._end_processes()
        final = report()
        self._flush()
        self._tell(final)

    def _end_processes(self) -> None:
        for worker in self._processes.values():
            self._selector.unregister(worker.wake_up)
            self._ended_cpu_s += worker.end()

    def _watch_for_stalls(self) -> None:
        self._links.note_stalls()
        self.call_at(self.now() + STALL_NS, self._watch_for_stalls)

    def _wait(self, timeout_s: float | None) -> None:
        """Wait until something has happened, unless a frame is there; take at most one frame of each neighbour."""
        for key, events in self._selector.select(0 if self._links.is_due else timeout_s):
            key.data(events)
        self._links.deliver()

    def _ring_due(self) -> float | None:
        """Call what is due; return the seconds until something else is."""
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()
        return max(0.0, (self._timers[0][0] - self.now()) / NANOSECONDS) if self._timers else None

    def _flush(self) -> None:
        if self._records:
            self._tell(Records(self._records))
            self._records = []

    def tell_holdings(self, holdings: Holdings) -> None:
        """Tell the starter what accounts have."""
        self._tell(Held(holdings))

    def _tell(self, message: Ready | Records | Held | FinalReport) -> None:
        """Tell the starter something. This may wait: without the starter nothing that a party does is written down."""
        try:
            self._control.send(message)
        except OSError:
            raise Orphaned from None

    def _on_control(self, _events: int) -> None:
        try:
            message = self._control.recv()
        except (EOFError, OSError):
            raise Orphaned from None
        if isinstance(message, Go):
            self._genesis_at = message.genesis_at
            self._cpu_before = time.process_time()
        elif isinstance(message, Stop):
            self._is_stopped = True

    def _receive(self, peer: str, frame: bytes) -> None:
        if self._host is not None:
            self._host.receive(peer, frame, self.now())


def run_party(
    setup: Setup, control: Connection, connections: Mapping[str, Connection], live: Callable[[Party], None]
) -> None:
    """Run a party as the target of its process: whatever happens, its last word is one message."""
    for signum in OF_THE_TERMINAL:  # the starter decides when parties end
        signal.signal(signum, signal.SIG_IGN)
    party = Party(setup, control, connections)
    try:
        live(party)
    except Orphaned:
        shutil.rmtree(setup.scratch, ignore_errors=True)  # all who are left do the same
    except (Exception, SystemExit) as error:  # noqa: BLE001 - across a process boundary, failure is data
        is_disk_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)  # nobody's code
        trace = None if is_disk_full else "".join(traceback.format_exception(error))
        with suppress(OSError):  # the starter may have gone
            control.send(PartyFailed(type(error).__name__, str(error), trace, blame_plugin(error)))

"""The process engine: each party is an operating-system process, each link one `multiprocessing.Pipe`.

The start method is `forkserver`: one clean process imports Keras once and each party is forked from it, so that all
share one copy of TensorFlow's code. Nothing of TensorFlow has *run* in the server, so no thread of it is forked.
"""

import selectors
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from protocol.job import compute_chain_id
from simulation.engines.network_model import NetworkModel
from simulation.engines.parties.recorder import SHORT
from simulation.engines.processes.control import (
    EmployerRole,
    FinalReport,
    Go,
    NodeRole,
    PartyFailed,
    Ready,
    Records,
    Role,
    Setup,
    Stop,
    UsersRole,
)
from simulation.engines.processes.descriptors import compute_needed
from simulation.engines.processes.entry import be_party
from simulation.engines.processes.server import CONTEXT
from simulation.engines.result import EngineResult
from simulation.foundation.cost_meter import Meter
from simulation.foundation.interruption import Interruption
from simulation.foundation.units import NANOSECONDS, to_micro
from simulation.records.record import INFO, WARNING, Record, Value
from simulation.records.tally import Tally
from simulation.scenario.world.building import EMPLOYER, USERS, World

TICK_S: Final = 0.1
"""Seconds between two looks at the clock while nothing happens."""

STOP_TIMEOUT_S: Final = 30.0
"""Seconds a party has for its last word before it is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """Where the parties of a run find and leave things."""

    dataset_folder: Path
    dataset_name: str
    weights_folder: Path
    journal_folder: Path | None
    model_path: Path


@dataclass(slots=True)
class _Seat:
    """A party as its starter sees it."""

    label: str
    process: ForkServerProcess
    control: Connection
    is_ready: bool = False
    is_over: bool = False


def count_descriptors(world: World) -> int:
    """Return the file descriptors that starting a world's parties may take at once."""
    network = world.network
    links = len(network.edges) + len(network.employer_links) + len(network.user_links)
    return compute_needed(links, len(world.nodes) + 2)


class ProcessEngine:
    """Starts the parties of a world, collects their records, and ends them."""

    def __init__(
        self,
        world: World,
        files: RunFiles,
        meter: Meter,
        interruption: Interruption,
        *,
        run_start: int,
        tally: Tally,
        sink: Callable[[Record], None],
        on_tick: Callable[[str], None],
    ) -> None:
        """Prepare a run.

        Args:
            world: Who takes part.
            files: Where things are.
            meter: Measures what the run costs.
            interruption: Tells when the user wants it to end.
            run_start: Monotonic nanoseconds at which records count from zero.
            tally: What the records so far add up to; whoever takes the records keeps it.
            sink: Takes each record as it comes in.
            on_tick: Called about ten times a second with the engine's phase in words.
        """
        self._world = world
        self._files = files
        self._meter = meter
        self._interruption = interruption
        self._run_start = run_start
        self._sink = sink
        self._on_tick = on_tick
        self._tally = tally
        self._labels = world.get_labels()
        self._network = NetworkModel(world)
        self._seats: dict[str, _Seat] = {}
        self._selector = selectors.DefaultSelector()
        self._chains: dict[str, tuple[bytes, ...]] = {}
        self._delivered_at: float | None = None

    def run(self) -> EngineResult:
        """Run until the job is done, the time is over or the user has had enough."""
        deadline = time.monotonic() + self._world.scenario.run.time_limit_s
        try:
            self._start_all()
            reason = self._wait_until_ready(deadline) or self._live(deadline)
        finally:
            self._stop_all()
        return EngineResult(reason, self._chains)

    # ---- starting ----

    def _start_all(self) -> None:
        """Open the pipes and start the parties; each end is closed here once its party has it."""
        ends: dict[str, dict[str, Connection]] = {label: {} for label in self._get_party_labels()}
        network = self._world.network
        pairs = [*network.edges]
        pairs += [(EMPLOYER, node) for node in network.employer_links]
        pairs += [(USERS, node) for node in network.user_links]
        for first, second in pairs:
            ends[first][second], ends[second][first] = CONTEXT.Pipe()
        for label, connections in ends.items():
            self._start(label, connections)

    def _get_party_labels(self) -> list[str]:
        users = [USERS] if self._world.users else []
        return [*(node.label for node in self._world.nodes), EMPLOYER, *users]

    def _start(self, label: str, connections: Mapping[str, Connection]) -> None:
        ours, theirs = CONTEXT.Pipe()
        setup = self._build_setup(label, tuple(peer for peer in connections if peer != USERS))
        process = CONTEXT.Process(
            target=be_party, args=(setup, self._build_role(label), theirs, connections), name=label
        )
        process.start()
        theirs.close()
        for connection in connections.values():
            connection.close()
        seat = _Seat(label, process, ours)
        self._seats[label] = seat
        self._selector.register(ours, selectors.EVENT_READ, seat)
        self._selector.register(process.sentinel, selectors.EVENT_READ, seat)

    def _build_setup(self, label: str, broadcast_to: tuple[str, ...]) -> Setup:
        return Setup(
            label=label,
            genesis=self._world.genesis,
            labels=self._labels,
            run_start=self._run_start,
            is_relaying=self._world.network.is_relaying,
            broadcast_to=broadcast_to,
            network=None if self._network.is_trivial else self._network,
            dataset_folder=self._files.dataset_folder,
            dataset_name=self._files.dataset_name,
            weights_folder=self._files.weights_folder,
            journal_folder=self._files.journal_folder,
        )

    def _build_role(self, label: str) -> Role:
        world = self._world
        scenario = world.scenario
        if label == EMPLOYER:
            return EmployerRole(
                key_seed=world.employer_seed,
                trigger_class=world.get_trigger_class(),
                model_path=self._files.model_path,
            )
        if label == USERS:
            return UsersRole(
                users=world.users,
                transactions=scenario.users.transactions,
                per_second=scenario.users.per_second,
                fee=to_micro(scenario.users.fee),
                seed=scenario.seed,
            )
        return NodeRole(spec=next(node for node in world.nodes if node.label == label), xla=scenario.job.xla)

    # ---- living ----

    def _wait_until_ready(self, deadline: float) -> str | None:
        """Return None once every living party is ready and the clock has started, or why that will not be."""
        while True:
            waiting = [seat for seat in self._seats.values() if not seat.is_ready and not seat.is_over]
            if not waiting:
                break
            reason = self._find_end(deadline)
            if reason is not None:
                return reason
            self._turn(f"starting: {len(self._seats) - len(waiting)} of {len(self._seats)} processes are ready")
        self._record(INFO, "genesis", {"chain": f"0x{compute_chain_id(self._world.genesis).hex()[:SHORT]}"})
        self._tell_all(Go(time.monotonic_ns()))
        return None

    def _live(self, deadline: float) -> str:
        while True:
            reason = self._find_end(deadline)
            if reason is not None:
                return reason
            self._turn("running")

    def _find_end(self, deadline: float) -> str | None:
        if self._interruption.signum is not None:
            return "interrupted"
        if all(seat.is_over for label, seat in self._seats.items() if label not in (EMPLOYER, USERS)):
            return "no-nodes"
        now = time.monotonic()
        if now >= deadline:
            return "time-limit"
        stages = self._world.genesis.job.stages
        agreement, best = self._tally.compute_agreement()
        is_agreed = agreement == 1 and best.height >= stages
        if self._tally.employer.height < stages:
            return "no-employer" if is_agreed and self._seats[EMPLOYER].is_over else None
        if is_agreed:
            return "complete"
        self._delivered_at = self._delivered_at or now
        return "delivered" if now >= self._delivered_at + self._world.scenario.run.linger_s else None

    def _turn(self, phase: str) -> None:
        for key, _ in self._selector.select(TICK_S):
            seat: _Seat = key.data
            if seat.is_over:
                continue
            if key.fileobj is seat.control:
                self._read(seat)
            else:
                self._bury(seat)
        self._meter.sample(seat.process.pid for seat in self._seats.values() if seat.process.pid and not seat.is_over)
        self._on_tick(phase)

    def _read(self, seat: _Seat) -> bool:
        """Take one message of a party; return whether there was one."""
        try:
            message = seat.control.recv()
        except (EOFError, OSError):
            with suppress(KeyError):
                self._selector.unregister(seat.control)
            return False
        match message:
            case Records(records):
                for record in records:
                    self._take(record)
            case Ready():
                seat.is_ready = True
            case FinalReport(blocks=blocks):
                self._chains[seat.label] = blocks
                self._close(seat)
            case PartyFailed(kind, text, trace):
                self._crash(seat, {"why": f"{kind}: {text}", "trace": trace})
        return True

    def _bury(self, seat: _Seat) -> None:
        """A process has ended: read what it still said, and note it if its last word is missing."""
        while not seat.is_over and seat.control.poll() and self._read(seat):
            pass
        if not seat.is_over:
            seat.process.join()
            code = seat.process.exitcode or 0
            self._crash(seat, {"why": f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"})

    def _crash(self, seat: _Seat, fields: dict[str, Value]) -> None:
        self._record(WARNING, "crashed", fields, who=seat.label)
        self._close(seat)

    def _close(self, seat: _Seat) -> None:
        seat.is_over = True
        for source in (seat.control, seat.process.sentinel):
            with suppress(KeyError, ValueError):
                self._selector.unregister(source)

    # ---- ending ----

    def _stop_all(self) -> None:
        """Ask every party for its last word; end those that do not give it, and leave no process behind."""
        self._tell_all(Stop())
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(not seat.is_over for seat in self._seats.values()) and time.monotonic() < deadline:
            self._turn("stopping")
        for seat in self._seats.values():
            if not seat.is_over:
                seat.process.kill()
                self._crash(seat, {"why": f"gave no last word within {STOP_TIMEOUT_S:.0f} s and was killed"})
        for seat in self._seats.values():
            seat.process.join()
            seat.control.close()

    def _tell_all(self, message: Go | Stop) -> None:
        for seat in self._seats.values():
            if not seat.is_over:
                with suppress(OSError):
                    seat.control.send(message)

    # ---- records ----

    def _record(self, level: str, event: str, fields: dict[str, Value], who: str = "run") -> None:
        elapsed = (time.monotonic_ns() - self._run_start) / NANOSECONDS
        self._take(Record(elapsed, level, who, event, fields))

    def _take(self, record: Record) -> None:
        self._sink(record)

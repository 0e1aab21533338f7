"""The virtual engine: the same parties in one process and in simulated time, with a network that may fail.

Training is real and charged to simulated time by a cost model; equal training is done once. One scenario and one seed
give one trace, byte for byte.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from protocol.codec import encode_frame
from protocol.events import BlockAppended, Timer
from protocol.light_client import LightClient
from protocol.node import PoTNode
from protocol.participant import Participant
from protocol.training import TrainingResult
from simulation.attacks.behaviours import Honest, build_behaviour
from simulation.datasets import ImageSet
from simulation.employer import EmployerDesk
from simulation.engines.queue import EventQueue
from simulation.engines.result import EngineResult
from simulation.engines.shared_rules import SharedRules
from simulation.engines.trainers import TrainerPool
from simulation.host import Host
from simulation.interruption import Interruption
from simulation.journal import JournalWriter
from simulation.model_store import WeightStore
from simulation.network import NetworkModel
from simulation.notes import CountedNotes, Counts, Notes
from simulation.population import EMPLOYER, USERS, NodeSpec, World, make_keys, to_micro
from simulation.randomness import derive_generator
from simulation.records import INFO, WARNING, Record, Value
from simulation.scenario import Outage
from simulation.training import describe_training
from simulation.users import PlannedTransfer, plan_transfers

NANOSECONDS: Final = 1_000_000_000
MAX_UNDER_WAY: Final = 256
"""Frames whose arrivals are remembered, so that nobody is sent the same one twice."""

TICK_ACTIONS: Final = 2_000
"""Actions between two looks at the user's screen and wishes."""


class PartyError(Exception):
    """A party's own code failed; the text says who, at which event, and how to see it again."""


class _Seat:
    """A party of the virtual engine; the `Driver` of its host."""

    def __init__(self, engine: "VirtualEngine", label: str, peers: tuple[str, ...], spec: NodeSpec | None) -> None:
        self.label = label
        self.peers = peers
        self.spec = spec
        self.is_up = True
        self.incarnation = 0
        """Raised when the party goes down, so that timers and results of before are dropped."""
        self.host: Host
        self.has_seen: Callable[[bytes], bool]
        """Whether the core has judged a frame before, by the frame's hash."""
        self._engine = engine

    def send(self, peers: Iterable[str], frame: bytes) -> int:
        return self._engine.send(self, peers, frame)

    def get_peers(self) -> tuple[str, ...]:
        return self.peers

    def set_timer(self, timer: Timer, at: int) -> None:
        queue = self._engine.queue
        queue.schedule(max(at, queue.now), partial(self._ring, timer, self.incarnation))

    def start_training(self, stage: int) -> None:
        self._engine.train(self, stage)

    def _ring(self, timer: Timer, incarnation: int) -> None:
        if self.is_up and incarnation == self.incarnation:
            with self._engine.watch(self):
                self.host.ring(timer, self._engine.queue.now)


class VirtualEngine:
    """Runs a world in simulated time."""

    def __init__(
        self,
        world: World,
        images: ImageSet,
        store: WeightStore,
        model_path: Path,
        interruption: Interruption,
        *,
        journal_folder: Path | None = None,
        sink: Callable[[Record], None],
        on_tick: Callable[[str], None],
    ) -> None:
        """Prepare a run.

        Args:
            world: Who takes part.
            images: The data set.
            store: Where weights lie.
            model_path: Where the employer leaves its model.
            interruption: Tells when the user wants it to end.
            journal_folder: Where parties' journals go; None for none.
            sink: Takes each record.
            on_tick: Called now and then with the simulated time in words.
        """
        self.queue: Final = EventQueue()
        self._world = world
        self._store = store
        self._model_path = model_path
        self._interruption = interruption
        self._journal_folder = journal_folder
        self._journals: dict[str, JournalWriter] = {}
        self._sink = sink
        self._on_tick = on_tick
        self._scenario = world.scenario
        self._network = NetworkModel(world)
        self._rules = SharedRules(world.genesis)
        self._labels = world.get_labels()
        self._trainers = TrainerPool(world, images)
        self._desk: EmployerDesk | None = None
        evaluator = self._trainers.build_evaluator()
        if evaluator is not None:
            self._desk = EmployerDesk(evaluator, store, partial(self.record, EMPLOYER))
        self._counts = Counts() if world.scenario.output.records == "essential" else None
        self._seats: dict[str, _Seat] = {}
        self._described: dict[tuple[bytes, int, bool], dict[str, Value]] = {}
        """What records say about a training, by its result and what it took."""
        self._under_way: dict[bytes, dict[str, int]] = {}
        self._heads: Counter[bytes] = Counter()
        """Living honest nodes by head, of those that have the whole job."""
        self._finished: dict[str, bytes] = {}
        self._alive = 0
        """Honest nodes that are up."""
        self._returning = 0
        """Nodes that are still to come, or to come back."""
        self._end: str | None = None
        self._honest = world.get_honest()

    def run(self) -> EngineResult:
        """Run until the job is done, the simulated time is over or the user has had enough.

        Raises:
            PartyError: A party's own code failed.
        """
        gc.disable()  # a tenth of a large run: millions of live objects are searched for cycles that are not there
        try:
            return self._run()
        finally:
            gc.enable()
            for journal in self._journals.values():
                journal.close()

    def _run(self) -> EngineResult:
        self._seat_everybody()
        limit = round(self._scenario.run.time_limit_s * NANOSECONDS)
        self.queue.schedule(limit, partial(self._stop, "time-limit"))
        while self._end is None:
            if self.queue.count % TICK_ACTIONS == 0:
                self._on_tick(f"simulated {self.queue.now / NANOSECONDS:.3f} s, {self.queue.count:,} events")
                if self._interruption.signum is not None:
                    self._end = "interrupted"
                    break
            self.queue.run_one()
        chains = {label: seat.host.finish() for label, seat in self._seats.items() if seat.is_up}
        if self._counts is not None:
            self._counts.write(partial(self.record, "run"))
        self._end_with_model()
        self.queue.close()
        return EngineResult(self._end, chains, events=self.queue.count)

    # ---- setting up ----

    def _seat_everybody(self) -> None:
        network = self._world.network
        peers: dict[str, list[str]] = {node.label: [] for node in self._world.nodes}
        for first, second in network.edges:
            peers[first].append(second)
            peers[second].append(first)
        for node in network.employer_links:
            peers[node].append(EMPLOYER)
        for spec in self._world.nodes:
            self._seats[spec.label] = _Seat(self, spec.label, tuple(peers[spec.label]), spec)
        self._seats[EMPLOYER] = _Seat(self, EMPLOYER, network.employer_links, None)
        downs = {outage.node for outage in self._scenario.network.outages if outage.down_s == 0}
        for label, seat in self._seats.items():
            self._furnish(seat)
            seat.is_up = label not in downs
        self.record("run", INFO, "genesis", {"chain": f"0x{self._rules.chain_id.hex()[:12]}"})
        for seat in self._seats.values():
            if seat.is_up:
                self.queue.schedule(0, partial(self._start, seat))
            else:
                self.record(seat.label, WARNING, "down", {})
        self._alive = sum(self._seats[label].is_up for label in self._honest)
        for outage in self._scenario.network.outages:
            self._schedule_outage(outage)
        self._schedule_users()

    def _furnish(self, seat: _Seat) -> None:
        """Give a seat a fresh host."""
        seat.host = self._build_host(seat)
        seat.has_seen = seat.host.core.has_seen

    def _build_host(self, seat: _Seat) -> Host:
        core: Participant
        if seat.spec is None:
            core = LightClient(self._rules, make_keys(self._world.employer_seed))
            behaviour = build_behaviour("honest", derive_generator(self._scenario.seed, EMPLOYER))
        else:
            core = PoTNode(self._rules, make_keys(seat.spec.key_seed))
            core.is_relaying = self._world.network.is_relaying
            generator = derive_generator(seat.spec.behaviour_seed, "behaviour")
            behaviour = Honest() if seat.spec.role == "honest" else build_behaviour(seat.spec.role, generator)
        record = partial(self.record, seat.label)
        host = Host(core, behaviour, seat, record, self._build_notes(seat), journal=self._open_journal(seat))
        host.on_block = partial(self._on_block, seat)
        return host

    def _open_journal(self, seat: _Seat) -> JournalWriter | None:
        if self._journal_folder is None:
            return None
        found = self._journals.get(seat.label)
        if found is None:
            found = self._journals[seat.label] = JournalWriter(self._journal_folder, seat.label)
        return found

    def _build_notes(self, seat: _Seat) -> Notes:
        record = partial(self.record, seat.label)
        if self._counts is None:
            return Notes(record, self._labels)
        return CountedNotes(record, self._labels, self._counts, seat.spec.role if seat.spec else EMPLOYER)

    def _start(self, seat: _Seat) -> None:
        if self._counts is None:
            self.record(seat.label, INFO, "started", {"pid": None})
        with self.watch(seat):
            seat.host.start(self.queue.now)

    def _schedule_outage(self, outage: Outage) -> None:
        seat = self._seats[outage.node]
        if outage.down_s > 0:
            self.queue.schedule(round(outage.down_s * NANOSECONDS), partial(self._take_down, seat))
        if outage.up_s is not None:
            self._returning += 1
            self.queue.schedule(round(outage.up_s * NANOSECONDS), partial(self._bring_up, seat, outage.disk))

    def _take_down(self, seat: _Seat) -> None:
        seat.is_up = False
        self._alive -= seat.label in self._honest
        seat.incarnation += 1
        seat.host.notes.flush()
        self.record(seat.label, WARNING, "down", {})
        self._forget_finish(seat)

    def _bring_up(self, seat: _Seat, disk: str) -> None:
        self._returning -= 1
        before = seat.host.core
        self._furnish(seat)
        seat.is_up = True
        self._alive += seat.label in self._honest
        self.record(seat.label, WARNING, "up", {"disk": disk})
        if seat.label in self._journals:
            self._journals[seat.label].write_restart(is_disk_kept=disk == "kept")
        if disk == "kept" and isinstance(before, PoTNode) and isinstance(seat.host.core, PoTNode):
            seat.host.core.restore(before)
        self._start(seat)

    def _schedule_users(self) -> None:
        users = self._scenario.users
        transfers = plan_transfers(
            self._world.users,
            self._rules.chain_id,
            count=users.transactions if self._world.users else 0,
            per_second=users.per_second,
            fee=to_micro(users.fee),
            seed=self._scenario.seed,
        )

        def schedule() -> None:
            transfer = next(transfers, None)
            if transfer is not None:
                self.queue.schedule(transfer.at, partial(issue, transfer))

        def issue(transfer: PlannedTransfer) -> None:
            frame = encode_frame(self._rules.chain_id, transfer.transaction)
            copies = self._carry(USERS, self._world.network.user_links, frame)
            fields: dict[str, Value] = {"kind": "transaction", "nonce": transfer.transaction.nonce, "to": "all"}
            self.record(transfer.user, INFO, "sent", {**fields, "copies": copies, "bytes": copies * len(frame)})
            schedule()

        schedule()

    # ---- what parties ask for ----

    def send(self, seat: _Seat, peers: Iterable[str], frame: bytes) -> int:
        """Put a frame on links; return on how many."""
        return self._carry(seat.label, peers, frame)

    def _carry(self, source: str, peers: Iterable[str], frame: bytes) -> int:
        """Offer a frame to neighbours and schedule its arrivals; return to how many it was offered.

        Who has judged it before, or has it under way to arrive no later, does not take it again.
        """
        now, size = self.queue.now, len(frame)
        soonest = now + self._network.least_ns
        frame_hash = self._rules.hash_frame(frame)
        under_way = self._get_under_way(frame_hash)
        offers = declined = 0
        seats, get_expected = self._seats, under_way.get
        for target in peers:
            offers += 1
            seat = seats[target]
            expected = get_expected(target)
            if expected is not None and expected < now:
                expected = None  # it has arrived; whether it may come again is for the receiver to know
            if (expected is not None and expected <= soonest) or seat.has_seen(frame_hash):
                declined += 1
                continue
            for at in self._network.plan(source, target, size, now):
                if expected is not None and expected <= at:
                    declined += 1
                    continue
                under_way[target] = expected = at
                self.queue.schedule(at, partial(self._deliver, source, seat, frame, frame_hash))
        if declined and source in self._seats:
            self._seats[source].host.notes.note_declined(declined)
        return offers

    def _get_under_way(self, frame_hash: bytes) -> dict[str, int]:
        """Return when a frame arrives where; forgotten once many younger frames are under way."""
        found = self._under_way.get(frame_hash)
        if found is None:
            found = self._under_way[frame_hash] = {}
            if len(self._under_way) > MAX_UNDER_WAY:
                del self._under_way[next(iter(self._under_way))]
        return found

    def _deliver(self, source: str, seat: _Seat, frame: bytes, frame_hash: bytes) -> None:
        host = seat.host
        if not seat.is_up:
            return
        if seat.has_seen(frame_hash):
            host.notes.note_declined(1)
            return
        try:
            host.receive(source, frame, self.queue.now)
        except Exception as error:  # as in `watch`, which would cost too much for every frame
            raise PartyError(self._explain(seat.label, error)) from error

    @contextmanager
    def watch(self, seat: _Seat) -> Iterator[None]:
        """Turn an exception of a party's own code into one that says who, when and how to see it again.

        Raises:
            PartyError: There was one.
        """
        try:
            yield
        except PartyError:
            raise
        except Exception as error:
            raise PartyError(self._explain(seat.label, error)) from error

    def train(self, seat: _Seat, stage: int) -> None:
        """Train a stage, and let it take its simulated time."""
        if seat.spec is None:
            raise PartyError(f"{seat.label} does not train")
        seat.host.notes.note_training(stage)
        outcome, cost_ns = self._trainers.train(seat.spec, stage)
        key = (outcome.result.weights_digest, cost_ns, seat.spec.poison is None)
        fields = self._described.get(key)
        if fields is None:
            fields = self._described[key] = describe_training(outcome, seat.spec, cost_ns / NANOSECONDS)
            if outcome.weights:
                self._store.put(outcome.result.weights_digest, outcome.weights)
        done = partial(self._finish_training, seat, seat.incarnation, outcome.result, fields)
        self.queue.schedule(self.queue.now + cost_ns, done)

    def _finish_training(self, seat: _Seat, incarnation: int, result: TrainingResult, fields: dict[str, Value]) -> None:
        if seat.is_up and incarnation == seat.incarnation:
            seat.host.notes.note_trained(fields)
            with self.watch(seat):
                seat.host.finish_training(result, self.queue.now)

    def record(self, who: str, level: str, event: str, fields: dict[str, Value]) -> None:
        """Note a fact."""
        self._sink(Record(self.queue.now / NANOSECONDS, level, who, event, fields))

    # ---- ending ----

    def _on_block(self, seat: _Seat, appended: BlockAppended) -> None:
        if seat.spec is None and self._desk is not None:
            self._desk.measure(appended)
        stages = self._world.genesis.job.stages
        head = seat.host.core.tree.head
        if head.height < stages:
            return
        if seat.label in self._honest:
            self._forget_finish(seat)
            self._finished[seat.label] = head.hash
            self._heads[head.hash] += 1
        elif seat.spec is None:
            linger = round(self._scenario.run.linger_s * NANOSECONDS)
            until = max([self.queue.now, *(round((o.up_s or 0) * NANOSECONDS) for o in self._scenario.network.outages)])
            self.queue.schedule(until + linger, partial(self._stop, "delivered"))
        employer = self._seats[EMPLOYER].host.core.tree.head
        if employer.height < stages or self._returning or not self._alive:
            return
        if max(self._heads.values(), default=0) == self._alive:
            self._stop("complete")

    def _forget_finish(self, seat: _Seat) -> None:
        before = self._finished.pop(seat.label, None)
        if before is not None:
            self._heads[before] -= 1

    def _stop(self, reason: str) -> None:
        self._end = self._end or reason

    def _end_with_model(self) -> None:
        if self._desk is not None:
            self._desk.save_model(self._seats[EMPLOYER].host.core, self._model_path)

    def _explain(self, label: str, error: Exception) -> str:
        return (
            f"{label} failed at event {self.queue.count} ({self.queue.now} ns): {type(error).__name__}: {error}; "
            f"the same seed ({self._scenario.seed}) shows it again"
        )

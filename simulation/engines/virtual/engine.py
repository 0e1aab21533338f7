"""The virtual engine: the same parties in one process and in simulated time, with a network that may fail.

Training is real and charged to simulated time by a cost model; equal training is done once. One scenario and one seed
give one trace, byte for byte.
"""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from protocol.codec import encode_frame
from protocol.events import BlockAppended, Timer
from protocol.light_client import LightClient
from protocol.node import PoTNode
from protocol.participant import Participant
from protocol.training import TrainingResult
from protocol.types import Hash32, WeightsPair
from simulation.attacks.behaviour import Behaviour, Honest
from simulation.engines.caching_rules import SharedRules
from simulation.engines.network_model import NetworkModel
from simulation.engines.parties.building import build_node
from simulation.engines.parties.employer import EmployerDesk
from simulation.engines.parties.host import Host
from simulation.engines.parties.journal import JournalWriter
from simulation.engines.parties.recorder import CountedNotes, Counts, Notes
from simulation.engines.result import EngineResult
from simulation.engines.virtual.carrier import Carrier, Sender
from simulation.engines.virtual.queue import EventQueue
from simulation.engines.virtual.trainer_pool import TrainerPool
from simulation.foundation.interruption import Interruption
from simulation.foundation.units import NANOSECONDS, to_micro
from simulation.records.record import INFO, WARNING, Record, Value
from simulation.scenario.network import Outage
from simulation.scenario.world.building import EMPLOYER, USERS, NodeSpec, World, make_keys
from simulation.scenario.world.transfers import PlannedTransfer, plan_transfers
from simulation.training.datasets import ImageSet
from simulation.training.distances import compare_stored
from simulation.training.trainer import describe_training
from simulation.training.weight_store import WeightStore

TICK_ACTIONS: Final = 2_000
"""Actions between two looks at the user's screen and wishes."""


class PartyError(Exception):
    """A party's own code failed; the text says who, at which event, and how to see it again."""


class _Seat:
    """A party of the virtual engine: the `Driver` of its host, and the `Receiver` of what its links bring."""

    __slots__ = (
        "_engine",
        "_others",
        "core",
        "host",
        "incarnation",
        "is_up",
        "label",
        "neighbours",
        "place",
        "sender",
        "spec",
    )

    def __init__(self, engine: "VirtualEngine", label: str, place: int, spec: NodeSpec | None) -> None:
        self.label = label
        self.place = place
        """Its place among all parties."""
        self.neighbours: dict[str, int] = {}
        """Their places."""
        self.sender: Sender
        self.host: Host
        self.core: Participant
        self._others: dict[str | None, tuple[int, ...]] = {}
        """Places of all neighbours but one."""
        self.spec = spec
        self.is_up = True
        self.incarnation = 0
        """Raised when the party goes down, so that timers and results of before are dropped."""
        self._engine = engine

    def furnish(self, host: Host) -> None:
        """Take a fresh host."""
        self.host = host
        self.core = host.core

    def has_seen(self, frame_hash: Hash32) -> bool:
        return self.core.has_seen(frame_hash)

    def note_declined(self, count: int) -> None:
        self.host.notes.note_declined(count)

    def send(self, peer: str, frame: bytes) -> int:
        return self._carry((self.neighbours[peer],), frame)

    def broadcast(self, frame: bytes, but: str | None = None) -> int:
        targets = self._others.get(but)
        if targets is None:
            targets = tuple(place for peer, place in self.neighbours.items() if peer != but)
            self._others[but] = targets
        return self._carry(targets, frame)

    def _carry(self, targets: Sequence[int], frame: bytes) -> int:
        declined = self._engine.carrier.carry(self.sender, targets, frame)
        if declined:
            self.note_declined(declined)
        return len(targets)

    def receive(self, source: str, frame: bytes) -> None:
        engine = self._engine
        engine.acting = self.label
        self.host.receive(source, frame, engine.queue.now)

    def set_timer(self, timer: Timer, at: int) -> None:
        queue = self._engine.queue
        queue.schedule(max(at, queue.now), partial(self._ring, timer, self.incarnation))

    def start_training(self, stage: int, base: bytes) -> None:
        self._engine.train(self, stage, base)

    def compare_weights(self, own: Hash32, other: Hash32) -> None:
        self._engine.compare(self, WeightsPair(own, other))

    def start(self) -> None:
        self._engine.acting = self.label
        self.host.start(self._engine.queue.now)

    def finish_training(self, incarnation: int, result: TrainingResult, base: bytes, fields: dict[str, Value]) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._engine.acting = self.label
            self.host.notes.note_trained(fields)
            self.host.finish_training(result, base, self._engine.queue.now)

    def finish_comparison(self, incarnation: int, pair: WeightsPair, distance: int | None) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._engine.acting = self.label
            self.host.finish_comparison(pair, distance, self._engine.queue.now)

    def _ring(self, timer: Timer, incarnation: int) -> None:
        if self.is_up and incarnation == self.incarnation:
            self._engine.acting = self.label
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
        self._rules = SharedRules(world.genesis)
        self.carrier: Carrier
        self.acting = "run"
        """Who takes the action of now, for the words of a failure."""
        self._labels = world.get_labels()
        self._trainers = TrainerPool(world, images, store)
        self._distances: dict[WeightsPair, int] = {}
        """Distances found so far: they are the same for every node."""
        self._desk: EmployerDesk | None = None
        evaluator = self._trainers.build_evaluator()
        if evaluator is not None:
            self._desk = EmployerDesk(evaluator, store, partial(self.record, EMPLOYER))
        self._counts = Counts() if world.scenario.output.records == "essential" else None
        self._seats: dict[str, _Seat] = {}
        self._described: dict[tuple[bytes, int, bool], dict[str, Value]] = {}
        """What records say about a training, by its result and what it took."""
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
            self._trainers.close()
            for journal in self._journals.values():
                journal.close()

    def _run(self) -> EngineResult:
        self._seat_everybody()
        limit = round(self._scenario.run.time_limit_s * NANOSECONDS)
        self.queue.schedule(limit, partial(self._stop, "time-limit"))
        while not self._take_actions():
            self._on_tick(f"simulated {self.queue.now / NANOSECONDS:.3f} s, {self.queue.count:,} events")
            if self._interruption.signum is not None:
                self._stop("interrupted")
        self._on_tick("at the end")  # a short run has had no look yet
        if self._end is None:
            raise PartyError("nothing is left to happen, and nobody has ended the run")
        finals = {label: seat.host.finish(is_up=seat.is_up) for label, seat in self._seats.items()}
        chains = {label: chain for label, chain in finals.items() if self._seats[label].is_up}
        if self._counts is not None:
            self._counts.write(partial(self.record, "run"))
        self._end_with_model()
        self.queue.close()
        return EngineResult(self._end, chains, events=self.queue.count)

    def _take_actions(self) -> bool:
        """Let some things happen; return whether the run has ended.

        Raises:
            PartyError: A party's own code failed.
        """
        try:
            return self.queue.run(TICK_ACTIONS)
        except OSError:
            raise  # a full disk is nobody's code
        except Exception as error:
            raise PartyError(self._explain(error)) from error

    # ---- setting up ----

    def _seat_everybody(self) -> None:
        network = self._world.network
        peers: dict[str, list[str]] = {node.label: [] for node in self._world.nodes}
        for first, second in network.edges:
            peers[first].append(second)
            peers[second].append(first)
        for node in network.employer_links:
            peers[node].append(EMPLOYER)
        peers[EMPLOYER] = list(network.employer_links)
        for place, spec in enumerate(self._world.nodes):
            self._seats[spec.label] = _Seat(self, spec.label, place, spec)
        self._seats[EMPLOYER] = _Seat(self, EMPLOYER, len(self._seats), None)
        for label, seat in self._seats.items():
            seat.neighbours = {peer: self._seats[peer].place for peer in peers[label]}
        self.carrier = Carrier(
            self.queue, NetworkModel(self._world), self._rules.hash_frame, list(self._seats.values())
        )
        for seat in self._seats.values():
            seat.sender = self.carrier.enlist(seat.label, seat.place)
        downs = {outage.node for outage in self._scenario.network.outages if outage.down_s == 0}
        for label, seat in self._seats.items():
            seat.furnish(self._build_host(seat))
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

    def _build_host(self, seat: _Seat) -> Host:
        core: Participant
        if seat.spec is None:
            core = LightClient(self._rules, make_keys(self._world.employer_seed))
            behaviour: Behaviour = Honest()
        else:
            core, behaviour = build_node(seat.spec, self._rules)
            core.is_relaying = self._world.network.is_relaying
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
            return Notes(record, self._labels, self._rules)
        return CountedNotes(record, self._labels, self._rules, self._counts, seat.spec.role if seat.spec else EMPLOYER)

    def _start(self, seat: _Seat) -> None:
        if self._counts is None:
            self.record(seat.label, INFO, "started", {"pid": None})
        seat.start()

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
        before, reorg_max = seat.host.core, seat.host.reorg_max
        seat.furnish(self._build_host(seat))
        seat.host.reorg_max = reorg_max
        self.carrier.forget(seat.place)
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

        sender = self.carrier.enlist(USERS, None)
        links = [self._seats[label].place for label in self._world.network.user_links]

        def schedule() -> None:
            transfer = next(transfers, None)
            if transfer is not None:
                self.queue.schedule(transfer.at, partial(issue, transfer))

        def issue(transfer: PlannedTransfer) -> None:
            frame = encode_frame(self._rules.chain_id, transfer.transaction)
            self.carrier.carry(sender, links, frame)
            copies = len(links)
            fields: dict[str, Value] = {"kind": "transaction", "nonce": transfer.transaction.nonce, "to": "all"}
            self.record(transfer.user, INFO, "sent", {**fields, "copies": copies, "bytes": copies * len(frame)})
            schedule()

        schedule()

    # ---- what parties ask for ----

    def train(self, seat: _Seat, stage: int, base: bytes) -> None:
        """Train a stage, and let it take its simulated time."""
        if seat.spec is None:
            raise PartyError(f"{seat.label} does not train")
        seat.host.notes.note_training(stage, base)
        outcome, cost_ns = self._trainers.train(seat.spec, stage, base)
        key = (outcome.result.weights_digest, cost_ns, seat.spec.poison is None)
        fields = self._described.get(key)
        if fields is None:
            fields = self._described[key] = describe_training(
                outcome, cost_ns / NANOSECONDS, is_poisoned=seat.spec.poison is not None
            )
            if outcome.weights:
                self._store.put(outcome.result.weights_digest, outcome.weights)
        done = partial(seat.finish_training, seat.incarnation, outcome.result, base, fields)
        self.queue.schedule(self.queue.now + cost_ns, done)

    def compare(self, seat: _Seat, pair: WeightsPair) -> None:
        """Compare weights; it takes no simulated time, being far less work than a step of training."""
        distance = self._distances.get(pair)
        if distance is None:
            distance = compare_stored(self._store, pair.own, pair.other)
            if distance is not None:
                self._distances[pair] = distance
        self.queue.schedule(self.queue.now, partial(seat.finish_comparison, seat.incarnation, pair, distance))

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
        self.queue.stop()

    def _end_with_model(self) -> None:
        if self._desk is not None:
            self._desk.save_model(self._seats[EMPLOYER].host.core, self._model_path)

    def _explain(self, error: Exception) -> str:
        return (
            f"{self.acting} failed at event {self.queue.count} ({self.queue.now} ns, seed {self._scenario.seed}): "
            f"{type(error).__name__}: {error}"
        )

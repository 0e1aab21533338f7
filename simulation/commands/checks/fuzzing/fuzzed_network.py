"""A small honest network in simulated time, and the same network with one node under fire.

The node under fire is watched: no message may make it raise an exception, and one that it refuses may leave no mark.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from protocol.codec import encode_frame
from protocol.events import (
    Broadcast,
    ChainRecord,
    Command,
    Event,
    Judged,
    MessageReceived,
    Relay,
    Send,
    SetTimer,
    Started,
    StartWork,
    TimerFired,
    WorkFinished,
)
from protocol.mechanism import Context
from protocol.messages import BlockRequest
from protocol.node import Node
from protocol.rules import Rules
from protocol.slots import compute_slot_start
from protocol.verdicts import ACCEPT, Accept, Verdict, Wait
from simulation.analysis import find_supply_fault
from simulation.commands.checks.fuzzing.kit import FuzzKit
from simulation.commands.checks.fuzzing.mutator import Mutant, Mutator
from simulation.engines.virtual import EventQueue
from simulation.scenario.world import USERS, World, draw_transfers, make_keys, plan_transfers

TARGET: Final = "node-0"

LINK_NS: Final = 20_000_000

LATE_NS: Final = 4_000_000_000
"""When the late node starts, which then has to catch up."""

TIME_LIMIT_NS: Final = 600_000_000_000
"""Simulated time in which all nodes must finish and agree."""


class BrokenError(Exception):
    """A node has done what no message may make it do; the text says what."""


@dataclass(frozen=True, slots=True)
class FuzzPlan:
    """What a run is about; two runs of one plan differ in what the victim is sent."""

    world: World
    kit: FuzzKit
    """Knows the mechanism."""
    late: str
    """Node that starts late."""


class SmallNetwork:
    """Honest nodes over links that lose nothing.

    Its rules remember no answers: under fire there would be no end of them.
    """

    def __init__(self, plan: FuzzPlan, on_frame: Callable[[bytes], None], victim: type[Node] = Node) -> None:
        """Schedule what happens by itself.

        Args:
            plan: Who takes part.
            on_frame: Takes each frame that somebody sends.
            victim: Class of the node under fire.
        """
        world = plan.world
        self.queue: Final = EventQueue()
        self.rules: Final = Rules(world.mechanism)
        self.nodes: Final[dict[str, Node]] = {}
        self._kit: Final = plan.kit
        self._workers = plan.kit.build_workers(world)
        self._on_frame = on_frame
        self._started: set[str] = set()
        self._neighbours: dict[str, list[str]] = {spec.label: [] for spec in world.nodes}
        for first, second in world.network.edges:
            self._neighbours[first].append(second)
            self._neighbours[second].append(first)
        for spec in world.nodes:
            party = victim if spec.label == TARGET else Node
            is_relaying = world.network.is_relaying
            self.nodes[spec.label] = party(self.rules, make_keys(spec.key_seed), is_relaying=is_relaying)
            self.queue.schedule(LATE_NS if spec.label == plan.late else 0, partial(self._start, spec.label))
        self._schedule_transfers(world)

    def _schedule_transfers(self, world: World) -> None:
        for transfer in draw_transfers(plan_transfers(world), self.rules.chain_id):
            frame = encode_frame(self.rules.chain_id, transfer.transaction)
            self.queue.schedule(transfer.at, partial(self._carry, USERS, world.network.user_links, frame))

    @property
    def is_agreed(self) -> bool:
        """Whether all nodes have the same chain, and it is whole, or nobody is left to make it so."""
        heads = [node.tree.head for node in self.nodes.values()]
        is_over = heads[0].height == self.rules.chain.length or not self._kit.can_go_on(heads[0])
        return is_over and len({head.hash for head in heads}) == 1

    def run(self) -> None:
        """Run until all nodes have done the job and agree.

        Raises:
            BrokenError: They do not get there.
        """
        limit = self.queue.now + TIME_LIMIT_NS
        while not self.is_agreed:
            if self.queue.now > limit:
                heights = ", ".join(f"{label} at {node.tree.head.height}" for label, node in self.nodes.items())
                raise BrokenError(f"standstill: the nodes do not finish and agree: {heights}")
            self.queue.run_one()

    def linger(self, nanoseconds: int) -> None:
        """Go on for some time."""
        until = self.queue.now + nanoseconds
        while self.queue.now < until:
            self.queue.run_one()

    def handle(self, label: str, event: Event) -> list[Command]:
        """Hand an event to a node, do what it says, and return it.

        Raises:
            BrokenError: The node has raised an exception, or a watched one has done what it must not do.
        """
        if label not in self._started:
            return []
        commands = self._ask(label, event)
        for command in commands:
            self._do(label, command)
        return commands

    def _ask(self, label: str, event: Event) -> list[Command]:
        try:
            return self.nodes[label].handle(event, self.queue.now)
        except Exception as error:
            raise BrokenError(f"{label} at {type(event).__name__}: {describe_error(error)}") from error

    def _tell(self, label: str, event: Event) -> None:
        self.handle(label, event)

    def _do(self, label: str, command: Command) -> None:
        now, chain_id, neighbours = self.queue.now, self.rules.chain_id, self._neighbours[label]
        match command:
            case Broadcast(message):
                self._carry(label, neighbours, encode_frame(chain_id, message))
            case Send(peer, message) if peer in neighbours:
                self._carry(label, (peer,), encode_frame(chain_id, message))
            case Relay(frame, source):
                self._carry(label, [peer for peer in neighbours if peer != source], frame)
            case SetTimer(timer, at):
                self.queue.schedule(max(at, now), partial(self._tell, label, TimerFired(timer)))
            case StartWork(task):
                worker = self._workers[label]
                finished = WorkFinished(task, worker.perform(task).result)
                self.queue.schedule(now + worker.charge(task), partial(self._tell, label, finished))

    def _start(self, label: str) -> None:
        self._started.add(label)
        self.handle(label, Started())

    def _carry(self, source: str, targets: Iterable[str], frame: bytes) -> None:
        self._on_frame(frame)
        for target in targets:
            self.queue.schedule(self.queue.now + LINK_NS, partial(self._tell, target, MessageReceived(source, frame)))


class FuzzedNetwork(SmallNetwork):
    """A small network in which the victim is sent some frames before each of its events."""

    def __init__(
        self, plan: FuzzPlan, mutator: Mutator, rng: Random, *, batch: int, frames: int, victim: type[Node]
    ) -> None:
        """Prepare the run.

        Args:
            plan: Who takes part.
            mutator: Makes the frames.
            rng: Owner of the draws.
            batch: Frames before each event of the victim's, times what the kit says of its state.
            frames: Frames in all.
            victim: Class of the node under fire.
        """
        super().__init__(plan, mutator.seen.learn, victim)
        self.sent = 0
        self.last = Mutant("none", b"")
        self.verdicts: Final[Counter[tuple[str, str]]] = Counter()
        self._mutator = mutator
        self._rng = rng
        self._batch = batch
        self._frames = frames
        self._links = [f"intruder-{index}" for index in range(rng.choice((1, 1, 3)))]
        self._victim = self.nodes[TARGET]
        mutator.forge.tree = self._victim.tree
        self._state = self._victim.snapshot()

    def handle(self, label: str, event: Event) -> list[Command]:
        """Hand an event to a node; to the victim only after some frames."""
        if label == TARGET and label in self._started and not isinstance(event, Started):
            self.send_mutants(self._batch * self._kit.weigh(self._victim))
        return super().handle(label, event)

    def send_mutants(self, count: int) -> None:
        """Send the victim frames, but in all not more than there are.

        Raises:
            BrokenError: One of them does what no message may do.
        """
        self._mutator.seen.height = min(self._victim.tree.head.height + 1, self.rules.chain.length)
        for _ in range(min(count, self._frames - self.sent)):
            self.last = self._mutator.draw()
            self.sent += 1
            event = MessageReceived(self._rng.choice(self._links), self.last.frame)
            commands = super().handle(TARGET, event)
            self.verdicts.update(describe_verdict(item.verdict) for item in commands if isinstance(item, Judged))

    def _ask(self, label: str, event: Event) -> list[Command]:
        commands = super()._ask(label, event)
        if label == TARGET:
            before, self._state = self._state, self._victim.snapshot()
            if isinstance(event, MessageReceived):
                mark = find_mark(self._kit, commands, is_changed=self._state != before)
                if mark is not None:
                    raise BrokenError(mark)
        return commands

    def check_chain(self) -> None:
        """Look through all blocks that the victim has taken.

        Raises:
            BrokenError: One is not valid on its parent, is not what the mechanism's kit wants, or its money does not
                add up.
        """
        tree = self._victim.tree
        for record in tree.get_records():
            fault = find_supply_fault(record) or self._find_fault(record)
            if fault is not None:
                raise BrokenError(fault)

    def _find_fault(self, record: ChainRecord) -> str | None:
        if record.block is None:
            return None
        parent = self._victim.tree.require(record.parent)
        if record.height != parent.height + 1:
            return f"a block of height {record.height} has no parent of the height below"
        now = compute_slot_start(record.slot, self.rules.chain.slot_ns)
        place: Context[Any] = Context(rules=self.rules, parent=parent, now=now, own=None)
        verdict = self.rules.judge_in_full(place, record.block)
        if verdict is not ACCEPT:
            return f"a block of height {record.height} is not valid: {' '.join(describe_verdict(verdict))}"
        return self._kit.find_fault(record)


def find_mark(kit: FuzzKit, commands: Sequence[Command], *, is_changed: bool) -> str | None:
    """Return what is wrong with the answer to a message, or None: who refuses it stays as it was and says nothing.

    One that has to wait may be answered with a request for blocks, or with what starts the work it waits for.

    Args:
        kit: Knows what starts such work, and what is only put on record.
        commands: The answer.
        is_changed: Whether the node's state is another one than before.
    """
    verdicts = [command.verdict for command in commands if isinstance(command, Judged)]
    if not verdicts:
        return "the frame was not judged"
    if any(isinstance(verdict, Accept) for verdict in verdicts):
        return None
    told = ", ".join(" ".join(describe_verdict(verdict)) for verdict in verdicts)
    if is_changed:
        return f"{told}: the state has changed all the same"
    is_waiting = any(isinstance(verdict, Wait) for verdict in verdicts)
    for command in commands:
        is_request = isinstance(command, Send) and isinstance(command.message, BlockRequest)
        may_be = isinstance(command, Judged) or kit.is_remark(command)
        if not may_be and not (is_waiting and (is_request or kit.is_fetching(command))):
            return f"{told}: the node answers with {type(command).__name__}"
    return None


def describe_verdict(verdict: Verdict) -> tuple[str, str]:
    """Return a verdict and its reason in words."""
    match verdict:
        case Accept():
            return "accept", ""
        case Wait(missing):
            return "wait", missing.value
        case _:
            return type(verdict).__name__.lower(), verdict.reason.value


def describe_error(error: Exception) -> str:
    """Return an exception in one line, with the place it comes from."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"

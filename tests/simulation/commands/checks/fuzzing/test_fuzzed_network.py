"""A core that breaks under fire is found, told and reproduced, and the right things are looked for."""

import dataclasses
from collections.abc import Callable

import msgspec
import pytest

from protocol.events import Broadcast, Command, Event, Judged, MessageReceived, Relay, Send, TimerFired
from protocol.mechanisms.proof_of_training.judging import TrainingContext, TrainingJudge
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.messages import BlockRequest, HeadAnnouncement, Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.verdicts import ACCEPT, ChainMissing, ChainReason, FrameReason, Ignore, Reason, Reject, Verdict, Wait
from simulation.commands.checks.fuzzing import fuzz, fuzzed_network
from simulation.commands.checks.fuzzing.fuzz import FRAMES_PER_SEED, describe_fault, run_seed
from simulation.commands.checks.fuzzing.fuzzed_network import TARGET, BrokenError, FuzzedNetwork, find_mark
from simulation.commands.checks.fuzzing.kit import FuzzKit
from simulation.commands.checks.fuzzing.mutator import Mutant
from simulation.commands.cli import main
from simulation.training.fake_trainer import FakeTrainer
from tests.support.core import get_proposer
from tests.support.fuzzing import TRAINING, make_network, make_plan

pytestmark = pytest.mark.many_runs

CHOSEN = ("--mechanism", TRAINING)


# ---- a broken core ----


def is_refusal(command: Command, reason: Reason) -> bool:
    return isinstance(command, Judged) and command.verdict in (Reject(reason), Ignore(reason))


class Breaking(Node):
    """A node that does something wrong with what it has refused for a reason."""

    reason: Reason = ChainReason.BAD_SIGNATURE

    def handle(self, event: Event, now: int) -> list[Command]:
        commands = super().handle(event, now)
        if isinstance(event, MessageReceived) and any(is_refusal(item, self.reason) for item in commands):
            return self.spoil(event, commands)
        return commands

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        raise RuntimeError("on purpose")


class Raising(Breaking):
    pass


class KeepingTransfers(Breaking):
    """Keeps a transfer whose signature is wrong."""

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        message = self.rules.decode(event.frame)
        if isinstance(message, Transaction):
            self.mempool.add(self.tree.head.state, message)
        return commands


class Training(Breaking):
    """Believes that it has to train again when it is told about a block in the future."""

    reason = ChainReason.FUTURE_SLOT

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        get_proposer(self).phase = Phase.FINISHED
        return commands


class Relaying(Breaking):
    reason = FrameReason.NOT_CANONICAL

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        return [*commands, Relay(event.frame, event.peer)]


class Overlooking(Breaking):
    reason = FrameReason.MALFORMED

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        return []


class Deaf(Breaking):
    """Takes no frame of anybody any more once it has had one of another version."""

    reason = FrameReason.WRONG_VERSION
    is_deaf = False

    def handle(self, event: Event, now: int) -> list[Command]:
        if self.is_deaf and isinstance(event, MessageReceived):
            return [Judged(event.peer, Ignore(ChainReason.STALE), "frame")]
        return super().handle(event, now)

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        self.is_deaf = True
        return commands


class RaisingLater(Breaking):
    """Fails at a timer, long after the frame that is to blame."""

    reason = FrameReason.WRONG_CHAIN
    is_hit = False

    def handle(self, event: Event, now: int) -> list[Command]:
        if self.is_hit and isinstance(event, TimerFired):
            raise KeyError("on purpose")
        return super().handle(event, now)

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        self.is_hit = True
        return commands


BROKEN: dict[type[Breaking], str] = {
    Raising: f"{TARGET} at MessageReceived: RuntimeError: on purpose (test_fuzzed_network.py:",
    KeepingTransfers: "reject bad-signature: the state has changed all the same",
    Training: "ignore future-slot: the state has changed all the same",
    Relaying: "reject not-canonical: the node answers with Relay",
    Overlooking: "the frame was not judged",
    Deaf: "standstill: the nodes do not finish and agree",
    RaisingLater: f"{TARGET} at TimerFired: KeyError: 'on purpose' (test_fuzzed_network.py:",
}


@pytest.mark.parametrize("victim", BROKEN, ids=lambda victim: victim.__name__)
def test_a_broken_core_is_found_and_reproduced(victim: type[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzed_network, "TIME_LIMIT_NS", 60_000_000_000)  # who gets nowhere need not be waited for
    wanted = BROKEN[victim]  # type: ignore[index] # what is broken may show in other ways too
    results = (run_seed(seed, victim=victim, mechanism=TRAINING) for seed in range(10))
    found = next(result for result in results if result.fault and result.fault.text.startswith(wanted))
    assert found.fault is not None
    assert found.fault.number == found.sent > 0
    again = run_seed(found.seed, victim=victim, mechanism=TRAINING)
    assert again == found
    told = describe_fault(found, found.fault).splitlines()
    assert told[0].startswith(f"seed {found.seed}, frame {found.fault.number} ({found.fault.mutant.way}): ")
    assert told[1].startswith("frame: ")
    assert (
        told[2]
        == f"again: python main.py fuzz --first {found.seed} --frames {found.frames} --jobs 1 --mechanism {TRAINING}"
    )


def test_a_core_that_believes_what_others_trained_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_header, judge_declaration = TrainingJudge.judge_header, TrainingJudge.judge_declaration

    def trust_header(pot: TrainingJudge, context: TrainingContext, header: BlockHeader) -> Verdict:
        return judge_header(pot, msgspec.structs.replace(context, own=None), header)

    def trust_declaration(pot: TrainingJudge, context: TrainingContext, declaration: TrainingDeclaration) -> Verdict:
        return judge_declaration(pot, msgspec.structs.replace(context, own=None), declaration)

    monkeypatch.setattr(TrainingJudge, "judge_header", trust_header)
    monkeypatch.setattr(TrainingJudge, "judge_declaration", trust_declaration)
    seeds = [
        seed for seed in range(30) if not get_training(Rules(make_plan(seed).world.mechanism)).has_repairs
    ]  # one right, one block
    results = (run_seed(seed, mechanism=TRAINING) for seed in seeds)
    faults = (result.fault for result in results if result.fault is not None)
    assert "does not hold the honest training" in next(faults).text


def test_the_frame_that_is_told_is_the_one_that_broke_it() -> None:
    found = run_seed(0, victim=Raising, mechanism=TRAINING)
    assert found.fault is not None
    rules = Rules(make_plan(0).world.mechanism)
    assert not rules.is_signed(rules.decode(found.fault.mutant.frame))
    assert describe_fault(found, found.fault).splitlines()[1] == f"frame: {found.fault.mutant.frame.hex()}"
    before = run_seed(0, found.fault.number - 1, victim=Raising, mechanism=TRAINING)
    assert before.fault is None
    assert before.sent == found.fault.number - 1


def test_a_long_frame_is_cut_where_it_is_told() -> None:
    result = run_seed(0, 1, mechanism=TRAINING)
    long = Mutant("oversized", bytes(fuzz.SHOWN_BYTES + 1))
    told = describe_fault(result, fuzz.Failure(1, long, "too long")).splitlines()[1]
    assert told == f"frame: {'00' * fuzz.SHOWN_BYTES}... ({fuzz.SHOWN_BYTES + 1:,} bytes)"


def fail_at_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every node fail when it refuses a frame as malformed."""
    handle = Node.handle

    def fail(node: Node, event: Event, now: int) -> list[Command]:
        commands = handle(node, event, now)
        if any(is_refusal(command, FrameReason.MALFORMED) for command in commands):
            raise RuntimeError("on purpose")
        return commands

    monkeypatch.setattr(Node, "handle", fail)


def test_the_command_ends_with_1_and_names_the_way_to_see_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at_refusals(monkeypatch)
    assert main(["fuzz", "--first", "2", "--frames", str(FRAMES_PER_SEED + 900), "--jobs", "1", *CHOSEN]) == 1
    told = capsys.readouterr()
    assert "2 of the seeds broken" in told.out
    first, second = (line.split("main.py ")[1].split() for line in told.err.splitlines() if line.startswith("again"))
    assert second == ["fuzz", "--first", "3", "--frames", "900", "--jobs", "1", *CHOSEN]
    for arguments in (first, second):
        assert main(arguments) == 1
        assert capsys.readouterr().err in told.err


def test_a_core_that_fails_undisturbed_is_a_fault_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Node.handle

    def fail(node: Node, event: Event, now: int) -> list[Command]:
        if node.tree.head.height:
            raise RuntimeError("on purpose")
        return handle(node, event, now)

    monkeypatch.setattr(Node, "handle", fail)
    result = run_seed(1, mechanism=TRAINING)
    assert result.sent == 0
    assert result.fault is not None
    assert result.fault.number == 0
    assert result.fault.text.startswith("undisturbed run: ")


# ---- what is looked for ----

REFUSED, WAITING = Reject(FrameReason.MALFORMED), Wait(ChainMissing.BLOCK, bytes(32))
REQUEST = Send("a", BlockRequest(locator=(), author=bytes(32)))
WORD = HeadAnnouncement(height=0, head=bytes(32), author=bytes(32))


def judge(verdict: Verdict) -> Judged:
    return Judged("a", verdict, "frame")


@pytest.mark.parametrize(
    ("commands", "is_changed", "is_marked"),
    [
        ([judge(REFUSED)], False, False),
        ([judge(REFUSED)], True, True),
        ([judge(WAITING)], True, True),
        ([judge(REFUSED), judge(ACCEPT)], True, False),
        ([judge(REFUSED), Broadcast(WORD)], False, True),
        ([judge(ACCEPT), Broadcast(WORD)], True, False),
        ([judge(WAITING), REQUEST], False, False),
        ([judge(REFUSED), REQUEST], False, True),
        ([judge(WAITING), Send("a", WORD)], False, True),
        ([judge(WAITING), Relay(b"", "a")], False, True),
        ([], False, True),
    ],
)
def test_only_who_accepts_may_change_or_speak(commands: list[Command], is_changed: bool, is_marked: bool) -> None:
    assert (find_mark(FuzzKit(TRAINING), commands, is_changed=is_changed) is not None) == is_marked


def spoil_training(network: FuzzedNetwork) -> None:
    vars(network._kit)["trainer"] = FakeTrainer(get_training(network.rules).genesis.job, "poison")


def spoil_height(network: FuzzedNetwork) -> None:
    tree = network.nodes[TARGET].tree
    tree._records[tree.head.hash] = dataclasses.replace(tree.head, height=tree.head.height + 1)


def spoil_supply(network: FuzzedNetwork) -> None:
    tree = network.nodes[TARGET].tree
    state = dataclasses.replace(tree.head.state, supply=tree.head.state.supply + 1)
    tree._records[tree.head.hash] = dataclasses.replace(tree.head, state=state)


def spoil_block(network: FuzzedNetwork) -> None:
    tree = network.nodes[TARGET].tree
    assert tree.head.block is not None
    block = msgspec.structs.replace(tree.head.block, signature=bytes(64))
    tree._records[tree.head.hash] = dataclasses.replace(tree.head, block=block)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (spoil_block, "is not valid: reject bad-signature"),
        (spoil_training, "does not hold the honest training"),
        (spoil_height, "no parent of the height below"),
        (spoil_supply, "micro-coins"),
    ],
)
def test_every_block_of_the_victim_is_looked_at(spoil: Callable[[FuzzedNetwork], None], told: str) -> None:
    network = make_network(3)
    network.run()
    network.check_chain()
    spoil(network)
    with pytest.raises(BrokenError, match=told):
        network.check_chain()

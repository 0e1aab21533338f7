"""Nodes under fire: a sound core holds, a broken one is found, told and reproduced, and the fire is varied enough."""

import dataclasses
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from random import Random

import msgspec
import pytest

from protocol import validation
from protocol.codec import MAX_FRAME_BYTES, DecodeError
from protocol.events import Broadcast, Command, Event, Judged, MessageReceived, Relay, Send, TimerFired
from protocol.messages import (
    MESSAGE_KINDS,
    BlockHeader,
    BlockRequest,
    HeadAnnouncement,
    TrainingDeclaration,
    Transaction,
    WrappedBlock,
)
from protocol.node import PoTNode
from protocol.phases import Phase
from protocol.validation import OwnTraining, Place, Rules
from protocol.verdicts import ACCEPT, Ignore, Missing, Reason, Reject, Verdict, Wait
from simulation import fuzz, siege
from simulation.cli import main
from simulation.collusion import build_colluding_block
from simulation.fuzz import FRAMES_PER_SEED, FuzzResult, describe_fault, draw_plan, rehearse, run_seed, run_seeds, split
from simulation.mutator import Mutant, Mutator
from simulation.population import make_keys
from simulation.randomness import derive_seed
from simulation.siege import VICTIM, BrokenError, Plan, Siege, find_mark
from simulation.training import FakeTrainer

pytestmark = pytest.mark.slow

SEEDS = range(6)
"""Among them one that fills the inbox."""

UNREACHABLE = {Reason.NOT_FOR_ME, Reason.JOB_DELIVERED, Reason.POOL_FULL}
"""Only light clients say the first two, and a pool has more room than so few accounts can fill."""

RARE = {
    Reason.TOO_MANY_DECLARATIONS,
    Reason.WINDOW_CLOSED,
    Reason.EQUIVOCATION,
    Reason.REFUSED_HEADER,
    Reason.REFUSED_BLOCK,
}
"""So few frames may miss some of them."""


@cache
def list_results() -> list[FuzzResult]:
    return [run_seed(seed) for seed in SEEDS]


def make_generator(seed: int) -> Random:
    return Random(derive_seed(seed, "fuzz"))  # noqa: S311 - a test's own draws


def make_plan(seed: int) -> Plan:
    """Return the plan that `run_seed` draws."""
    return draw_plan(make_generator(seed), seed)


def make_siege(seed: int, victim: type[PoTNode] = PoTNode) -> Siege:
    """Return a siege of no frames."""
    plan = make_plan(seed)
    mutator = Mutator(make_generator(seed), Rules(plan.world.genesis), [])
    return Siege(plan, mutator, make_generator(seed), batch=0, frames=0, victim=victim)


# ---- a sound core ----


def test_a_sound_core_holds() -> None:
    for result in list_results():
        assert result.fault is None
        assert result.sent == result.frames == FRAMES_PER_SEED
        assert result.verdicts.total() >= result.sent


def test_a_seed_comes_to_the_same_again() -> None:
    assert run_seed(5, 600) == run_seed(5, 600)


def test_nothing_depends_on_the_process() -> None:
    def tell(hash_seed: str) -> str:
        command = "from simulation.fuzz import run_seed; print(sorted(run_seed(3, 300).verdicts.items()))"
        done = subprocess.run(
            [sys.executable, "-c", command],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    assert tell("1") == tell("2")


def test_processes_share_the_seeds() -> None:
    frames = FRAMES_PER_SEED + 50
    shared = sorted(run_seeds(4, frames, 2), key=lambda result: result.seed)
    assert shared == list(run_seeds(4, frames, 1))


@pytest.mark.parametrize(
    ("frames", "shares"),
    [
        (1, [(7, 1)]),
        (FRAMES_PER_SEED, [(7, FRAMES_PER_SEED)]),
        (2 * FRAMES_PER_SEED + 3, [(7, FRAMES_PER_SEED), (8, FRAMES_PER_SEED), (9, 3)]),
    ],
)
def test_frames_are_shared_among_seeds(frames: int, shares: list[tuple[int, int]]) -> None:
    assert split(7, frames) == shares


def test_the_command_tells_how_many_held_and_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--first", "5", "--frames", "400", "--jobs", "1"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.startswith("400 frames, seeds 5 to 5, ")
    lines = [line.split() for line in told.out.splitlines()]
    assert {line[1] for line in lines if line[0] == "reject"} >= {"malformed", "bad-signature"}
    assert {line[1] for line in lines if line[0] == "never"} >= {"not-for-me", "job-delivered"}


# ---- the fire ----


def test_every_reason_a_node_can_have_is_given() -> None:
    given = {reason for result in list_results() for _, reason in result.verdicts}
    missing = {reason for reason in Reason if reason.value not in given} - UNREACHABLE
    assert missing <= RARE
    assert len(missing) <= 2
    assert {item.value for item in Missing} <= given


def test_the_victim_is_under_fire_in_every_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    phases: Counter[Phase] = Counter()
    handle = PoTNode.handle

    def note_phase(node: PoTNode, event: Event, now: int) -> list[Command]:
        phases[node.phase] += isinstance(event, MessageReceived) and event.peer.startswith("intruder")
        return handle(node, event, now)

    monkeypatch.setattr(PoTNode, "handle", note_phase)
    for seed in (0, 1, 2):
        run_seed(seed)
    assert phases.total() == 3 * FRAMES_PER_SEED
    assert min(phases[phase] for phase in Phase) > FRAMES_PER_SEED / 20


def test_the_victim_takes_some_messages_of_insiders() -> None:
    accepted = [result.verdicts["accept", ""] for result in list_results()]
    assert min(accepted) > 0
    assert sum(accepted) > 100 * len(accepted)


@cache
def get_frames(seed: int) -> list[bytes]:
    return rehearse(make_plan(seed))[0]


def make_mutator(seed: int) -> Mutator:
    world = make_plan(seed).world
    mutator = Mutator(make_generator(seed), Rules(world.genesis), [make_keys(spec.key_seed) for spec in world.nodes])
    for frame in get_frames(seed):
        mutator.learn(frame)
    return mutator


def test_honest_runs_hold_every_kind_of_message() -> None:
    rules = {seed: Rules(make_plan(seed).world.genesis) for seed in range(6)}
    kinds = Counter(kind for seed in rules for kind in {rules[seed].decode(frame).kind for frame in get_frames(seed)})
    assert set(kinds) == set(MESSAGE_KINDS)
    assert min(kinds.values()) >= 4


def test_frames_are_made_in_every_way() -> None:
    ways: Counter[str] = Counter()
    sizes = set()
    for seed in range(6):
        mutator = make_mutator(seed)
        mutants = [mutator.draw() for _ in range(1_000)]
        ways.update(mutant.way for mutant in mutants)
        sizes |= {len(mutant.frame) for mutant in mutants}
    assert len(ways) == len(make_mutator(0)._ways)
    assert max(sizes) == MAX_FRAME_BYTES + 1
    assert min(sizes) < 10


def test_most_changed_messages_are_signed_by_somebody_who_may() -> None:
    signed: Counter[bool] = Counter()
    for seed in range(6):
        mutator, rules = make_mutator(seed), Rules(make_plan(seed).world.genesis)
        for mutant in (mutator.draw() for _ in range(500)):
            if mutant.way == "message with a changed field" and mutant.frame not in get_frames(seed):
                with suppress(DecodeError):
                    signed[rules.is_signed(rules.decode(mutant.frame))] += 1
    assert signed.total() > 200
    assert 0.4 < signed[True] / signed.total() < 0.95


def test_colluders_sign_whatever_the_header_says() -> None:
    world = make_plan(1).world
    rules, keys = Rules(world.genesis), {make_keys(s.key_seed).public: make_keys(s.key_seed) for s in world.nodes}
    honest = next(m for m in map(rules.decode, get_frames(1)) if isinstance(m, WrappedBlock) and m.height == 1)
    header = msgspec.structs.replace(honest.header, weights_digest=bytes(32), training_secret=bytes(32))
    own = OwnTraining(weights_digest=honest.header.weights_digest, secret=honest.header.training_secret)
    place = Place(rules=rules, parent=rules.origin, now=10**15, own=None)
    assert rules.judge_block(place, build_colluding_block(rules, keys, honest.header)) == ACCEPT
    forged = build_colluding_block(rules, keys, header)
    assert rules.judge_block(place, forged) == ACCEPT
    with_training = msgspec.structs.replace(place, own=own)
    assert rules.judge_block(with_training, forged) == Reject(Reason.DIFFERENT_WEIGHTS)


# ---- a broken core ----


def is_refusal(command: Command, reason: Reason) -> bool:
    return isinstance(command, Judged) and command.verdict in (Reject(reason), Ignore(reason))


class Breaking(PoTNode):
    """A node that does something wrong with what it has refused for a reason."""

    reason = Reason.BAD_SIGNATURE

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
            self.mempool.add(message)
        return commands


class Training(Breaking):
    """Believes that it has to train again when it is told about a block in the future."""

    reason = Reason.FUTURE_SLOT

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        self.phase = Phase.FINISHED
        return commands


class Relaying(Breaking):
    reason = Reason.NOT_CANONICAL

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        return [*commands, Relay(event.frame, event.peer)]


class Overlooking(Breaking):
    reason = Reason.MALFORMED

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        return []


class Deaf(Breaking):
    """Takes no frame of anybody any more once it has had one of another version."""

    reason = Reason.WRONG_VERSION
    is_deaf = False

    def handle(self, event: Event, now: int) -> list[Command]:
        if self.is_deaf and isinstance(event, MessageReceived):
            return [Judged(event.peer, Ignore(Reason.STALE), "frame")]
        return super().handle(event, now)

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        self.is_deaf = True
        return commands


class RaisingLater(Breaking):
    """Fails at a timer, long after the frame that is to blame."""

    reason = Reason.WRONG_CHAIN
    is_hit = False

    def handle(self, event: Event, now: int) -> list[Command]:
        if self.is_hit and isinstance(event, TimerFired):
            raise KeyError("on purpose")
        return super().handle(event, now)

    def spoil(self, event: MessageReceived, commands: list[Command]) -> list[Command]:
        self.is_hit = True
        return commands


BROKEN: dict[type[Breaking], str] = {
    Raising: f"{VICTIM} at MessageReceived: RuntimeError: on purpose (test_fuzz.py:",
    KeepingTransfers: "reject bad-signature: the state has changed all the same",
    Training: "ignore future-slot: the state has changed all the same",
    Relaying: "reject not-canonical: the node answers with Relay",
    Overlooking: "the frame was not judged",
    Deaf: "standstill: the nodes do not finish and agree",
    RaisingLater: f"{VICTIM} at TimerFired: KeyError: 'on purpose' (test_fuzz.py:",
}


@pytest.mark.parametrize("victim", BROKEN, ids=lambda victim: victim.__name__)
def test_a_broken_core_is_found_and_reproduced(victim: type[PoTNode], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siege, "TIME_LIMIT_NS", 60_000_000_000)  # who gets nowhere need not be waited for
    found = next(result for result in (run_seed(seed, victim=victim) for seed in range(10)) if result.fault)
    assert found.fault is not None
    assert found.fault.text.startswith(BROKEN[victim])  # type: ignore[index]
    assert found.fault.number == found.sent > 0
    again = run_seed(found.seed, victim=victim)
    assert again == found
    told = describe_fault(found, found.fault).splitlines()
    assert told[0].startswith(f"seed {found.seed}, frame {found.fault.number} ({found.fault.mutant.way}): ")
    assert told[1].startswith("frame: ")
    assert told[2] == f"again: python main.py fuzz --first {found.seed} --frames {found.frames} --jobs 1"


def test_a_core_that_believes_what_others_trained_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_header, judge_declaration = validation.judge_header, validation.judge_declaration

    def trust_header(place: Place, header: BlockHeader) -> Verdict:
        return judge_header(msgspec.structs.replace(place, own=None), header)

    def trust_declaration(place: Place, declaration: TrainingDeclaration, revealed: bytes | None = None) -> Verdict:
        return judge_declaration(msgspec.structs.replace(place, own=None), declaration, revealed)

    monkeypatch.setattr(validation, "judge_header", trust_header)
    monkeypatch.setattr(validation, "judge_declaration", trust_declaration)
    faults = (result.fault for result in map(run_seed, range(10)) if result.fault is not None)
    assert "does not hold the honest training" in next(faults).text


def test_the_frame_that_is_told_is_the_one_that_broke_it() -> None:
    found = run_seed(0, victim=Raising)
    assert found.fault is not None
    rules = Rules(make_plan(0).world.genesis)
    assert not rules.is_signed(rules.decode(found.fault.mutant.frame))
    assert describe_fault(found, found.fault).splitlines()[1] == f"frame: {found.fault.mutant.frame.hex()}"
    before = run_seed(0, found.fault.number - 1, victim=Raising)
    assert before.fault is None
    assert before.sent == found.fault.number - 1


def test_a_long_frame_is_cut_where_it_is_told() -> None:
    result = run_seed(0, 1)
    long = Mutant("oversized", bytes(fuzz.SHOWN_BYTES + 1))
    told = describe_fault(result, fuzz.Fault(1, long, "too long")).splitlines()[1]
    assert told == f"frame: {'00' * fuzz.SHOWN_BYTES}... ({fuzz.SHOWN_BYTES + 1:,} bytes)"


def fail_at_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every node fail when it refuses a frame as malformed."""
    handle = PoTNode.handle

    def fail(node: PoTNode, event: Event, now: int) -> list[Command]:
        commands = handle(node, event, now)
        if any(is_refusal(command, Reason.MALFORMED) for command in commands):
            raise RuntimeError("on purpose")
        return commands

    monkeypatch.setattr(PoTNode, "handle", fail)


def test_the_command_ends_with_1_and_names_the_way_to_see_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at_refusals(monkeypatch)
    assert main(["fuzz", "--first", "2", "--frames", str(FRAMES_PER_SEED + 900), "--jobs", "1"]) == 1
    told = capsys.readouterr()
    assert "2 of the seeds broken" in told.out
    first, second = (line.split("main.py ")[1].split() for line in told.err.splitlines() if line.startswith("again"))
    assert second == ["fuzz", "--first", "3", "--frames", "900", "--jobs", "1"]
    for arguments in (first, second):
        assert main(arguments) == 1
        assert capsys.readouterr().err in told.err


def test_a_core_that_fails_undisturbed_is_a_fault_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = PoTNode.handle

    def fail(node: PoTNode, event: Event, now: int) -> list[Command]:
        if node.tree.head.height:
            raise RuntimeError("on purpose")
        return handle(node, event, now)

    monkeypatch.setattr(PoTNode, "handle", fail)
    result = run_seed(1)
    assert result.sent == 0
    assert result.fault is not None
    assert result.fault.number == 0
    assert result.fault.text.startswith("undisturbed run: ")


# ---- what is looked for ----

REFUSED, WAITING = Reject(Reason.MALFORMED), Wait(Missing.BLOCK, bytes(32))
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
    assert (find_mark(commands, is_changed=is_changed) is not None) == is_marked


def spoil_training(besieged: Siege) -> None:
    vars(besieged)["trainer"] = FakeTrainer(besieged.rules.genesis.job, "poison")


def spoil_height(besieged: Siege) -> None:
    tree = besieged.nodes[VICTIM].tree
    tree._records[tree.head.hash] = dataclasses.replace(tree.head, height=tree.head.height + 1)


def spoil_supply(besieged: Siege) -> None:
    tree = besieged.nodes[VICTIM].tree
    state = dataclasses.replace(tree.head.state, supply=tree.head.state.supply + 1)
    tree._records[tree.head.hash] = dataclasses.replace(tree.head, state=state)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (spoil_training, "does not hold the honest training"),
        (spoil_height, "no parent of the height below"),
        (spoil_supply, "micro-coins"),
    ],
)
def test_every_block_of_the_victim_is_looked_at(spoil: Callable[[Siege], None], told: str) -> None:
    besieged = make_siege(3)
    besieged.run()
    besieged.check_chain()
    spoil(besieged)
    with pytest.raises(BrokenError, match=told):
        besieged.check_chain()

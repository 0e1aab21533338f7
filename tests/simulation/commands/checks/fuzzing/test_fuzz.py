"""Nodes under fire: a sound core holds, a broken one is found, told and reproduced, and the fire is varied enough."""

import subprocess
import sys
from collections import Counter
from functools import cache

import pytest

from protocol.events import Command, Event, MessageReceived
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import TrainingMissing, TrainingReason
from protocol.node import Node
from protocol.verdicts import ChainReason, LedgerReason, Missing, Reason
from simulation.commands.checks.fuzzing.fuzz import FRAMES_PER_SEED, FuzzResult, run_seed, run_seeds, split
from simulation.commands.cli import main
from tests.support.core import get_proposer
from tests.support.fuzzing import TRAINING

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("fuzz")]

SEEDS = range(6)
"""Among them one that fills the inbox."""

UNREACHABLE = {
    ChainReason.NOT_FOR_ME,
    TrainingReason.JOB_DELIVERED,
    LedgerReason.POOL_FULL,
    LedgerReason.NO_STAMP,
    LedgerReason.BAD_STAMP,
    ChainReason.TOO_LATE,
}
"""Only light clients say the first two, a pool has more room than so few accounts can fill, no chain asks for stamps,
and runs end before anything is late."""

RARE = {
    LedgerReason.BELOW_DEPOSIT,
    LedgerReason.UNASKED_STAMP,
    TrainingReason.TOO_MANY_DECLARATIONS,
    TrainingReason.WINDOW_CLOSED,
    ChainReason.EQUIVOCATION,
    TrainingReason.REFUSED_HEADER,
    ChainReason.REFUSED_BLOCK,
}
"""So few frames may miss some of them."""


@cache
def list_results() -> list[FuzzResult]:
    return [run_seed(seed, mechanism=TRAINING) for seed in SEEDS]


# ---- a sound core ----


def test_a_sound_core_holds() -> None:
    for result in list_results():
        assert result.fault is None
        assert result.sent == result.frames == FRAMES_PER_SEED
        assert result.verdicts.total() >= result.sent


def test_a_seed_comes_to_the_same_again() -> None:
    assert run_seed(5, 600, mechanism=TRAINING) == run_seed(5, 600, mechanism=TRAINING)


def test_nothing_depends_on_the_process() -> None:
    def tell(hash_seed: str) -> str:
        module = "simulation.commands.checks.fuzzing.fuzz"
        command = f"from {module} import run_seed; print(sorted(run_seed(3, 300).verdicts.items()))"
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
    assert main(["fuzz", "--first", "5", "--frames", "400", "--jobs", "1", "--mechanism", TRAINING]) == 0
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
    waited_for = {item.value for item in Missing} - {
        TrainingMissing.COMPARISON.value
    }  # only chains with a tolerance compare
    assert waited_for <= given


def test_the_victim_is_under_fire_in_every_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    phases: Counter[Phase] = Counter()
    handle = Node.handle

    def note_phase(node: Node, event: Event, now: int) -> list[Command]:
        phases[get_proposer(node).phase] += isinstance(event, MessageReceived) and event.peer.startswith("intruder")
        return handle(node, event, now)

    monkeypatch.setattr(Node, "handle", note_phase)
    for seed in (0, 1, 2):
        run_seed(seed, mechanism=TRAINING)
    assert phases.total() == 3 * FRAMES_PER_SEED
    assert min(phases[phase] for phase in Phase) > FRAMES_PER_SEED / 20


def test_the_victim_takes_some_messages_of_insiders() -> None:
    accepted = [result.verdicts["accept", ""] for result in list_results()]
    assert min(accepted) > 0
    assert sum(accepted) > 50 * len(accepted)

"""The frames a node is fired at are varied, and signed by who may."""

from collections import Counter
from contextlib import suppress
from functools import cache

import msgspec
import pytest

from protocol.codec import MAX_FRAME_BYTES, DecodeError
from protocol.mechanism import Context
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingContext
from protocol.mechanisms.proof_of_training.messages import MESSAGE_KINDS, WrappedBlock
from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.messages import LateBlock
from protocol.rules import Rules
from protocol.verdicts import ACCEPT, Reject
from simulation.commands.checks.fuzzing.fuzz import rehearse
from simulation.commands.checks.fuzzing.mutator import Mutator
from simulation.mechanisms.proof_of_training.colluding_block import build_colluding_block
from simulation.scenario.world.key_pairs import make_keys
from tests.support.fuzzing import make_generator, make_plan

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("mutator")]


@cache
def get_frames(seed: int) -> list[bytes]:
    return rehearse(make_plan(seed))[0]


def make_mutator(seed: int) -> Mutator:
    plan = make_plan(seed)
    keys = [make_keys(spec.key_seed) for spec in plan.world.nodes]
    mutator = Mutator(make_generator(seed), Rules(plan.world.mechanism), keys, plan.kit)
    for frame in get_frames(seed):
        mutator.seen.learn(frame)
    return mutator


def test_honest_runs_hold_every_kind_of_message() -> None:
    rules = {seed: Rules(make_plan(seed).world.mechanism) for seed in range(6)}
    kinds = Counter(kind for seed in rules for kind in {rules[seed].decode(frame).kind for frame in get_frames(seed)})
    assert set(kinds) - {LateBlock.kind} == set(MESSAGE_KINDS)  # sent only where last blocks compete
    assert min(kinds[kind] for kind in MESSAGE_KINDS) >= 4


def test_frames_are_made_in_every_way() -> None:
    ways: Counter[str] = Counter()
    sizes = set()
    for seed in range(6):
        mutator = make_mutator(seed)
        mutants = [mutator.draw() for _ in range(1_000)]
        ways.update(mutant.way for mutant in mutants)
        sizes |= {len(mutant.frame) for mutant in mutants}
    assert len(ways) == len(make_mutator(0)._ways)
    assert MAX_FRAME_BYTES + 1 in sizes
    assert min(sizes) < 10


def test_most_changed_messages_are_signed_by_somebody_who_may() -> None:
    signed: Counter[bool] = Counter()
    for seed in range(6):
        mutator, rules = make_mutator(seed), Rules(make_plan(seed).world.mechanism)
        for mutant in (mutator.draw() for _ in range(500)):
            if mutant.way == "message with a changed field" and mutant.frame not in get_frames(seed):
                with suppress(DecodeError):
                    signed[rules.is_signed(rules.decode(mutant.frame))] += 1
    assert signed.total() > 200
    assert 0.4 < signed[True] / signed.total() < 0.95


def test_colluders_sign_whatever_the_header_says() -> None:
    world = make_plan(1).world
    rules, keys = Rules(world.mechanism), {make_keys(s.key_seed).public: make_keys(s.key_seed) for s in world.nodes}
    honest = next(m for m in map(rules.decode, get_frames(1)) if isinstance(m, WrappedBlock) and m.height == 1)
    header = msgspec.structs.replace(honest.header, weights_digest=bytes(32), training_secret=bytes(32))
    own = OwnTraining(weights_digest=honest.header.weights_digest, secret=honest.header.training_secret)
    place: TrainingContext = Context(rules=rules, parent=rules.origin, now=10**15, own=None)
    assert rules.judge_in_full(place, build_colluding_block(rules, keys, honest.header)) == ACCEPT
    forged = build_colluding_block(rules, keys, header)
    assert rules.judge_in_full(place, forged) == ACCEPT
    with_training = msgspec.structs.replace(place, own=own)
    assert rules.judge_in_full(with_training, forged) == Reject(TrainingReason.DIFFERENT_WEIGHTS)

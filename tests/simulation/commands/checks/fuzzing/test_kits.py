"""Firing at nodes of every mechanism: a sound core holds, all messages and reasons come up, a broken one is found."""

from collections import Counter
from functools import cache
from typing import Any

import msgspec
import pytest

from protocol.crypto import KeyPair
from protocol.mechanism import Context
from protocol.mechanisms import find_mechanism
from protocol.mechanisms.proof_of_work.mechanism import ProofOfWork, as_work
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.reasons import WorkReason
from protocol.messages import LateBlock
from protocol.node import Node
from protocol.rules import Rules
from protocol.types import Hash32
from protocol.verdicts import ACCEPT
from simulation.commands.checks.fuzzing.fuzz import FuzzResult, rehearse, run_seed
from simulation.commands.checks.fuzzing.kit import FuzzKit
from simulation.commands.checks.fuzzing.mutator import Mutator
from simulation.commands.cli import main
from simulation.foundation.mechanism_parts import SHIPPED
from simulation.mechanisms.proof_of_work.fuzz import WorkFuzz
from simulation.scenario.world.key_pairs import make_keys
from tests.round_robin.mechanism import RoundRobin
from tests.round_robin.parts import register
from tests.support.fuzzing import TRAINING, make_generator, make_network, make_plan

pytestmark = [pytest.mark.many_runs, pytest.mark.xdist_group("fuzz kits")]

OTHERS = [name for name in SHIPPED if name != TRAINING]
"""Those of which no other test asks for as much."""

WORK = "proof_of_work"
SEEDS = range(4)
RARE_MESSAGES: dict[str, set[str]] = {}
"""Messages of a mechanism that honest nodes have no reason to send."""
RARE_REASONS = {
    "stake_chain": {"nothing-to-slash", "doubled-evidence"},
    "stake_bft": {"too-early"},
    "proof_of_activity": {"refused-template", "signers-not-ordered"},
}
"""Reasons of a mechanism that so few frames may miss."""

register()


@cache
def list_results(mechanism: str) -> list[FuzzResult]:
    return [run_seed(seed, mechanism=mechanism) for seed in SEEDS]


@cache
def get_frames(seed: int, mechanism: str) -> list[bytes]:
    return rehearse(make_plan(seed, mechanism))[0]


@pytest.mark.parametrize("mechanism", OTHERS)
def test_a_sound_core_holds(mechanism: str) -> None:
    for result in list_results(mechanism):
        assert (result.mechanism, result.fault) == (mechanism, None)
        assert result.sent == result.frames
    accepted = [result.verdicts["accept", ""] for result in list_results(mechanism)]
    assert min(accepted) > 0


def test_a_chain_that_has_lost_all_its_stake_is_over() -> None:
    """Forged blocks in everybody's name are evidence against everybody: nothing is left at stake after block 5 of 8."""
    result = run_seed(7, mechanism="stake_chain", frames=2_500)
    assert (result.fault, result.sent) == (None, 2_500)


@pytest.mark.parametrize("mechanism", OTHERS)
def test_every_reason_of_its_own_is_given(mechanism: str) -> None:
    given = {reason for result in list_results(mechanism) for _, reason in result.verdicts}
    own = {reason.value for reason in find_mechanism(mechanism).reasons}
    assert own - given <= RARE_REASONS.get(mechanism, set())


@pytest.mark.parametrize("mechanism", SHIPPED)
def test_undisturbed_runs_hold_every_kind_of_message(mechanism: str) -> None:
    kinds: Counter[str] = Counter()
    wanted: set[str] = set()
    for seed in SEEDS:
        rules = Rules(make_plan(seed, mechanism).world.mechanism)
        kinds.update(rules.decode(frame).kind for frame in get_frames(seed, mechanism))
        wanted |= {kind.kind for kind in rules.mechanism.messages}
    assert wanted - set(kinds) - {LateBlock.kind} <= RARE_MESSAGES.get(mechanism, set())


def test_a_mechanism_without_a_kit_is_fired_at_all_the_same() -> None:
    assert type(make_plan(1, RoundRobin.name).kit) is FuzzKit
    results = [run_seed(seed, 800, mechanism=RoundRobin.name) for seed in (1, 2)]
    assert [result.fault for result in results] == [None, None]
    given = {reason for result in results for _, reason in result.verdicts}
    assert given >= {"not-its-turn", "wrong-coinbase", "bad-signature"}


def test_the_command_fires_at_nodes_of_a_mechanism(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--first", "2", "--frames", "300", "--jobs", "1", "--mechanism", WORK]) == 0
    told = capsys.readouterr().out
    assert told.startswith("300 frames, seeds 2 to 2, ")
    listed = {line.split()[1] for line in told.splitlines()[2:] if not line.startswith("accept")}
    assert listed >= {reason.value for reason in WorkReason}
    assert "different-weights" not in listed


# ---- work ----


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_forged_block_is_worked_for(seed: int) -> None:
    """What is refused then is refused for what it says, and a block that says nothing wrong is accepted."""
    plan, network = make_plan(seed, WORK), make_network(seed, mechanism=WORK)
    rules, keys = Rules(plan.world.mechanism), [make_keys(spec.key_seed) for spec in plan.world.nodes]
    mutator = Mutator(make_generator(seed), rules, keys, plan.kit)
    for frame in get_frames(seed, WORK):
        mutator.seen.learn(frame)
    network.run()
    mutator.forge.tree = network.nodes["node-0"].tree
    block = network.nodes["node-0"].tree.head.block
    assert isinstance(block, WorkedBlock)
    assert isinstance(plan.kit, WorkFuzz)
    parent = mutator.forge.find_parent(block.parent)
    assert parent is not None
    place: Context[Any] = Context(rules=rules, parent=parent, now=10**15, own=None)
    bare = msgspec.structs.replace(block, transactions=(), slot=block.slot + 1)
    assert rules.judge_in_full(place, bare) != ACCEPT
    verdicts = [rules.judge_in_full(place, plan.kit.complete(mutator.forge, parent, bare)) for _ in range(20)]
    assert verdicts.count(ACCEPT) > 5


class Careless(ProofOfWork):
    """Takes any nonce."""

    def does(self, nonce: int, digest: Hash32, target: int) -> bool:
        return True


class Trusting(Node):
    """Takes blocks that nobody has worked for."""

    def __init__(self, rules: Rules, keys: KeyPair, **options: Any) -> None:
        super().__init__(Rules(Careless(as_work(rules.mechanism).genesis)), keys, **options)


def test_a_core_that_believes_in_work_is_found() -> None:
    results = (run_seed(seed, victim=Trusting, mechanism=WORK) for seed in SEEDS)
    found = next(result for result in results if result.fault is not None)
    assert found.fault is not None
    assert found.fault.text.startswith("standstill: ")

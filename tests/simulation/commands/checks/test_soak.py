"""Random scenarios: sound ones hold, and a broken core is found, reproduced and shrunk."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import msgspec
import pytest

from protocol.chain import BlockTree
from protocol.crypto import KeyPair
from protocol.events import ChainRecord, Command, Event, TimerFired
from protocol.mechanisms.proof_of_training.judging import TrainingContext, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration
from protocol.node import Node
from protocol.rules import Rules
from protocol.verdicts import Verdict
from simulation.attacks.catalogue import load_catalogue
from simulation.commands.checks.soak import (
    SoakResult,
    describe_failure,
    is_broken,
    run_raw,
    run_seed,
    run_seeds,
    shrink,
)
from simulation.commands.checks.soak_scenarios import draw_scenario, list_drawn
from simulation.commands.cli import main
from simulation.foundation.mechanism_parts import SHIPPED
from simulation.scenario.scenario import Scenario
from tests.round_robin.mechanism import RoundRobin
from tests.round_robin.parts import register

pytestmark = pytest.mark.xdist_group("soak")

TRAINING = "proof_of_training"
SEEDS = range(40)
DRAWN = 1_000
DRAWN_OF_EACH = 100


# ---- a sound core ----


@pytest.mark.many_runs
def test_random_scenarios_hold() -> None:
    results = list(run_seeds(0, len(SEEDS), 1, TRAINING))
    assert [result.seed for result in results] == list(SEEDS)
    assert [result for result in results if result.fault is not None] == []
    assert {result.reason for result in results} <= {"complete", "delivered", "time-limit"}
    assert sum(result.reason == "complete" for result in results) > len(SEEDS) / 2


@pytest.mark.parametrize("mechanism", SHIPPED)
def test_a_seed_comes_to_the_same_again_under_every_mechanism(mechanism: str) -> None:
    result = run_seed(31, mechanism)
    assert result == run_seed(31, mechanism)
    assert (result.mechanism, result.fault) == (mechanism, None)


def test_the_command_tells_how_many_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", "--first", "10", "--count", "5", "--jobs", "1", "--mechanism", TRAINING]) == 0
    told = capsys.readouterr()
    assert "5 of 5 scenarios" in told.out
    assert "0 broken" in told.out
    assert "seeds 10 to 14" in told.out
    assert told.err == ""


# ---- what is drawn ----


@cache
def draw_all() -> list[dict[str, Any]]:
    return [draw_scenario(seed, TRAINING) for seed in range(DRAWN)]


@pytest.mark.many_runs
def test_every_seed_draws_a_valid_scenario_and_the_same_again() -> None:
    for seed, raw in enumerate(draw_all()):
        scenario = Scenario.model_validate(raw)
        assert (scenario.seed, scenario.engine, scenario.virtual.trainer) == (seed, "virtual", "fake")
        assert raw == draw_scenario(seed, TRAINING)
    assert len({json.dumps({**raw, "seed": 0, "description": ""}) for raw in draw_all()}) > DRAWN * 0.99


def has_outage(raw: dict[str, Any], **wanted: Any) -> bool:
    outages = raw["network"].get("outages", [])
    return any(all(item[name] == value for name, value in wanted.items()) for item in outages)


def has_latency(kind: str, raw: dict[str, Any]) -> bool:
    return bool(raw["network"]["latency"]["kind"] == kind)


def has_topology(name: str, raw: dict[str, Any]) -> bool:
    return bool(raw["network"]["topology"] == name)


def has_role(role: str, raw: dict[str, Any]) -> bool:
    return any(item["role"] == role for item in raw["populations"])


def has_rules(number: int, raw: dict[str, Any]) -> bool:
    return bool(raw["protocol"]["rules"] == number)


def has_behaviour(kind: str, raw: dict[str, Any]) -> bool:
    behaviours = [item for population in raw["populations"] for item in population.get("behaviours", ())]
    return any(kind == (item if isinstance(item, str) else item["kind"]) for item in behaviours)


DRAWN_BEHAVIOURS = sorted(
    kind for kind, item in load_catalogue().items() if not item.traits.is_role and item.mechanism in (None, TRAINING)
)
"""The others are drawn as roles."""

DRAWN_KINDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no fault": lambda raw: (
        not any(raw["network"].get(name) for name in ("loss", "duplication", "reordering", "partitions", "outages"))
    ),
    "loss": lambda raw: raw["network"]["loss"],
    "duplication": lambda raw: raw["network"]["duplication"],
    "reordering": lambda raw: raw["network"]["reordering"],
    "partition": lambda raw: raw["network"].get("partitions"),
    "eclipse": lambda raw: raw["network"].get("eclipses"),
    "late join": lambda raw: has_outage(raw, down_s=0.0),
    "crash, disk kept": lambda raw: has_outage(raw, disk="kept") and not has_outage(raw, down_s=0.0),
    "crash, disk lost": lambda raw: has_outage(raw, disk="lost") and not has_outage(raw, down_s=0.0),
    **{f"latency {kind}": partial(has_latency, kind) for kind in ("constant", "uniform", "lognormal")},
    **{f"topology {name}": partial(has_topology, name) for name in ("full_mesh", "ring", "small_world")},
    **{f"role {role}": partial(has_role, role) for role in ("honest", "data_injection", "silent", "garbage")},
    "adversary": partial(has_role, "adversary"),
    "strategist": lambda raw: any(item["name"] == "strategist" for item in raw["populations"]),
    **{f"behaviour {kind}": partial(has_behaviour, kind) for kind in DRAWN_BEHAVIOURS},
    "no bond": lambda raw: any(item["stake"] == 0 for item in raw["populations"]),
    "rule of stake": lambda raw: "stake_share" in raw["protocol"]["confidence"],
    "rule of numbers": lambda raw: "count" in raw["protocol"]["confidence"],
    **{f"version {number} of the rules": partial(has_rules, number) for number in (1, 2)},
    "transfers": lambda raw: raw["users"]["transactions"],
}


@pytest.mark.parametrize("kind", DRAWN_KINDS)
def test_seeds_cover_what_can_go_wrong(kind: str) -> None:
    share = sum(bool(DRAWN_KINDS[kind](raw)) for raw in draw_all()) / DRAWN
    assert share > 0.02


@cache
def draw_each(mechanism: str) -> list[dict[str, Any]]:
    return [draw_scenario(seed, mechanism) for seed in range(DRAWN_OF_EACH)]


@pytest.mark.parametrize("mechanism", SHIPPED)
def test_every_mechanism_has_scenarios_of_its_own(mechanism: str) -> None:
    for seed, raw in enumerate(draw_each(mechanism)):
        assert Scenario.model_validate(raw).mechanism.name == mechanism
        assert raw == draw_scenario(seed, mechanism)
    own = {json.dumps([raw.get("mechanism"), raw.get("job"), raw["protocol"]]) for raw in draw_each(mechanism)}
    assert len(own) > DRAWN_OF_EACH / 2


@pytest.mark.parametrize("mechanism", SHIPPED)
def test_what_only_another_mechanism_has_is_not_drawn(mechanism: str) -> None:
    kinds = {item if isinstance(item, str) else item["kind"] for item in list_drawn(mechanism)}
    foreign = {kind for kind, item in load_catalogue().items() if item.mechanism not in (None, mechanism)}
    assert not kinds & foreign
    assert kinds >= {"forger", "replayer", "partitioner"}
    assert any(has_role("data_injection", raw) for raw in draw_each(mechanism)) == (mechanism == TRAINING)


def test_a_seed_draws_its_mechanism_unless_it_is_told() -> None:
    drawn = Counter(draw_scenario(seed).get("mechanism", {"name": TRAINING})["name"] for seed in range(200))
    assert set(drawn) == set(SHIPPED)
    assert min(drawn.values()) > 200 / len(SHIPPED) / 2
    for seed in range(10):
        raw = draw_scenario(seed)
        assert raw == draw_scenario(seed, raw.get("mechanism", {"name": TRAINING})["name"])


def test_a_mechanism_without_draws_of_its_own_has_a_length_and_neutral_rules() -> None:
    register()
    result = run_raw(draw_scenario(2, RoundRobin.name))
    assert result.fault is None
    assert result.mechanism == RoundRobin.name


def test_an_unknown_mechanism_is_refused_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", "--mechanism", "proof_of_wurk"]) == 2
    told = capsys.readouterr().err
    assert "proof_of_wurk" in told
    assert "did you mean 'proof_of_work'" in told


# ---- a broken core ----


def trust_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes accept what others trained, whatever their own training gave."""
    judge_header, judge_declaration = TrainingJudge.judge_header, TrainingJudge.judge_declaration

    def trust_header(pot: TrainingJudge, context: TrainingContext, header: BlockHeader) -> Verdict:
        return judge_header(pot, msgspec.structs.replace(context, own=None), header)

    def trust_declaration(pot: TrainingJudge, context: TrainingContext, declaration: TrainingDeclaration) -> Verdict:
        return judge_declaration(pot, msgspec.structs.replace(context, own=None), declaration)

    monkeypatch.setattr(TrainingJudge, "judge_header", trust_header)
    monkeypatch.setattr(TrainingJudge, "judge_declaration", trust_declaration)


def disagree_about_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let about half of the nodes prefer the worst rank among blocks of one height."""
    start = Node.__init__

    def start_badly(node: Node, rules: Rules, keys: KeyPair, **options: Any) -> None:
        start(node, rules, keys, **options)
        if keys.public[0] % 2:
            vars(node.tree)["is_better"] = partial(is_better, node.tree)

    def is_better(tree: BlockTree[Any, Any], candidate: ChainRecord) -> bool:
        return (candidate.height, candidate.rank) > (tree.head.height, tree.head.rank)

    monkeypatch.setattr(Node, "__init__", start_badly)


def count_parts(raw: dict[str, Any]) -> int:
    """Return how large a scenario is."""
    network = raw["network"]
    faults = sum(bool(network.get(name)) for name in ("partitions", "outages", "loss", "duplication", "reordering"))
    extras = faults + int(network["topology"] != "full_mesh") + bool(raw["users"]["transactions"])
    return len(raw["populations"]) + extras + int(raw["job"]["stages"])


@pytest.mark.many_runs
@pytest.mark.parametrize(
    ("breakage", "first", "invariant"),
    [(trust_everybody, 40, "poison: "), (disagree_about_forks, 18, "progress: ")],
)
def test_a_broken_core_is_found_reproduced_and_shrunk(
    breakage: Callable[[pytest.MonkeyPatch], None], first: int, invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    found = next(
        result
        for result in (run_seed(seed, TRAINING) for seed in range(first, first + 200))
        if result.fault is not None
    )
    assert found.fault is not None
    assert found.fault.startswith(invariant)
    assert run_seed(found.seed, TRAINING).fault == found.fault
    told = describe_failure(found).splitlines()
    assert told[0] == f"seed {found.seed}: {found.fault}"
    assert told[1].endswith(f"python main.py soak --first {found.seed} --count 1 --jobs 1 --mechanism {TRAINING}")
    simplest = json.loads(told[2].removeprefix("simplest: "))
    assert is_broken(simplest)
    assert run_raw(simplest).fault is not None
    assert count_parts(simplest) <= count_parts(draw_scenario(found.seed, TRAINING))
    monkeypatch.undo()
    assert run_seed(found.seed, TRAINING).fault is None


def fail_in_a_node(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    """Let nodes raise an exception at events of a kind, once they have a block."""
    handle = Node.handle

    def fail_later(node: Node, event: Event, now: int) -> list[Command]:
        if node.tree.head.height and isinstance(event, kind):
            raise RuntimeError("on purpose")
        return handle(node, event, now)

    monkeypatch.setattr(Node, "handle", fail_later)


@pytest.mark.parametrize("kind", [TimerFired, Event], ids=["timer", "anything"])
def test_an_exception_inside_a_node_is_a_fault_of_its_seed(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in_a_node(monkeypatch, kind)
    result = run_seed(5, TRAINING)
    assert result.reason == "failed"
    assert result.fault is not None
    assert "on purpose" in result.fault
    assert "--first 5 " in describe_failure(result)


def test_the_command_ends_with_1_and_names_the_way_to_see_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in_a_node(monkeypatch, Event)
    assert main(["soak", "--first", "5", "--count", "2", "--jobs", "1"]) == 1
    told = capsys.readouterr()
    for seed in (5, 6):
        assert f"main.py soak --first {seed} --count 1" in told.err
    assert "2 broken" in told.out


# ---- shrinking ----


def test_shrinking_leaves_only_what_is_needed() -> None:
    raw = next(raw for raw in draw_all() if raw["network"].get("partitions") and count_parts(raw) >= 9)

    def needs_partition_and_two_stages(candidate: dict[str, Any]) -> bool:
        Scenario.model_validate(candidate)
        return bool(candidate["network"].get("partitions")) and candidate["job"]["stages"] >= 2

    raw = {**raw, "job": {**raw["job"], "stages": 3}}
    simplest = shrink(raw, lambda candidate: _is_valid(candidate) and needs_partition_and_two_stages(candidate))
    assert simplest["job"]["stages"] == 2
    assert simplest["network"]["partitions"] == raw["network"]["partitions"]
    assert simplest["network"]["topology"] == "full_mesh"
    assert not [name for name in ("outages", "loss", "duplication", "reordering") if simplest["network"].get(name)]
    assert simplest["users"]["transactions"] == 0


def _is_valid(raw: dict[str, Any]) -> bool:
    try:
        Scenario.model_validate(raw)
    except ValueError:
        return False
    return True


def test_what_cannot_be_made_smaller_stays_as_it_is() -> None:
    raw = draw_scenario(1, TRAINING)
    assert shrink(raw, lambda _: False) == raw


def test_an_impossible_scenario_is_not_a_broken_one() -> None:
    assert not is_broken({**draw_scenario(1, TRAINING), "populations": []})
    assert isinstance(run_raw(draw_scenario(1, TRAINING)), SoakResult)

"""The virtual engine in memory, with made-up training: one seed gives one trace, and what its options change."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from protocol.events import Command, Event, MessageReceived, Send, Started, TimerFired, WorkFinished
from protocol.messages import BlockRequest
from protocol.node import Node
from simulation.commands.checks.soak_scenarios import draw_scenario
from simulation.engines.result import PartyError
from simulation.engines.virtual.queue import SchedulingError
from simulation.records.tally import Tally
from simulation.scenario.world.key_pairs import make_keys
from simulation.training.fake_trainer import FakeTrainer
from simulation.training.samples import Weights
from tests.support.memory_runs import Ended, Simulated, make_raw, population, prepare, simulate
from tests.support.scenarios import shipped

pytestmark = pytest.mark.xdist_group("virtual")

SECOND = 1_000_000_000
EVENTS: tuple[type[Event], ...] = (Started, MessageReceived, TimerFired, WorkFinished)

HOSTILE: dict[str, Any] = make_raw(
    population("honest", 6),
    population("lone", 2, "data_injection", stake=100.0, colluding=False),
    population("garbage", 1, "garbage"),
    users={"count": 3, "transactions": 5, "per_second": 5.0},
    network={
        "topology": "small_world",
        "degree": 4,
        "loss": 0.05,
        "duplication": 0.2,
        "reordering": 0.2,
        "partitions": [{"start_s": 0.0, "heal_s": 4.0, "groups": [["honest-0", "honest-1"], ["honest-2", "honest-3"]]}],
        "outages": [{"node": "honest-5", "down_s": 0.3, "up_s": 5.0, "disk": "lost"}],
    },
)
"""A little of everything, and agreement in the end."""


@cache
def run_hostile() -> Ended:
    return simulate(HOSTILE)


def assert_same(first: Simulated, second: Simulated) -> None:
    texts = [[record.to_line().to_json() for record in run.records] for run in (first, second)]
    assert texts[0] == texts[1]


# ---- one seed, one trace ----


TRAINING = "proof_of_training"
DRAWN = (*(draw_scenario(seed, TRAINING) for seed in (5, 9, 31)), draw_scenario(7, "proof_of_work"))


@pytest.mark.parametrize("raw", [HOSTILE, *DRAWN])
def test_a_seed_gives_the_same_trace_again(raw: dict[str, Any]) -> None:
    first, again = simulate(raw), simulate(raw)
    assert_same(first, again)
    assert len(first.records) > 100
    assert first.result == again.result


@pytest.mark.parametrize("changes", [{"seed": 8}, {"network": {**HOSTILE["network"], "loss": 0.06}}])
def test_another_seed_and_another_network_give_another_trace(changes: dict[str, Any]) -> None:
    assert run_hostile().lines != simulate({**HOSTILE, **changes}).lines


def test_time_never_goes_back_in_the_trace() -> None:
    times = [record.time for record in run_hostile().records]
    assert times == sorted(times)


def test_a_little_of_everything_still_ends_in_agreement() -> None:
    run = run_hostile()
    assert run.reason == "complete"
    run.assert_agreed()
    assert {"malformed", "bad-signature", "oversized"} <= set(run.tally.rejected_from["garbage"])
    assert run.tally.rejected_from["lone"]["different-weights"] > 0


# ---- training ----


def test_a_stage_takes_its_steps_at_the_speed_of_the_population() -> None:
    raw = make_raw(population("honest", 3), population("slow", 1, speed=0.25), virtual={"step_us": 500.0})
    run = simulate(raw)
    first = {record.who: record.time for record in run.find("trained", stage=0)}
    assert first == {"honest-0": 0.05, "honest-1": 0.05, "honest-2": 0.05, "slow-0": 0.2}
    for started in run.find("training"):
        done = [record.time for record in run.find("trained", started.who, stage=started.fields["stage"])]
        assert done == [pytest.approx(started.time + first[started.who])]


@pytest.mark.parametrize("raw", [HOSTILE, draw_scenario(31, TRAINING)])
def test_equal_training_done_once_or_by_each_gives_the_same_trace(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    train = FakeTrainer.train

    def count(trainer: FakeTrainer, stage: int, base: Weights | None) -> Any:
        trained.append(stage)
        return train(trainer, stage, base)

    monkeypatch.setattr(FakeTrainer, "train", count)
    once = simulate(raw)
    done_once = len(trained)
    each = simulate({**raw, "virtual": {"trainer": "fake", "memoise_training": False}})
    assert_same(once, each)
    assert done_once < len(trained) - done_once


@pytest.mark.parametrize("is_poison_first", [False, True])
def test_a_stage_that_poison_did_not_touch_is_clean_where_clean_nodes_trained_it(
    is_poison_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = FakeTrainer.train

    def train_alike(trainer: FakeTrainer, stage: int, base: Weights | None) -> Any:
        return train(FakeTrainer(trainer._job, "clean") if stage == 0 else trainer, stage)

    monkeypatch.setattr(FakeTrainer, "train", train_alike)
    populations = [population("honest", 5), population("lone", 1, "data_injection", stake=1.0)]
    run = simulate(make_raw(*(reversed(populations) if is_poison_first else populations)))
    said = {record.who: record.fields["data"] for record in run.find("trained", stage=0)}
    assert said == {**{f"honest-{index}": "clean" for index in range(5)}, "lone-0": "poisoned"}
    run.assert_agreed()


def test_a_poisoning_majority_deceives_the_employer_and_nobody_else() -> None:
    scenario = shipped("majority_attack", "engine=virtual", "virtual.trainer=fake", "run.linger_s=5")
    run = simulate(scenario.model_dump(mode="json"))
    assert run.reason == "delivered"
    assert run.broken is None
    assert run.tally.count_poisoned_employer() == scenario.job.stages
    assert run.tally.count_poisoned_honest() == 0
    assert {node.height for node in run.tally.get_honest()} == {0}
    assert run.tally.rejected_from["poisoners"]["different-weights"] > 0


# ---- counting instead of recording ----

FIGURES: dict[str, Callable[[Tally], object]] = {
    "sent": lambda tally: tally.sent,
    "bytes": lambda tally: tally.sent_bytes,
    "accepted": lambda tally: tally.accepted,
    "rejected": lambda tally: tally.rejected,
    "ignored": lambda tally: tally.ignored,
    "accepted from": lambda tally: tally.accepted_from,
    "rejected by population": lambda tally: tally.rejected_from,
    "agreement": lambda tally: tally.compute_agreement()[0],
    "head": lambda tally: tally.compute_agreement()[1].head,
    "forks": lambda tally: tally.count_forks(),
    "deepest reorganisation": lambda tally: tally.reorg_depth_max,
    "poisoned, honest": lambda tally: tally.count_poisoned_honest(),
    "poisoned, employer": lambda tally: tally.count_poisoned_employer(),
    "training": lambda tally: [round(cpu_s, 6) for cpu_s in tally.sum_training_cpu()],
    "nodes": lambda tally: {
        label: (node.height, node.head, node.balance, node.outcome) for label, node in tally.nodes.items()
    },
}


@pytest.fixture(scope="module")
def recorded() -> Simulated:
    return simulate(draw_scenario(1, TRAINING))


@pytest.fixture(scope="module")
def counted() -> Simulated:
    return simulate({**draw_scenario(1, TRAINING), "output": {"pictures": False, "records": "essential"}})


@pytest.mark.parametrize("figure", FIGURES)
def test_counting_gives_the_figure_that_recording_gives(figure: str, recorded: Simulated, counted: Simulated) -> None:
    assert FIGURES[figure](counted.tally) == FIGURES[figure](recorded.tally)


def test_counting_blames_the_link_for_what_is_forged_as_recording_does() -> None:
    crowd = (population("honest", 4), population("bad", 1, "adversary", behaviours=["forger"]))
    raw = make_raw(*crowd, users={"count": 2, "transactions": 4, "per_second": 4.0})
    recorded = simulate(raw).tally.rejected_from
    assert recorded["bad"]["bad-signature"] > 0
    assert simulate({**raw, "output": {"pictures": False, "records": "essential"}}).tally.rejected_from == recorded


def test_counting_leaves_most_records_out(recorded: Simulated, counted: Simulated) -> None:
    assert len(counted.records) < len(recorded.records) / 4
    assert not {record.event for record in counted.records} & {"accepted", "rejected", "relayed", "trained", "won"}


# ---- endings ----


def test_a_run_that_cannot_progress_ends_at_the_time_limit() -> None:
    raw = make_raw(population("honest", 3), population("silent", 3, "silent"), run={"time_limit_s": 12.5})
    run = simulate({**raw, "protocol": {**raw["protocol"], "confidence": {"count": 4}}})
    assert (run.reason, run.engine.queue.now, run.broken) == ("time-limit", round(12.5 * SECOND), None)
    assert {node.height for node in run.tally.nodes.values()} == {0}
    assert {record.who for record in run.find("final")} == {*run.tally.nodes, "employer"}


def test_nodes_that_cannot_agree_get_the_lingering_time_after_delivery() -> None:
    cut = {"start_s": 0.0, "heal_s": 1e6, "groups": [["honest-4"], ["honest-0", "honest-1", "honest-2", "honest-3"]]}
    run = simulate(make_raw(network={"partitions": [cut]}, run={"linger_s": 9.0}))
    delivered = run.find("appended", "employer", height=3)[0].time
    assert (run.reason, run.broken) == ("delivered", None)
    assert run.engine.queue.now / SECOND == pytest.approx(delivered + 9)
    assert run.tally.compute_agreement()[0] == 0.8


def test_a_run_is_complete_as_soon_as_all_have_the_whole_chain() -> None:
    run = simulate(make_raw())
    assert run.reason == "complete"
    last = max(record.time for record in run.find("appended", height=3))
    assert run.engine.queue.now / SECOND == last
    assert len(set(run.result.chains.values())) == 1


def test_after_the_end_nothing_can_be_scheduled() -> None:
    run = simulate(make_raw())
    with pytest.raises(SchedulingError, match="the run ended"):
        run.engine.queue.schedule(run.engine.queue.now, lambda: None)


# ---- our own mistakes ----


def sabotage(
    run: Simulated, kind: type[Event], mistake: Callable[[Node], list[Command]], patch: pytest.MonkeyPatch
) -> None:
    """Let one node make a mistake at its first event of a kind."""
    seed = next(node.key_seed for node in run.world.nodes if node.label == "honest-2")
    handle = Node.handle

    def handle_badly(node: Node, event: Event, now: int) -> list[Command]:
        commands = handle(node, event, now)
        is_victim = node.keys.public == make_keys(seed).public and isinstance(event, kind)
        return commands + mistake(node) if is_victim else commands

    patch.setattr(Node, "handle", handle_badly)


def fail(node: Node) -> list[Command]:
    raise RuntimeError("on purpose")


def write_to_nobody(node: Node) -> list[Command]:
    return [Send("nobody-7", BlockRequest(locator=(), author=node.keys.public))]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_an_exception_inside_a_node_names_node_event_and_seed(
    kind: type[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare(make_raw(seed=48113))
    sabotage(run, kind, fail, monkeypatch)
    with pytest.raises(PartyError, match=r"^honest-2 failed at event \d+ .*48113.*RuntimeError: on purpose") as caught:
        run.run()
    assert f"event {run.engine.queue.count} ({run.engine.queue.now} ns, seed 48113)" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)
    again = prepare(make_raw(seed=48113))
    with pytest.raises(PartyError) as caught_again:
        again.run()
    assert str(caught_again.value) == str(caught.value)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_a_message_to_nobody_stops_the_run_and_names_both(kind: type[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare(make_raw())
    sabotage(run, kind, write_to_nobody, monkeypatch)
    with pytest.raises(PartyError, match=r"^honest-2 failed at event .*nobody-7"):
        run.run()

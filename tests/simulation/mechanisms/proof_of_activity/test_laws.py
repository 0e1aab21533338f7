"""What is known of proof of activity in closed form, held against runs in simulated time with fixed seeds."""

from typing import Any

import pytest

from simulation.analysis.measures import compute_measures
from simulation.analysis.promises import find_promises
from simulation.mechanisms.proof_of_activity.formulas import compute_partisan_blocks, compute_through
from simulation.mechanisms.proof_of_activity.keys import as_activity_keys
from tests.simulation.mechanisms.proof_of_activity.scenarios import make_raw, withholders
from tests.support.goodness import has_shares
from tests.support.memory_runs import Ended, simulate

pytestmark = pytest.mark.many_runs

LENGTH = 150
SLOW = {"protocol": {"slot_ms": 5_000.0}, "network": {"latency": {"kind": "constant", "ms": 0.0}}}
"""Looks at one's own head are rare beside blocks, and links take no time."""
MECHANISM = {"interval_ms": 1_000.0, "slice_ms": 1_000.0}


def run(*populations: dict[str, Any], **changes: Any) -> Ended:
    mechanism = {**MECHANISM, **changes.pop("mechanism", {})}
    ended = simulate(make_raw(*populations, **{"length": LENGTH, **SLOW, **changes}, mechanism=mechanism))
    assert (ended.reason, ended.broken) == ("complete", None)
    assert sum(counts.total() for counts in ended.tally.rejected_from.values()) == 0
    return ended


def measure(ended: Ended) -> dict[str, Any]:
    return compute_measures(ended.tally, "proof_of_activity")


@pytest.fixture(scope="module")
def shared() -> Ended:
    """A run in which a withholder has three tenths of work and stake."""
    members = withholders(2, speed=1.5, stake=150.0, behaviours=["activity_withholder"])
    return run({"count": 5, "speed": 1.4, "stake": 140.0}, members)


def test_templates_come_through_as_often_as_all_their_places_are_others(shared: Ended) -> None:
    templates = measure(shared)["templates"]
    made = shared.tally.activity.templates
    honest = sum(count for label, count in made.items() if label.startswith("honest"))
    through = round(templates["through_of"]["honest"] * honest)
    assert has_shares([through, honest - through], [0.343, 0.657])
    assert not has_shares([through, honest - through], [0.49, 0.51])  # as if two were drawn
    assert templates["through_of"]["withholders"] == 1
    assert templates["found"] == made.total() == templates["dead"] + len(shared.tally.blocks)
    assert templates["each"] == made.total() / LENGTH


def test_withholders_have_more_than_their_share_of_the_blocks(shared: Ended) -> None:
    measures, share = measure(shared), compute_partisan_blocks(0.3, 0.3, 3, 3)
    found = round(measures["proposed"]["withholders"] * LENGTH)
    assert share > 0.55
    assert has_shares([found, LENGTH - found], [share, 1 - share])
    assert not has_shares([found, LENGTH - found], [0.3, 0.7])
    assert measures["work"]["power"]["withholders"] == pytest.approx(0.3, abs=0.02)


def test_blocks_are_closed_by_stake_and_mined_by_work() -> None:
    ended = run(
        {"name": "rich", "count": 2, "stake": 400.0},
        {"name": "fast", "count": 2, "stake": 50.0, "speed": 3.0},
        {"name": "plain", "count": 1, "stake": 100.0, "speed": 2.0},
    )
    measures = measure(ended)
    for what, shares in (("proposed", (2, 6, 2)), ("closed", (8, 1, 1))):
        found = [round(measures[what][name] * LENGTH) for name in ("rich", "fast", "plain")]
        assert has_shares(found, shares)
        assert not has_shares(found, [1, 1, 1])


@pytest.mark.parametrize(
    ("mechanism", "group"), [({}, (3, 3)), ({"preset": "decred", "interval_ms": 100_000.0, "slice_ms": 1e5}, (5, 3))]
)
def test_dead_templates_of_silent_owners_cost_their_work_and_no_more(
    mechanism: dict[str, Any], group: tuple[int, int]
) -> None:
    """A third of the stake is silent, and mines what nobody hears of: the target follows, and blocks come in time."""
    mute = {"name": "mute", "role": "silent", "count": 2}
    ended = run({}, mute, mechanism={"window": 10, **mechanism})
    made = sum(count for label, count in ended.tally.activity.templates.items() if label.startswith("honest"))
    through, scenario = compute_through(2 / 3, *group), ended.world.scenario
    closed = len(ended.tally.first_appended)
    assert has_shares([closed, made - closed], [through, 1 - through])
    assert measure(ended)["templates"]["through_of"] == {"honest": closed / made, "mute": 0.0}
    times = sorted(ended.tally.first_appended.values())[20:]
    interval_s = as_activity_keys(scenario.mechanism).interval_ms / 1e3
    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(interval_s, rel=0.3)
    needed_s = find_promises(scenario).estimate_chain_s(scenario)
    assert needed_s == pytest.approx(LENGTH * interval_s / through * 6 / 4, rel=0.01)
    assert ended.tally.last_time < LENGTH * interval_s / through * 6 / 4


def test_templates_crowd_each_other_out_no_more_where_blocks_cannot_come_as_often_as_they_should() -> None:
    """Votes get lost, and who waits for them waits ten intervals: the target falls until templates are next to free."""
    ended = simulate(
        make_raw(
            {"count": 5, "speed": 4.0},
            length=14,
            mechanism={"preset": "decred", "interval_ms": 100.0, "window": 1, "clamp": 8},
            protocol={"slot_ms": 500.0},
            network={"latency": {"kind": "constant", "ms": 50.0}, "loss": 0.3},
            run={"time_limit_s": 60.0, "linger_s": 10.0},
        )
    )
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.activity.templates.total() < 2_000  # without rests 20,000

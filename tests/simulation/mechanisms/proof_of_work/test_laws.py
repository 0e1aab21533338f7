"""What is known of proof of work in closed form, held against runs in simulated time with fixed seeds."""

import math
from collections import Counter
from statistics import fmean

import pytest

from benchmarks.law_samples import count_makers, list_intervals, list_times
from simulation.mechanisms.proof_of_work.closed_forms import predict
from simulation.mechanisms.proof_of_work.measures import measure_work
from simulation.records.tally import Tally
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw
from tests.support.goodness import fits, follow_exponential, has_shares

pytestmark = pytest.mark.many_runs

SPEEDS = {"slow": (2, 0.5), "middling": (2, 1.0), "fast": (1, 3.0)}
"""Nodes of each population, and the speed of each of them."""
POWER = {name: count * speed for name, (count, speed) in SPEEDS.items()}


def run(raw: dict[str, object]) -> Tally:
    made = MemoryRun(Scenario.model_validate(raw))
    result = made.run()
    assert result.reason == "complete"
    assert made.find_fault(result) is None
    return made.tally


@pytest.fixture(scope="module")
def steady() -> Tally:
    """A run with targets that never change."""
    populations = [(name, count, speed) for name, (count, speed) in SPEEDS.items()]
    return run(make_raw(*populations, length=600, mechanism={"window": 0}))


def test_intervals_are_exponential(steady: Tally) -> None:
    gaps = list_intervals(steady)
    assert fits(gaps, follow_exponential)
    assert not fits(gaps, lambda gap: follow_exponential(gap / 1.3))  # the test would notice


def test_blocks_are_shared_by_power(steady: Tally) -> None:
    found = count_makers(steady, "miner")
    assert has_shares([found[name] for name in POWER], list(POWER.values()))
    assert not has_shares([found[name] for name in POWER], [count for count, _ in SPEEDS.values()])


def test_tries_are_those_of_the_power(steady: Tally) -> None:
    per_block = sum(POWER.values()) * 1_000
    tries = sum(steady.work.tries.values())
    assert steady.work.drawn == tries
    assert tries / 600 == pytest.approx(per_block, rel=0.15)  # three deviations of a mean of 600


def test_intervals_return_to_their_length_after_the_power_has_grown_fourfold() -> None:
    """One node of four looks for blocks alone, then the others come: the target follows down, and up again."""
    joins_s, window, length = 1_500.0, 100, 3_000
    outages = [{"node": f"honest-{index}", "down_s": 0.0, "up_s": joins_s} for index in (1, 2, 3)]
    tally = run(make_raw(length=length, mechanism={"window": window}, network={"outages": outages}))
    gaps = list(zip(list_times(tally)[1:], list_intervals(tally), strict=True))
    alone = [gap for at, gap in gaps[2 * window :] if at < joins_s]
    together = [gap for at, gap in gaps if at > joins_s]
    assert fmean(gap for _, gap in gaps[:window]) > 3  # at a quarter of the power
    assert fmean(together[: window // 2]) < 0.5  # at four times of it
    assert fmean(alone) == pytest.approx(1, rel=0.1)
    assert fmean(together[2 * window :]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("delay", [0.05, 0.15])
def test_rivals_are_as_many_as_the_delay_lets_through(delay: float) -> None:
    """While a block is under way, all nodes but its miner still look for another one of its height."""
    nodes, length = 8, 1_200
    latency = {"kind": "constant", "ms": delay * 1_000}
    raw = make_raw(("honest", nodes, 1.0), length=length, mechanism={"window": 0}, network={"latency": latency})
    tally = run(raw)
    heights = Counter(block.height for block in tally.blocks.values())
    contested = sum(count > 1 for count in heights.values())
    chance = 1 - math.exp(-delay * (nodes - 1) / nodes)
    assert measure_work(tally)["work"]["contested"] == contested / length
    assert predict(Scenario.model_validate(raw))["measures.work.contested"] == pytest.approx(chance)
    assert has_shares([contested, length - contested], [chance, 1 - chance])
    assert not has_shares([contested, length - contested], [2 * chance, 1 - 2 * chance])  # the test would notice

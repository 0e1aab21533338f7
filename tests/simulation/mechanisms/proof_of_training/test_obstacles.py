"""Why a chain of trainings does not grow, and when it is certain that it never will."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis.after_run import find_standstill
from simulation.analysis.promises import Obstacle, find_promises
from simulation.scenario.scenario import Scenario
from tests.support.memory_runs import Ended, make_raw, population, simulate

HALF = {"confidence": {"stake_share": 0.5}}
LIMIT_S = 300.0


def run(honest: int, others: dict[str, Any], rules: dict[str, Any] = HALF, **sections: Any) -> Ended:
    populations = [population("good", honest, stake=1000.0), others]
    return simulate(make_raw(*populations, protocol=rules, run={"time_limit_s": LIMIT_S}, **sections))


def poisoners(count: int, **changes: Any) -> dict[str, Any]:
    return population("bad", count, "data_injection", **{"stake": 1000.0, **changes})


def find_obstacle(ended: Ended) -> Obstacle | None:
    return find_promises(ended.world.scenario).find_obstacle(ended.world, ended.tally)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (HALF, "4,000 of 8,000 coins agree on stage 0; more than half is needed"),
        (
            {"confidence": {"stake_share": 0.66667}},
            "4,000 of 8,000 coins agree on stage 0; more than 66.667 % is needed",
        ),
        ({"confidence": {"count": 5}}, "4 of 8 nodes agree on stage 0; 5 are needed"),
    ],
)
def test_a_run_that_can_never_go_on_ends_early_and_says_why(rules: dict[str, Any], text: str) -> None:
    ended = run(4, poisoners(4), rules)
    assert ended.reason == "standstill"
    assert ended.engine.now() < LIMIT_S / 4
    assert find_obstacle(ended) == Obstacle(text, is_final=True)
    assert all(ended.find("sent", node.label, kind="declaration") for node in ended.world.nodes)
    assert all(ended.find("rejected", f"good-{index}", kind="declaration") for index in range(4))


def test_one_coin_more_than_half_is_no_obstacle() -> None:
    ended = run(4, poisoners(4, stake=1000.0 - 1 / MICRO_COINS_PER_COIN))
    ended.assert_agreed()
    assert find_obstacle(ended) is None


def test_loners_do_not_agree_with_one_another() -> None:
    ended = run(2, poisoners(4, colluding=False))
    assert ended.reason == "standstill"
    assert find_obstacle(ended) == Obstacle("2,000 of 6,000 coins agree on stage 0; more than half is needed", True)


def test_nodes_that_may_still_declare_anything_are_waited_for() -> None:
    ended = run(4, population("bad", 4, "silent", stake=1000.0))
    assert ended.reason == "time-limit"
    assert find_obstacle(ended) == Obstacle("4,000 of 8,000 coins agree on stage 0; more than half is needed", False)


def test_near_weights_may_agree_so_nothing_is_said_where_there_is_a_tolerance() -> None:
    ended = run(4, poisoners(4))
    raw = make_raw(population("good", 8), protocol={"tolerance": 0.001, "rules": 1}, virtual={"trainer": "keras"})
    tolerant = replace(ended.world, scenario=Scenario.model_validate(raw))
    assert find_promises(tolerant.scenario).find_obstacle(tolerant, ended.tally) is None


def test_a_standstill_that_nothing_may_cause_is_a_broken_invariant() -> None:
    ended = run(4, poisoners(4))
    honest = Scenario.model_validate(make_raw(population("good", 8)))
    told = find_standstill(honest, ended.tally, "standstill")
    assert told is not None
    assert told.startswith("progress: ")
    assert find_standstill(ended.world.scenario, ended.tally, "standstill") is None

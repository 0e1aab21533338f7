"""Nodes that have turned: how many, which of them, and what they keep."""

from pathlib import Path
from typing import Any

import pytest

from simulation.commands.cli import main
from simulation.scenario.world.world import World
from tests.support.judgements import observe
from tests.support.memory_runs import make_raw, make_world, population
from tests.support.scenarios import save

CROWD = (
    population("whales", 2, stake=500.0),
    population("crowd", 10, stake=100.0),
    population("shrimps", 5, stake=10.0, speed=2.0),
)
TOTAL = 2 * 500 + 10 * 100 + 5 * 10
ALL = ["whales", "crowd", "shrimps"]


def turn(seed: int = 7, **changes: Any) -> dict[str, Any]:
    raw = make_raw(*CROWD, seed=seed)
    corruption = {"name": "turned", "role": "adversary", "behaviours": ["replayer"], "of": ALL, **changes}
    return {**raw, "corruptions": [corruption]}


def count_turned(world: World) -> dict[str, int]:
    """Return how many nodes of each population have turned; a turned one is known by its stake."""
    names = {500.0: "whales", 100.0: "crowd", 10.0: "shrimps"}
    counts = dict.fromkeys(ALL, 0)
    for node in world.nodes:
        if node.role == "adversary":
            counts[names[node.stake / 1e6]] += 1
    return counts


@pytest.mark.parametrize(
    ("order", "count", "wanted"),
    [
        ("first", 3, {"whales": 2, "crowd": 1, "shrimps": 0}),
        ("richest", 4, {"whales": 2, "crowd": 2, "shrimps": 0}),
        ("poorest", 7, {"whales": 0, "crowd": 2, "shrimps": 5}),
    ],
)
def test_who_turns_follows_the_order(order: str, count: int, wanted: dict[str, int]) -> None:
    world = make_world(turn(order=order, count=count))
    assert count_turned(world) == wanted
    assert len(world.nodes) == 17
    assert sum(node.stake for node in world.nodes) == TOTAL * 1_000_000
    assert len(world.get_honest()) == 17 - count


def test_the_first_are_those_of_the_population_named_first() -> None:
    assert count_turned(make_world(turn(order="first", count=3, of=["shrimps", "whales"]))) == {
        "whales": 0,
        "crowd": 0,
        "shrimps": 3,
    }


@pytest.mark.parametrize(
    ("order", "share", "wanted"),
    [
        ("richest", 0.4, {"whales": 2, "crowd": 0, "shrimps": 0}),
        ("richest", 0.5, {"whales": 2, "crowd": 1, "shrimps": 0}),
        ("poorest", 0.1, {"whales": 0, "crowd": 2, "shrimps": 5}),
        ("poorest", 50 / TOTAL, {"whales": 0, "crowd": 0, "shrimps": 5}),
    ],
)
def test_so_many_turn_that_they_hold_a_share_of_the_stake(order: str, share: float, wanted: dict[str, int]) -> None:
    world = make_world(turn(order=order, stake_share=share))
    assert count_turned(world) == wanted
    held = sum(node.stake for node in world.nodes if node.role == "adversary") / 1e6
    assert held >= share * TOTAL - 1e-6
    richest_last = max(node.stake for node in world.nodes if node.role == "adversary") / 1e6
    assert held - richest_last < share * TOTAL


def test_a_random_choice_is_the_same_for_the_same_seed_and_differs_by_seed() -> None:
    chosen = [tuple(count_turned(make_world(turn(seed, order="random", count=6))).values()) for seed in range(12)]
    again = [tuple(count_turned(make_world(turn(seed, order="random", count=6))).values()) for seed in range(12)]
    assert chosen == again
    assert len(set(chosen)) > 3
    assert all(sum(counts) == 6 for counts in chosen)


def test_a_random_choice_is_what_is_made_without_a_word() -> None:
    assert count_turned(make_world(turn(count=6))) == count_turned(make_world(turn(count=6, order="random")))


def test_the_turned_keep_what_they_own_and_are_one_coalition() -> None:
    world = make_world(turn(order="poorest", count=6))
    turned = [node for node in world.nodes if node.role == "adversary"]
    assert {node.population for node in turned} == {"turned_crowd", "turned_shrimps"}
    speeds = {item.name: item.speed for item in world.scenario.populations}
    assert (speeds["turned_shrimps"], speeds["turned_crowd"]) == (2.0, 1.0)
    assert {frozenset(label for label, _ in node.coalition.members) for node in turned} == {
        frozenset(node.label for node in turned)
    }
    assert world.scenario.corruptions == []


def test_one_corrupted_population_gives_its_name_to_no_other() -> None:
    world = make_world(turn(of=["crowd"], count=4))
    assert {item.name: item.count for item in world.scenario.populations} == {
        "whales": 2,
        "crowd": 6,
        "shrimps": 5,
        "turned": 4,
    }


def test_a_whole_population_may_turn() -> None:
    world = make_world(turn(of=["whales"], stake_share=1000 / TOTAL))
    assert "whales" not in {node.population for node in world.nodes}
    assert count_turned(world) == {"whales": 2, "crowd": 0, "shrimps": 0}


def test_two_corruptions_take_nobody_twice() -> None:
    raw = turn(order="first", count=3)
    second = {**raw["corruptions"][0], "name": "more", "behaviours": ["forger"]}
    world = make_world({**raw, "corruptions": [*raw["corruptions"], second]})
    assert len([node for node in world.nodes if node.role == "adversary"]) == 6
    assert len(world.nodes) == 17


def test_the_turned_act() -> None:
    raw = make_raw(population("honest", 7))
    raw["corruptions"] = [
        {"name": "turned", "role": "adversary", "behaviours": ["declaration_spoiler"], "of": ["honest"], "count": 2}
    ]
    observed = observe(raw)
    observed.assert_unharmed()
    assert observed.count_refused("turned")["bad-commitment"] > 0


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "too many": ({"count": 18}, "17 nodes of whales, crowd, shrimps are not enough"),
    "too large a share": ({"of": ["shrimps"], "stake_share": 0.1}, "5 nodes of shrimps are not enough"),
    "everybody": ({"count": 17}, "no honest node"),
    "unknown": ({"of": ["wales"], "count": 1}, "no population is called 'wales'"),
    "both measures": ({"count": 1, "stake_share": 0.1}, "write one, count or stake_share"),
    "no measure": ({}, "write one, count or stake_share"),
    "honest": ({"count": 1, "role": "honest", "behaviours": []}, "nodes do not turn honest"),
    "order": ({"count": 1, "order": "best"}, "order"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_is_answered_with_one_sentence_and_exit_2(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, wanted = FAULTS[fault]
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path, {**turn(**changes), "dataset": {"name": "digits"}})
    assert main(["run", str(path), "--out", str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert wanted in told
    assert len(told.strip().splitlines()) == 1
    assert "Traceback" not in told
    assert not (tmp_path / "runs").exists()

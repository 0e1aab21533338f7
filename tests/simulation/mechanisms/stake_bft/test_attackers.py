"""What silent and two-faced owners can do, and from which share of the stake on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.after_run import must_agree
from simulation.attacks.catalogue import load_catalogue
from simulation.commands import cli
from simulation.mechanisms.stake_bft.closed_forms import IS_SPLIT, IS_WHOLE, ROUNDS, VOTES, predict
from simulation.mechanisms.stake_bft.measures import measure_votes
from simulation.mechanisms.stake_bft.promises import BftPromises
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.stake_bft.scenarios import make_raw
from tests.support.memory_runs import simulate


@pytest.mark.parametrize(("nodes", "faulty"), [(4, 1), (7, 2)])
def test_a_third_may_be_silent_and_costs_the_rounds_that_are_its(nodes: int, faulty: int) -> None:
    ended = simulate(make_raw(nodes - faulty, faulty))
    assert (ended.reason, ended.broken) == ("complete", None)
    votes = measure_votes(ended.tally)["votes"]
    assert votes["is_whole"]
    assert votes["rounds_each"] > 1
    assert not ended.find("proposed", "bad-0")


def test_one_more_silent_owner_and_nothing_is_ever_final() -> None:
    ended = simulate(make_raw(2, 2))
    assert (ended.reason, ended.broken) == ("standstill", None)
    assert ended.tally.compute_agreement()[1].height == 0
    obstacle = BftPromises().find_obstacle(ended.world, ended.tally)
    assert obstacle is not None
    assert obstacle.text == "nodes that vote hold 2,000 of 4,000 coins of stake; more than two thirds have to"


@pytest.mark.parametrize(("nodes", "faulty"), [(4, 1), (7, 2), (10, 3)])
def test_a_third_may_say_two_things_and_nobody_is_parted(nodes: int, faulty: int) -> None:
    for seed in (1, 2, 3):
        raw = make_raw(nodes - faulty, faulty, kind="bft_equivocator", seed=seed, length=5)
        assert must_agree(Scenario.model_validate(raw))
        ended = simulate(raw)
        assert (ended.reason, ended.broken) == ("complete", None)
        assert not measure_votes(ended.tally)["votes"]["is_split"]


@pytest.mark.parametrize(("nodes", "faulty"), [(4, 2), (7, 3)])
def test_one_more_and_two_blocks_of_one_height_are_final(nodes: int, faulty: int) -> None:
    """It is measured, and no bug: honest nodes hold two thirds of the stake or less."""
    ended = simulate(make_raw(nodes - faulty, faulty, kind="bft_equivocator", length=6, seed=3))
    assert not must_agree(ended.world.scenario)
    assert ended.broken is None
    votes = measure_votes(ended.tally)["votes"]
    assert votes["is_split"]
    assert votes["conflicts"] >= 1


def test_a_split_of_honest_nodes_that_hold_enough_would_break_the_invariant() -> None:
    ended = simulate(make_raw(2, 2, kind="bft_equivocator", length=6, seed=3))
    assert measure_votes(ended.tally)["votes"]["is_split"]
    promised = simulate(make_raw(4, length=1)).world
    assert must_agree(promised.scenario)
    moved = replace(ended, world=replace(ended.world, scenario=promised.scenario))
    assert "differ about the block at height" in (moved.broken or "")


@pytest.mark.processes
def test_two_faced_processes_of_half_the_stake_make_two_blocks_of_one_height_final(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other height has an attacker for its proposer, and after the split nothing goes on until the time is up."""
    monkeypatch.chdir(tmp_path)
    settings = (
        "mechanism={name: stake_bft, length: 40, interval_ms: 100.0}",
        "populations.honest.count=2",
        "populations.twofaced.count=2",
        "users={count: 0, transactions: 0}",
        "network.latency={kind: constant, ms: 0.0}",
        "run={time_limit_s: 8.0, linger_s: 1.0}",
        "output={pictures: false, journal: true}",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    assert cli.main(["run", "bft_equivocator", "--engine", "processes", *options]) == 1
    (folder,) = (tmp_path / "runs").iterdir()
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert (summary["ended"], summary["broken_invariant"]) == ("time-limit", None)
    votes = summary["measures"]["votes"]
    assert (votes["is_split"], votes["is_whole"]) == (True, False)
    appended = [
        record
        for record in map(json.loads, (folder / "events.jsonl").read_text("utf-8").splitlines())
        if record["event"] == "appended" and record["who"].startswith("honest")
    ]
    final = {(record["height"], record["block"]) for record in appended}
    assert len(final) > len({height for height, _ in final})
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.many_runs
@pytest.mark.parametrize("kind", ["bft_silent", "bft_equivocator"])
def test_what_a_minority_does_besides_harms_nobody(kind: str) -> None:
    others: list[Any] = [item for item, found in load_catalogue().items() if found.mechanism in (None, "stake_bft")]
    told = {"private_chain": {"release_s": 4}, "pool_filler": {"accounts": 1}}
    for other in others:
        if other != kind:
            raw = make_raw(5, 2, length=3, kind=kind)
            raw["populations"][1]["behaviours"] = [kind, {"kind": other, **told.get(other, {})}]
            ended = simulate(raw)
            assert (ended.reason, ended.broken) == ("complete", None), other
            assert not measure_votes(ended.tally)["votes"]["is_split"]


@pytest.mark.many_runs
@pytest.mark.parametrize("kind", ["bft_silent", "bft_equivocator"])
def test_a_run_with_attackers_comes_to_the_same_events_again(kind: str) -> None:
    first, again, other = (simulate(make_raw(5, 2, length=3, kind=kind, seed=seed)) for seed in (7, 7, 8))
    assert first.lines == again.lines
    assert first.lines != other.lines


# ---- closed forms ----


@pytest.mark.parametrize(
    ("honest", "attackers", "kind", "figure", "expected"),
    [
        (10, 0, "bft_silent", VOTES, 20.0),
        (7, 3, "bft_silent", ROUNDS, 10 / 7),
        (7, 3, "bft_silent", IS_WHOLE, 1.0),
        (6, 4, "bft_silent", IS_WHOLE, 0.0),
        (7, 3, "bft_equivocator", IS_SPLIT, 0.0),
        (6, 4, "bft_equivocator", IS_SPLIT, 1 - 0.6**5),
        (1, 9, "bft_equivocator", IS_SPLIT, 0.0),  # one honest node has no halves
    ],
)
def test_closed_forms_say_where_a_third_lies(
    honest: int, attackers: int, kind: str, figure: str, expected: float
) -> None:
    scenario = Scenario.model_validate(make_raw(honest, attackers, kind=kind))
    assert predict(scenario)[figure] == pytest.approx(expected)


def test_closed_forms_are_silent_about_what_they_do_not_know() -> None:
    assert predict(Scenario.model_validate(make_raw(4, 1, kind="garbage"))) == {}
    assert predict(Scenario.model_validate(make_raw(4, network={"loss": 0.1}))) == {}
    for links, known in ((10, {IS_SPLIT}), (9, set())):  # with fewer, nodes pass on what the clients are to hear
        raw = make_raw(6, 4, kind="bft_equivocator", network={"client_links": links})
        assert set(predict(Scenario.model_validate(raw))) == known

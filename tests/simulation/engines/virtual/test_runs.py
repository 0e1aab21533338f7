"""Whole runs of the virtual engine with real training, as a user starts them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulation.records.record import Record
from tests.support.processes import SMALL, Finished, find_traces, launch, make_environment, sets

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("partition")]

HOSTILE = (
    "populations.honest.count=6",
    "populations.poisoners.count=2",
    "job={steps_per_stage: 20, stages: 3, layers: [32]}",
    "users={count: 4, transactions: 6}",
    "network={topology: small_world, degree: 4, loss: 0.1, duplication: 0.2, reordering: 0.2, "
    "latency: {kind: lognormal, ms: 20.0}, outages: [{node: honest-2, down_s: 0.1, up_s: 2.0, disk: lost}]}",
    "run.linger_s=60",
    "output.pictures=false",
)


def run_virtual(folder: Path, name: str, *settings: str, hash_seed: str = "0") -> Finished:
    folder.mkdir()
    environment = make_environment(PYTHONHASHSEED=hash_seed)
    run = launch(folder, "run", name, "--engine", "virtual", *sets(*settings), environment=environment)
    assert (run.code, find_traces(run.told)) == (0, []), run.told[-2000:]
    return run


def describe(summary: dict[str, Any]) -> dict[str, Any]:
    """Return what a summary says about the simulated world."""
    cost = {name: value for name, value in summary["cost"].items() if name.startswith("train")}
    files = {name: digest for name, digest in summary["files"].items() if name in ("scenario.yaml", "chain.jsonl")}
    return {**summary, "cost": cost, "files": files}


def test_two_runs_under_two_hash_seeds_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    first, again = (run_virtual(tmp_path / seed, "default", *HOSTILE, hash_seed=seed) for seed in ("1", "2"))
    for name in ("events.jsonl", "chain.jsonl", "scenario.yaml"):
        content = (first.folder / name).read_bytes()
        assert content == (again.folder / name).read_bytes(), name
        assert len(content) > 500
    assert describe(first.summary) == describe(again.summary)
    summary = first.summary
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (3, 1.0)
    assert summary["broken_invariant"] is None
    assert summary["messages"]["sent"]["relayed"] > 0
    events = (first.folder / "events.jsonl").read_text("utf-8")
    assert len(events.splitlines()) > 300
    assert not {json.loads(line)["event"] for line in events.splitlines()} & {"date", "cost"}


# ---- a partition ----


@pytest.fixture(scope="module")
def partition_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return the shipped partition in full."""
    return run_virtual(tmp_path_factory.mktemp("partition") / "run", "partition")


def test_a_partition_that_heals_ends_in_agreement_with_its_reorganisation_in_the_summary(
    partition_run: Finished,
) -> None:
    summary = partition_run.summary
    chain = summary["chain"]
    assert (chain["height"], chain["honest_agreement"], summary["ended"]) == (12, 1.0, "complete")
    assert chain["reorg_depth_max"] >= 2
    assert chain["forks"] >= chain["reorg_depth_max"]
    assert (summary["employer"]["height"], summary["broken_invariant"]) == (12, None)
    assert {node["outcome"] for node in summary["nodes"]} == {"finished"}


def test_the_partition_isolates_forty_per_cent_until_it_heals(partition_run: Finished) -> None:
    scenario = yaml.safe_load((partition_run.folder / "scenario.yaml").read_text("utf-8"))
    start_s, heal_s = (scenario["network"]["partitions"][0][key] for key in ("start_s", "heal_s"))
    heard = [record for record in partition_run.find("accepted") if "peer" in record.fields]

    def crosses(record: Record) -> bool:
        sides = {who.split("-")[0] for who in (record.who, str(record.fields["peer"])) if "ority" in who}
        return len(sides) == 2

    minority = [node for node in partition_run.summary["nodes"] if node["population"] == "minority"]
    assert len(minority) / len(partition_run.summary["nodes"]) == 0.4
    assert [record for record in heard if crosses(record) and record.time > heal_s]
    under_way_s = scenario["network"]["latency"]["max_ms"] / 1e3
    cut = [record for record in heard if start_s + under_way_s < record.time < heal_s]
    assert not [record for record in cut if crosses(record)]
    assert [record for record in cut if record.who.startswith("minority")]
    assert [record for record in partition_run.find("appended") if record.fields["reorg"] and record.time > heal_s]


def test_the_employer_gets_a_model_that_was_trained_in_full(partition_run: Finished) -> None:
    summary = partition_run.summary
    evaluated = partition_run.find("evaluated")
    assert evaluated[-1].fields["accuracy"] == summary["training"]["test_accuracy"]
    assert summary["training"]["test_accuracy"] > 0.85
    weights = {record.fields["weights"] for record in partition_run.find("trained", stage=11)}
    assert len(weights) == 1
    assert summary["training"]["weights_digest"].startswith(str(weights.pop())[2:])


# ---- training once or by each ----


def test_equal_training_done_once_or_by_each_gives_the_same_events(tmp_path: Path) -> None:
    settings = ("populations.honest.count=3", "populations.poisoners.count=1", *SMALL)
    once = run_virtual(tmp_path / "once", "default", *settings)
    each = run_virtual(tmp_path / "each", "default", *settings, "virtual.memoise_training=false")
    events = [(run.folder / "events.jsonl").read_text("utf-8").splitlines() for run in (once, each)]
    assert events[0][1:] == events[1][1:]
    opening = [{**json.loads(lines[0]), "fingerprint": None} for lines in events]
    assert opening[0] == opening[1]
    assert (once.folder / "chain.jsonl").read_bytes() == (each.folder / "chain.jsonl").read_bytes()

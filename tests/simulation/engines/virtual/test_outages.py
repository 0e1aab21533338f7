"""Hostile networks in virtual time, with made-up training: what honest nodes come to in spite of them."""

from typing import Any

import pytest

from tests.support.memory_runs import Ended, make_raw, population, simulate

STAGES = 8
JOB = {"steps_per_stage": 100, "stages": STAGES}
SEEDS = (1, 2, 3)


def split(start_s: float, heal_s: float, *groups: list[str]) -> dict[str, Any]:
    return {"partitions": [{"start_s": start_s, "heal_s": heal_s, "groups": list(groups)}]}


def outage(node: str, down_s: float, up_s: float | None, disk: str = "kept") -> dict[str, Any]:
    return {"outages": [{"node": node, "down_s": down_s, "up_s": up_s, "disk": disk}]}


# ---- partitions ----


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_partition_of_forty_per_cent_heals_into_agreement_with_a_visible_reorganisation(seed: int) -> None:
    nodes = (population("majority", 6), population("minority", 4))
    cut = split(0.0, 10.0, ["majority", "employer"], ["minority"])
    rules = {"stakeholders": 1, "confidence": {"count": 3}, "slot_ms": 500.0, "headers_per_slot": 2.0}
    run = simulate(make_raw(*nodes, seed=seed, job={**JOB, "stages": 30}, protocol=rules, network=cut))
    run.assert_agreed()
    assert run.reason == "complete"
    own = {
        name: {record.fields["block"] for record in run.find("appended") if record.time < 10 and name in record.who}
        for name in ("majority", "minority")
    }
    assert own["majority"]
    assert own["minority"]
    assert not own["majority"] & own["minority"]
    reorganised = [record for record in run.find("appended") if record.fields["reorg"]]
    after = [record for record in reorganised if record.time >= 10]
    assert {record.who for record in after} & {f"minority-{index}" for index in range(4)}
    assert run.tally.reorg_depth_max >= 1
    assert run.tally.count_forks() >= len(own["minority"] - own["majority"]) > 0


def test_a_side_that_is_too_small_for_confidence_waits_until_it_heals() -> None:
    nodes = (population("majority", 4), population("minority", 1))
    run = simulate(make_raw(*nodes, job=JOB, network=split(0.0, 20.0, ["majority", "employer"], ["minority"])))
    assert min(record.time for record in run.find("appended", "minority-0")) > 20
    run.assert_agreed()


# ---- churn ----


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_joiner_catches_up_and_agrees(seed: int) -> None:
    run = simulate(make_raw(seed=seed, job=JOB, network=outage("honest-4", 0.0, 15.0)))
    own = [record for record in run.records if record.who == "honest-4"]
    assert [record.event for record in own if record.time < 15] == ["down"]
    assert max(record.time for record in run.find("appended", "honest-0")) < 15, "the others were to be done by then"
    assert len(run.find("trained", "honest-4")) == STAGES
    assert run.tally.nodes["honest-4"].outcome == "finished"
    assert run.reason == "complete"
    run.assert_agreed()


def find_crash(seed: int) -> tuple[float, Ended]:
    """Return a moment in the middle of the job, and the undisturbed run."""
    run = simulate(make_raw(seed=seed, job=JOB))
    return round(run.find("appended", "honest-1", height=4)[0].time + 0.01, 6), run


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_node_that_crashed_catches_up_with_the_disk_it_has(disk: str, seed: int) -> None:
    moment, _ = find_crash(seed)
    run = simulate(make_raw(seed=seed, job=JOB, network=outage("honest-1", moment, 20.0, disk)))
    own = [record for record in run.records if record.who == "honest-1"]
    assert not [record for record in own if moment < record.time < 20]
    assert [record.event for record in own if record.event in ("down", "up")] == ["down", "up"]
    before = [record.fields["stage"] for record in run.find("trained", "honest-1") if record.time < moment]
    after = [record.fields["stage"] for record in run.find("trained", "honest-1") if record.time > moment]
    assert len(before) >= 4
    assert after == list(range(len(before) if disk == "kept" else 0, STAGES))
    heights = [record.fields["height"] for record in run.find("appended", "honest-1") if record.time > moment]
    assert (1 in heights) == (disk == "lost")
    run.assert_agreed()


def test_what_was_begun_before_a_crash_is_not_finished_after_it() -> None:
    raw = make_raw(virtual={"step_us": 100_000.0}, network=outage("honest-1", 5.0, 6.0, "lost"))
    run = simulate(raw)
    times = {record.who: record.time for record in reversed(run.find("trained", stage=0))}
    assert times == {"honest-0": 10.0, "honest-1": 16.0, "honest-2": 10.0, "honest-3": 10.0, "honest-4": 10.0}
    assert len(run.find("trained", "honest-1", stage=0)) == 1
    run.assert_agreed()


def test_a_node_that_never_comes_back_holds_nobody_up() -> None:
    run = simulate(make_raw(job=JOB, network=outage("honest-1", 0.5, None)))
    assert run.reason == "complete"
    assert run.tally.nodes["honest-1"].outcome == "down"
    assert "honest-1" not in run.result.chains
    run.assert_agreed()


def test_a_node_that_kept_its_disk_declares_only_once_for_a_block() -> None:
    """What is rejected is something no honest node sends: a restart must not make one contradict itself."""
    network = outage("honest-1", 0.25, 0.5)
    for seed in range(8):
        run = simulate(make_raw(seed=seed, protocol={"confidence": {"count": 4}}, network=network))
        rejected = {(record.fields["author"], record.fields["reason"]) for record in run.find("rejected")}
        assert (seed, rejected) == (seed, set())


# ---- lossy links ----


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.parametrize(
    "network",
    [
        {"loss": 0.3},
        {"duplication": 1.0},
        {"reordering": 0.5, "reordering_ms": 2_000.0},
        {"loss": 0.2, "duplication": 0.3, "reordering": 0.3, "topology": "ring"},
        {"bandwidth_mbps": 0.2, "topology": "ring"},
        {"latency": {"kind": "lognormal", "ms": 80.0, "sigma": 1.5}},
    ],
    ids="+".join,
)
def test_bad_links_delay_agreement_and_do_not_prevent_it(network: dict[str, Any], seed: int) -> None:
    run = simulate(make_raw(seed=seed, job=JOB, network=network, users={"count": 3, "transactions": 5}))
    assert run.reason == "complete"
    run.assert_agreed()
    rejected = {reason for counts in run.tally.rejected_from.values() for reason in counts}
    assert rejected == set()


# ---- eclipses ----


@pytest.mark.parametrize("seed", SEEDS)
def test_an_eclipsed_victim_takes_no_poison_and_agrees_after_it_heals(seed: int) -> None:
    eclipse = {"start_s": 0.0, "heal_s": 12.0, "victims": ["victim"], "by": ["poisoners"]}
    nodes = (population("honest", 5), population("victim", 1), population("poisoners", 3, "data_injection"))
    run = simulate(make_raw(*nodes, seed=seed, job=JOB, network={"eclipses": [eclipse]}))
    heard = {str(record.fields["peer"]) for record in run.find("rejected", "victim-0") if record.time < 12}
    assert heard
    assert heard <= {f"poisoners-{index}" for index in range(3)}
    assert not [record for record in run.find("appended", "victim-0") if record.time < 12]
    assert run.tally.nodes["victim-0"].height == STAGES
    assert not [
        block for block in run.tally.get_chain(run.tally.nodes["victim-0"].head) if run.tally.is_poisoned(block)
    ]
    run.assert_agreed()

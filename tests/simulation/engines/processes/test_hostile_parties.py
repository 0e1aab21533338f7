"""Runs with processes that misuse their pipes: nobody waits for them, and the run ends in its time."""

import signal
from pathlib import Path

import pytest

from simulation.records.lines import WARNING
from tests.support.hostile_parties import CHUNK, GIBIBYTE, MISDEEDS, STOP_TIMEOUT_S
from tests.support.processes import SMALL, Finished, Running, find_traces, make_environment, sets
from tests.support.scenarios import ROOT

pytestmark = pytest.mark.processes

HONEST = [f"honest-{index}" for index in range(4)]
HEARERS = {*HONEST, "employer"}
FRAMERS = {"stopping": "half", "leaving": "cut", "puffing": "gibibyte"}
"""Adversaries that are real nodes, and what each of them sends for a frame."""

TIME_LIMIT_S = 60


def start(cwd: Path, names: tuple[str, ...], *settings: str, **environment: str) -> Running:
    """Start honest nodes that hold most of the stake, and hostile processes; some of them are adversaries' nodes."""
    hostile = [f"{{name: {name}, count: 1, stake: 100, {describe(name)}}}" for name in names]
    populations = ", ".join([f"{{name: honest, role: honest, count: {len(HONEST)}}}", *hostile])
    given = sets(*SMALL, "job.stages=4", f"run.time_limit_s={TIME_LIMIT_S}", f"populations=[{populations}]", *settings)
    environment = make_environment(PYTHONPATH=str(ROOT), **environment)
    return Running(cwd, "run", "honest", *given, environment=environment, module="tests.support.hostile_parties")


def describe(name: str) -> str:
    """Return what a scenario says of a hostile population besides its name."""
    fragment = FRAMERS.get(name)
    acting = f"role: adversary, behaviours: [{{kind: half_framer, fragment: {fragment}}}]"
    return acting if fragment is not None else "role: silent"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a run in which every misdeed is done at once."""
    running = start(tmp_path_factory.mktemp("hostile"), (*MISDEEDS, *FRAMERS))
    try:
        running.wait_for_event("genesis")
        done = running.finish()
        running.wait_for_orphans_to_end()
        return done
    finally:
        running.end()


def hearers(run: Finished, event: str, **fields: object) -> list[str]:
    """Return who tells of an event, hostile parties left out."""
    return sorted(record.who for record in run.find(event, **fields) if record.who in HEARERS)


def test_all_others_do_their_work_in_time(run: Finished) -> None:
    assert run.code == 0, run.told
    summary = run.summary
    assert summary["ended"] == "complete"
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (4, 1.0)
    assert summary["employer"]["height"] == 4
    assert summary["broken_invariant"] is None
    assert {node["outcome"] for node in summary["nodes"] if node["label"] in HONEST} == {"finished"}
    assert find_traces(run.told) == []


@pytest.mark.parametrize(
    ("peer", "received", "announced"),
    [("halving-0", 14, 100), ("freezing-0", 4 + len(CHUNK), 10 * len(CHUNK))],
)
def test_who_stops_in_the_middle_of_a_frame_is_told(peer: str, received: int, announced: int, run: Finished) -> None:
    assert hearers(run, "stalled", peer=peer, received=received, announced=announced) == sorted(HEARERS)
    assert hearers(run, "stalled", peer=peer) == sorted(HEARERS)


def test_who_announces_a_gibibyte_loses_its_links(run: Finished) -> None:
    closed = run.find("closed", peer="boasting-0", announced=GIBIBYTE)
    assert {record.who for record in closed} >= HEARERS
    assert {record.level for record in closed} == {WARNING}


def test_who_dies_in_the_middle_of_a_frame_is_told(run: Finished) -> None:
    assert hearers(run, "unlinked", peer="dying-0", unfinished=4 + len(CHUNK)) == sorted(HEARERS)
    assert [record.fields["why"] for record in run.find("crashed") if record.who == "dying-0"] == ["killed by SIGKILL"]


def test_who_stops_in_the_middle_of_a_message_to_the_starter_is_ended(run: Finished) -> None:
    crashed = {record.who: record.fields["why"] for record in run.find("crashed")}
    assert set(crashed) == {"dying-0", "mumbling-0"}, "whoever was only stopped or deaf has a last word"
    assert crashed["mumbling-0"] == f"gave no last word within {STOP_TIMEOUT_S:.0f} s and was killed"


@pytest.mark.parametrize(
    ("peer", "event", "field"),
    [("stopping-0", "stalled", "received"), ("leaving-0", "unlinked", "unfinished"), ("puffing-0", "closed", None)],
)
def test_a_half_framer_says_half_a_frame_and_nothing_else(
    peer: str, event: str, field: str | None, run: Finished
) -> None:
    (said,) = (record.fields for record in run.find("sent") if record.who == peer)
    assert said["kind"] == "fragment"
    told = [record for record in run.find(event, peer=peer) if record.who in HEARERS]
    assert sorted(record.who for record in told) == sorted(HEARERS)
    if field is not None:
        size = 4 + int(str(said["bytes"])) // int(str(said["copies"]))
        assert {record.fields[field] for record in told} == {size}
    heard = [record for event in ("accepted", "rejected", "waiting") for record in run.find(event, peer=peer)]
    assert heard == []


def test_no_link_is_closed_but_those_of_who_announces_too_much(run: Finished) -> None:
    closed = [record.fields for record in run.find("closed")]
    assert {(fields["peer"], fields["announced"]) for fields in closed} == {
        ("boasting-0", GIBIBYTE),
        ("puffing-0", GIBIBYTE),
    }


def test_a_second_ctrl_c_waits_for_nobody(tmp_path: Path, scratch: Path) -> None:
    running = start(tmp_path, ("mumbling",), "job.stages=500", TEST_STOP_TIMEOUT_S="600", TMPDIR=str(scratch))
    try:
        running.wait_for_event("appended", "employer")
        running.send_signal(signal.SIGINT, to_group=True)
        running.wait_for_event("final", count=len(HEARERS))  # only the last word of one that has none is missing
        running.send_signal(signal.SIGINT, to_group=True)
        run = running.finish()
        running.wait_for_orphans_to_end()
    finally:
        running.end()
    assert run.code == 128 + signal.SIGINT
    assert run.summary["ended"] == "interrupted"
    assert [(record.who, record.fields["why"]) for record in run.find("crashed")] == [
        ("mumbling-0", "was killed at the second signal")
    ]
    assert find_traces(run.told) == []
    assert list(scratch.glob("pot-sim-*")) == []

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
TIME_LIMIT_S = 60


def start(cwd: Path, names: tuple[str, ...], *settings: str, **environment: str) -> Running:
    """Start honest nodes that hold most of the stake, and hostile processes."""
    hostile = [f"{{name: {name}, role: silent, count: 1, stake: 100}}" for name in names]
    populations = ", ".join([f"{{name: honest, role: honest, count: {len(HONEST)}}}", *hostile])
    given = sets(*SMALL, "job.stages=4", f"run.time_limit_s={TIME_LIMIT_S}", f"populations=[{populations}]", *settings)
    environment = make_environment(PYTHONPATH=str(ROOT), **environment)
    return Running(cwd, "run", "honest", *given, environment=environment, module="tests.support.hostile_parties")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a run in which every misdeed is done at once."""
    running = start(tmp_path_factory.mktemp("hostile"), tuple(MISDEEDS))
    try:
        running.wait_for_event("genesis")
        done = running.finish()
        running.wait_for_orphans_to_end()
        return done
    finally:
        running.end()


def hearers(run: Finished, event: str, **fields: object) -> set[str]:
    return {record.who for record in run.find(event, **fields)}


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
    assert hearers(run, "stalled", peer=peer, received=received, announced=announced) == HEARERS
    assert len(run.find("stalled", peer=peer)) == len(HEARERS)


def test_who_announces_a_gibibyte_loses_its_links(run: Finished) -> None:
    closed = run.find("closed", peer="boasting-0", announced=GIBIBYTE)
    assert {record.who for record in closed} == HEARERS
    assert {record.level for record in closed} == {WARNING}


def test_who_dies_in_the_middle_of_a_frame_is_told(run: Finished) -> None:
    assert hearers(run, "unlinked", peer="dying-0", unfinished=4 + len(CHUNK)) == HEARERS
    assert [record.fields["why"] for record in run.find("crashed") if record.who == "dying-0"] == ["killed by SIGKILL"]


def test_who_stops_in_the_middle_of_a_message_to_the_starter_is_ended(run: Finished) -> None:
    crashed = {record.who: record.fields["why"] for record in run.find("crashed")}
    assert set(crashed) == {"dying-0", "mumbling-0"}, "whoever was only stopped or deaf has a last word"
    assert crashed["mumbling-0"] == f"gave no last word within {STOP_TIMEOUT_S:.0f} s and was killed"


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

"""Whole runs in which something goes wrong: killed nodes, signals, missing data, too few descriptors."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.foundation.descriptors import compute_needed
from simulation.records.lines import WARNING
from simulation.records.reading import read_log
from simulation.records.record import Record
from simulation.scenario.world.building import build_world
from tests.support.processes import (
    SMALL,
    Finished,
    Running,
    Verify,
    find_traces,
    launch,
    make_environment,
    sets,
    without_mnist,
)
from tests.support.scenarios import ROOT, shipped

pytestmark = pytest.mark.processes


@pytest.fixture
def runs() -> Iterator[list[Running]]:
    """Collect what a test starts, and end it with the test."""
    started: list[Running] = []
    yield started
    for running in started:
        running.end()


@pytest.fixture
def start(runs: list[Running], tmp_path: Path) -> "Starter":
    return Starter(runs, tmp_path)


class Starter:
    """Starts small runs of honest nodes."""

    def __init__(self, runs: list[Running], cwd: Path) -> None:
        self._runs = runs
        self._cwd = cwd

    def __call__(self, nodes: int, *settings: str, **environment: str) -> Running:
        given = sets(f"populations.honest.count={nodes}", *SMALL, *settings)
        running = Running(self._cwd, "run", "honest", *given, environment=make_environment(**environment))
        self._runs.append(running)
        return running


def outcomes(run: Finished) -> dict[str, str]:
    return {node["label"]: node["outcome"] for node in run.summary["nodes"]}


def training_begun(record: Record) -> bool:
    return record.event == "training"


# ---- killed processes ----


def test_a_killed_node_is_shown_as_crashed_and_the_others_finish(start: Starter) -> None:
    running = start(5, "job.stages=4")
    running.wait_for(training_begun, count=5)
    running.kill(["honest-2"], signal.SIGKILL)
    run = running.finish()
    assert run.code == 0
    assert outcomes(run).pop("honest-2") == "crashed"
    assert [outcomes(run)[f"honest-{index}"] for index in (0, 1, 3, 4)] == ["finished"] * 4
    crash = run.find("crashed")
    assert [(record.who, record.level, record.fields["why"]) for record in crash] == [
        ("honest-2", WARNING, "killed by SIGKILL")
    ]
    assert crash[0].to_line().to_text() in run.out
    assert (run.summary["chain"]["height"], run.summary["chain"]["honest_agreement"]) == (4, 1.0)
    assert find_traces(run.told) == []
    running.wait_for_orphans_to_end()


def test_a_third_of_the_nodes_can_be_killed_where_a_quorum_is_left(start: Starter) -> None:
    running = start(9, "job.stages=4")
    running.wait_for(training_begun, count=9)
    dead = ["honest-0", "honest-4", "honest-8"]
    running.kill(dead, signal.SIGKILL)
    run = running.finish()
    assert run.code == 0
    assert run.summary["ended"] == "complete"
    assert {label for label, outcome in outcomes(run).items() if outcome == "crashed"} == set(dead)
    assert {outcome for label, outcome in outcomes(run).items() if label not in dead} == {"finished"}
    assert (run.summary["employer"]["height"], run.summary["chain"]["honest_agreement"]) == (4, 1.0)
    assert find_traces(run.told) == []


def test_a_run_without_a_quorum_stops_at_its_time_limit_and_keeps_what_it_has(start: Starter, verify: Verify) -> None:
    running = start(6, "run.time_limit_s=20", "job.stages=200")
    running.wait_for(lambda record: record.event == "appended" and record.who == "employer")
    running.kill(["honest-1", "honest-3", "honest-5"], signal.SIGKILL)
    run = running.finish()
    assert run.code == 1
    summary = run.summary
    assert summary["ended"] == "time-limit"
    assert 20 <= summary["cost"]["wall_s"] < 33
    assert summary["employer"]["height"] > 0
    assert summary["training"]["test_accuracy"] is not None
    assert list(outcomes(run).values()) == ["stopped", "crashed"] * 3
    assert {"chain.jsonl", "model.keras", "pot_sim.log", "events.jsonl"} <= set(summary["files"])
    assert run.find("ended", reason="time-limit")[0].level == WARNING
    assert "time-limit" in run.out
    assert find_traces(run.told) == []
    told = verify(run.folder)
    assert told.code == 0
    running.wait_for_orphans_to_end()


def test_a_run_whose_nodes_are_all_killed_stops_at_once(start: Starter) -> None:
    running = start(4, "run.time_limit_s=120")
    running.wait_for(training_begun, count=4)
    running.kill([f"honest-{index}" for index in range(4)], signal.SIGKILL)
    run = running.finish()
    assert run.code == 1
    assert run.summary["ended"] == "no-nodes"
    assert run.summary["cost"]["wall_s"] < 60
    assert find_traces(run.told) == []


def test_nodes_finish_without_the_employer(start: Starter, verify: Verify) -> None:
    running = start(4, "job.stages=4")
    running.wait_for(training_begun, count=4)
    running.kill(["employer"], signal.SIGKILL)
    run = running.finish()
    assert (run.code, run.summary["ended"]) == (1, "no-employer")
    assert run.summary["employer"]["outcome"] == "crashed"
    assert (run.summary["chain"]["height"], run.summary["chain"]["honest_agreement"]) == (4, 1.0)
    assert find_traces(run.told) == []
    told = verify(run.folder)  # the employer alone has the model
    assert [line.split(":")[1] for line in told.err.splitlines()] == [" model.keras"]


# ---- signals ----


@pytest.mark.parametrize(
    ("signum", "to_group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143), (signal.SIGHUP, True, 129)],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_a_signal_ends_a_run_in_order(signum: int, to_group: bool, code: int, start: Starter, verify: Verify) -> None:
    running = start(4, "job.stages=500")
    running.wait_for(lambda record: record.event == "appended" and record.who == "employer")
    running.send_signal(signum, to_group=to_group)
    run = running.finish()
    assert run.code == code
    assert find_traces(run.told) == []
    summary = run.summary
    assert summary["ended"] == "interrupted"
    assert summary["employer"]["height"] > 0
    assert set(outcomes(run).values()) == {"stopped"}
    assert (run.cwd / "pot_sim.log").read_bytes() == (run.folder / "pot_sim.log").read_bytes()
    log = read_log(run.folder)
    assert log.warnings == []
    assert log.tally.get_reason() == "interrupted"
    running.wait_for_orphans_to_end()
    told = verify(run.folder)
    assert told.code == 0, told.told


@pytest.mark.parametrize(("nodes", "event"), [(4, "run"), (6, "started")], ids=["still starting", "being forked"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "sighup"])
def test_a_signal_of_the_terminal_ends_a_run_whose_processes_are(
    signum: int, nodes: int, event: str, start: Starter
) -> None:
    """A terminal sends the signal to every process of the group, also to one that is just loading Keras."""
    running = start(nodes)
    running.wait_for_event(event)
    running.send_signal(signum, to_group=True)
    run = running.finish()
    assert run.code == 128 + signum
    assert find_traces(run.told) == []
    assert run.summary["ended"] == "interrupted"
    assert set(outcomes(run).values()) == {"stopped"}
    running.wait_for_orphans_to_end()


def test_parties_end_themselves_and_clean_up_when_the_program_is_killed(start: Starter, scratch: Path) -> None:
    running = start(4, "job.stages=500", TMPDIR=str(scratch))
    running.wait_for_event("appended", "employer")
    assert len(list(scratch.glob("pot-sim-*"))) == 1
    running.send_signal(signal.SIGKILL)
    run = running.finish()
    assert run.code == -signal.SIGKILL
    running.wait_for_orphans_to_end()
    assert list(scratch.glob("pot-sim-*")) == []
    log = read_log(run.folder)
    assert any("cut off" in warning for warning in log.warnings)
    assert log.tally.employer.height > 0


# ---- what the machine does not have ----


def test_a_required_mnist_that_cannot_be_had_is_exit_3_with_how_to_get_it(tmp_path: Path) -> None:
    arguments = ["run", "honest", *sets("dataset.required=true")]
    run = launch(tmp_path, *arguments, environment=without_mnist(tmp_path))
    assert run.code == 3
    assert "POT_MNIST" in run.err
    assert find_traces(run.told) == []
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "pot_sim.log").exists()


def test_without_mnist_the_bundled_digits_are_announced_and_used(tmp_path: Path) -> None:
    settings = sets("populations.honest.count=3", *SMALL, "dataset.name=mnist")
    run = launch(tmp_path, "run", "honest", *settings, environment=without_mnist(tmp_path))
    assert run.code == 0
    assert run.summary["dataset"]["name"] == "digits"
    assert "MNIST could not be had" in run.summary["dataset"]["source"]
    announced = run.find("fallback")
    assert [record.level for record in announced] == [WARNING]
    assert announced[0].to_line().to_text() in run.out
    assert "digits (bundled with scikit-learn; MNIST could not be had)" in run.out


@pytest.mark.parametrize("environment", [{}, {"POT_MNIST": "nowhere.npz"}], ids=["path", "variable"])
def test_a_named_mnist_that_is_not_there_is_exit_3(environment: dict[str, str], tmp_path: Path) -> None:
    settings = sets() if environment else sets("dataset.path=nowhere.npz")
    run = launch(tmp_path, "run", "honest", *settings, environment=make_environment(**environment))
    assert run.code == 3
    assert "nowhere.npz" in run.err
    assert len(run.err.splitlines()) == 1


def limit_descriptors(tmp_path: Path, limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = f'ulimit {limit} && exec "$@"'
    whole = ["bash", "-c", command, "bash", sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)


def test_too_few_descriptors_are_exit_2_with_the_number_needed(tmp_path: Path) -> None:
    network = build_world(shipped("honest"), "digits", bytes(32)).network
    links = len(network.edges) + len(network.employer_links) + len(network.user_links)
    needed = compute_needed(links, 13)
    done = limit_descriptors(tmp_path, "-n 128", "run", "honest", *sets("dataset.name=digits"))
    assert done.returncode == 2
    assert str(needed) in done.stderr
    assert "128" in done.stderr
    assert find_traces(done.stdout + done.stderr) == []


def test_a_low_soft_limit_is_raised(tmp_path: Path) -> None:
    settings = sets("populations.honest.count=9", *SMALL)
    done = limit_descriptors(tmp_path, "-Sn 100", "run", "honest", *settings)
    assert done.returncode == 0, done.stderr
    assert find_traces(done.stdout + done.stderr) == []


def test_bad_input_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    run = launch(tmp_path, "run", "honest", *sets("populations.honest.cuont=3"))
    assert run.code == 2
    assert "populations.0.cuont: unknown key; did you mean 'count'?" in run.err
    assert find_traces(run.told) == []
    assert {path.name for path in tmp_path.iterdir()} == {"stdout.txt", "stderr.txt"}

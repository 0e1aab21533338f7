"""Runs by a program: where they may be started from, what they tell meanwhile, and how they end."""

import signal
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Final

import pytest

import simulation as pot
from simulation.api.elsewhere import work_elsewhere
from simulation.commands.cli import main
from simulation.records import Appended, Ended, Opening
from tests.support.processes import make_environment
from tests.support.scenarios import ROOT
from tests.support.works import count_to

SMALL: Final = {"mechanism.length": 3, "populations.honest.count": 3, "users": {"count": 0, "transactions": 0}}

SCRIPT: Final = f"""
import threading
import simulation as pot

print("main")
small = pot.load("stake_bft", {SMALL!r}, {{"mechanism.interval_ms": 100.0}})
print(small.engine, pot.run(small).ended)
thread = threading.Thread(target=lambda: print(pot.run(small).ended))
thread.start()
thread.join()
simulated = small.change(engine="virtual")
print(pot.sweep({{"scenario": simulated, "vary": {{"network.loss": [0.0]}}}}, None, jobs=1))
"""


KILLED: Final = """
import os, signal
from simulation.api.temporary import TemporaryPlace

place = TemporaryPlace()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def small() -> pot.Scenario:
    return pot.load("stake_bft", SMALL, engine="virtual")


def run_script(text: str, folder: Path) -> list[str]:
    """Return what a script prints that knows nothing of guards."""
    file = folder / "script.py"
    file.write_text(text, "utf-8")
    environment = make_environment(PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    done = subprocess.run(
        [sys.executable, str(file)],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.splitlines()


@pytest.mark.processes
def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    printed = run_script(SCRIPT, tmp_path)
    assert printed[:3] == ["main", "processes complete", "complete"]
    assert printed[3].endswith(": 1 cells, 0 failed>")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_the_iterator_has_every_record_in_its_order(small: pot.Scenario) -> None:
    with pot.start(small) as going:
        records = list(going)
        run = going.result()
    assert isinstance(records[0].fact, Opening)
    assert isinstance(records[-1].fact, Ended)
    assert [record.event for record in records] == run.records()["event"].tolist()
    assert sum(isinstance(record.fact, Appended) for record in records) == len(run.records("appended"))


def test_who_stops_listening_ends_the_run() -> None:
    endless = pot.load("stake_bft", {"mechanism.length": 5000}, engine="virtual")
    with pot.start(endless) as going:
        assert isinstance(next(iter(going)).fact, Opening)
    assert not going.is_running
    assert going.result().ended == "interrupted"


def test_a_run_in_progress_raises_what_went_wrong(small: pot.Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    going = pot.start(small, tmp_path / "file")
    with pytest.raises(pot.SimulationError, match="cannot be made"):
        list(going)
    with pytest.raises(pot.SimulationError, match="cannot be made"):
        going.result()


def test_a_cancelled_run_holds_what_has_happened(small: pot.Scenario) -> None:
    enough = threading.Event()
    told: list[pot.Progress] = []

    def watch(progress: pot.Progress) -> None:
        told.append(progress)
        enough.set()

    run = pot.run(small.change({"mechanism.length": 5000}), on_progress=watch, cancel=enough)
    assert (run.ended, run.is_delivered) == ("interrupted", False)
    assert told[0].length == 5000
    assert run.verify()


def test_what_a_callback_raises_ends_the_run(small: pot.Scenario, tmp_path: Path) -> None:
    def fail(progress: pot.Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pot.run(small, tmp_path, on_progress=fail)


def test_a_run_is_the_same_as_by_the_command(
    small: pot.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(small.to_yaml(), "utf-8")
    assert main(["run", "mine.yaml", "--quiet", "--set", "output.pictures=false"]) == 0
    commanded = pot.open_run(next(Path("runs").iterdir()))
    run = pot.run(small.change({"output.pictures": False}), "mine")
    for name in ("chain.jsonl", "events.jsonl", "scenario.yaml"):
        assert (run.folder / name).read_bytes() == (commanded.folder / name).read_bytes(), name


def test_a_temporary_run_is_kept_or_goes(small: pot.Scenario, tmp_path: Path) -> None:
    kept, gone = pot.run(small), pot.run(small)
    places = [kept.folder, gone.folder]
    assert kept.keep(tmp_path) == kept.folder == tmp_path / places[0].name
    assert kept.keep(tmp_path) == kept.folder
    del gone
    assert not any(place.parent.exists() for place in places)
    assert pot.open_run(kept.folder).verify()


def test_runs_of_two_threads_do_not_meet(small: pot.Scenario) -> None:
    scenarios = [small.change(seed=seed) for seed in (1, 2, 1)]
    going = [pot.start(scenario) for scenario in scenarios]
    heads = [run.result().figures.chain.head for run in going]
    assert heads[0] == heads[2] != heads[1]
    assert heads[1] == pot.run(scenarios[1]).figures.chain.head


def test_a_folder_that_is_none_of_a_run_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text('{"files": {}, "ended": 3}', "utf-8")
    with pytest.raises(pot.SimulationError, match=r"summary\.json does not say 'ended'"):
        pot.open_run(tmp_path)
    with pytest.raises(pot.SimulationError, match="not the folder of a sweep that has ended"):
        pot.open_sweep(tmp_path)


def test_what_makes_no_sense_is_one_sentence(small: pot.Scenario) -> None:
    with pytest.raises(pot.ScenarioError, match=r"^change: 3: write a mapping of dotted keys"):
        small.change(3)  # type: ignore[arg-type]
    with pytest.raises(pot.SimulationError, match="no folder has a name"):
        pot.run(small, "a\0b")
    with pytest.raises(pot.SimulationError, match="write 1 or more, not 0"):
        pot.sweep({"scenario": small}, jobs=0)


@pytest.mark.processes
def test_what_a_killed_program_has_left_goes_with_the_next_run(
    small: pot.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = make_environment(PYTHONPATH=str(ROOT), TMPDIR=str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    (tmp_path / "pot-result-of-somebody").mkdir()
    first = pot.run(small)
    second = pot.run(small)
    assert not left.exists()
    assert len(list(tmp_path.iterdir())) == 3
    assert first.chain().equals(second.chain())


# ---- work in a clean process ----


@pytest.mark.processes
def test_work_elsewhere_tells_ends_and_fails_as_it_would_here() -> None:
    told: list[object] = []
    ended = work_elsewhere(partial(count_to, 10**9), told.append, lambda: len(told) > 100)
    assert told[: ended + 1] == list(range(ended + 1))
    with pytest.raises(pot.SimulationError, match="-1: write a number"):
        work_elsewhere(partial(count_to, -1), told.append, lambda: False)

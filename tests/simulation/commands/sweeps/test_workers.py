"""Sweeps over several processes: the same tables, whoever is interrupted or killed in the middle."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.processes import Running, find_traces, launch, poll
from tests.support.sweeps import find_folder, read_cells, read_tables, save_sweep

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("workers")]

CELLS = 160
"""So many that a sweep has seconds of work left when it is disturbed."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the tables of the sweep that the others disturb."""
    folder = tmp_path_factory.mktemp("undisturbed")
    save_sweep(folder, repeats=CELLS // 4)
    finished = launch(folder, "sweep", "sweep.yaml", "--jobs", "2")
    assert finished.code == 0, finished.err
    assert f"{CELLS} of {CELLS} cells" in finished.out
    return read_tables(find_folder(folder / "sweeps"))


def count_lines(cwd: Path) -> int:
    with suppress(FileNotFoundError):
        return sum(path.read_bytes().count(b"\n") for path in (cwd / "sweeps").glob("*/cells.jsonl"))
    return 0


def start(cwd: Path, cells: int) -> Running:
    """Start the sweep and wait until some cells are finished."""
    save_sweep(cwd, repeats=CELLS // 4)
    running = Running(cwd, "sweep", "sweep.yaml", "--jobs", "2")
    try:
        poll(lambda: count_lines(cwd) >= cells, lambda: f"{count_lines(cwd)} cells", None)
    except BaseException:
        running.end()
        raise
    return running


def find_workers(running: Running) -> list[psutil.Process]:
    children = psutil.Process(running.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert alive == []


def go_on(cwd: Path, undisturbed: dict[str, bytes]) -> None:
    """Run the rest; fail unless finished cells stay and the tables are those of an undisturbed run."""
    folder = find_folder(cwd / "sweeps")
    before = [line["cell"] for line in read_cells(folder) if line["error"] is None]
    assert 0 < len(before) < CELLS
    finished = launch(cwd, "sweep", "sweep.yaml", "--jobs", "2")
    assert finished.code == 0, finished.err
    after = [line["cell"] for line in read_cells(folder) if line["error"] is None]
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) == CELLS
    assert read_tables(folder) == undisturbed
    assert not (folder / "running").exists()


@pytest.mark.parametrize(
    ("signum", "to_group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True)],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_an_interrupted_sweep_says_what_remains_and_goes_on(
    signum: int, to_group: bool, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    running = start(tmp_path, 20)
    workers = find_workers(running)
    running.send_signal(signum, to_group=to_group)
    finished = running.finish()
    assert finished.code == 128 + signum
    wait_until_gone(workers)
    kept = count_lines(tmp_path)
    assert f"interrupted: {kept} finished cells are kept, {CELLS - kept} remain" in finished.err
    assert find_traces(finished.told) == []
    assert [line for line in read_cells(find_folder(tmp_path / "sweeps")) if line["error"] is not None] == []
    go_on(tmp_path, undisturbed)


def test_a_killed_sweep_leaves_no_workers_and_goes_on(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    running = start(tmp_path, 20)
    workers = find_workers(running)
    assert workers
    running.send_signal(signal.SIGKILL)
    assert running.finish().code == -signal.SIGKILL
    wait_until_gone(workers)
    path = find_folder(tmp_path / "sweeps") / "cells.jsonl"
    with path.open("ab") as file:  # as if it had been killed within a line
        file.write(b'{"cell":"0123","figu')
    go_on(tmp_path, undisturbed)


def test_a_killed_worker_costs_the_cell_it_had_in_hand(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    running = start(tmp_path, 20)
    busiest = max(find_workers(running), key=lambda worker: worker.cpu_times().user)  # another may not be ready yet
    os.kill(busiest.pid, signal.SIGKILL)
    finished = running.finish()
    assert finished.code == 1
    assert f"1 of {CELLS} cells failed" in finished.err
    assert "its worker process ended before it did (exit code -9)" in finished.err
    failed = [line for line in read_cells(find_folder(tmp_path / "sweeps")) if line["error"] is not None]
    assert len(failed) == 1
    assert count_lines(tmp_path) == CELLS
    go_on(tmp_path, undisturbed)


def test_the_same_sweep_does_not_run_twice_at_once(tmp_path: Path) -> None:
    running = start(tmp_path, 5)
    try:
        second = launch(tmp_path, "sweep", "sweep.yaml", "--out", "sweeps")
    finally:
        running.end()
    assert second.code == 1
    assert "another process is running this sweep" in second.err

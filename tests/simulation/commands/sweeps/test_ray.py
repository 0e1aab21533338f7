"""Sweeps on Ray: the same tables as on the cores of this machine, and clear words where there is no Ray."""

import csv
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.commands.sweeps import ray_executor
from tests.simulation.plugins.material import find_example, write
from tests.support.memory_runs import make_raw
from tests.support.processes import Running, find_traces, launch, make_environment, poll
from tests.support.scenarios import save
from tests.support.sweeps import find_folder, read_cells, read_tables, save_sweep

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed; `make ray` installs it")


def test_without_ray_the_user_learns_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_executor, "find_spec", lambda name: None)
    assert main(["sweep", str(save_sweep(tmp_path)), "--executor", "ray", "--out", str(tmp_path / "sweeps")]) == 2
    assert "Ray is not installed; install it with make ray" in capsys.readouterr().err
    assert not (tmp_path / "sweeps").exists()


LAB = find_example("A latency").python + find_example("A measure").python


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the folders of one sweep, of a scenario with a plug-in: on local processes, and on Ray."""
    place = tmp_path_factory.mktemp("swept")
    sleepy = {"latency": {"kind": "sleepy", "ms": 5.0, "max_ms": 80.0, "share": 0.25}}
    write(place, LAB)
    save_sweep(place, repeats=5, vary={"network.latency.share": [0.0, 0.1, 0.9], "network.loss": [0.0, 0.05]})
    save(place, {**make_raw(job={"stages": 1}, network=sleepy), "plugins": ["my_lab.py"]}, "base.yaml")
    for executor in ("local", "ray"):
        finished = launch(place, "sweep", "sweep.yaml", "--executor", executor, "--jobs", "2", "--out", executor)
        assert finished.code == 0, finished.err
        assert find_traces(finished.told) == []
    return find_folder(place / "local"), find_folder(place / "ray")


@needs_ray
@pytest.mark.processes
def test_ray_gives_the_same_tables_as_local_processes(folders: tuple[Path, Path]) -> None:
    local, ray = folders
    assert read_tables(ray) == read_tables(local)
    assert {line["cell"] for line in read_cells(ray)} == {line["cell"] for line in read_cells(local)}


@needs_ray
@pytest.mark.processes
def test_code_of_a_plugin_is_run_by_workers_of_ray(folders: tuple[Path, Path]) -> None:
    with (folders[1] / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 2 * 5
    assert all(int(row["measures.chatter.messages"]) > 0 for row in rows)


@needs_ray
@pytest.mark.processes
def test_what_ray_has_begun_local_processes_finish(tmp_path: Path) -> None:
    save_sweep(tmp_path, repeats=40)
    running = Running(tmp_path, "sweep", "sweep.yaml", "--executor", "ray", "--jobs", "1")
    try:
        poll(lambda: list((tmp_path / "sweeps").glob("*/cells.jsonl")), lambda: "no folder", None)
        folder = find_folder(tmp_path / "sweeps")
        poll(lambda: (folder / "cells.jsonl").read_bytes().count(b"\n") > 5, lambda: "no cells", None)
        running.send_signal(signal.SIGTERM)
    finally:
        ended = running.finish()
    assert ended.code == 128 + signal.SIGTERM
    assert 5 < len(read_cells(folder)) < 160
    assert launch(tmp_path, "sweep", "sweep.yaml", "--jobs", "2").code == 0
    assert len(read_cells(folder)) == len({line["cell"] for line in read_cells(folder)}) == 160


@needs_ray
@pytest.mark.processes
@pytest.mark.parametrize("where", ["127.0.0.1:{closed}", "ray://127.0.0.1:{closed}", "127.0.0.1:{silent}", "auto"])
def test_a_cluster_that_does_not_answer_is_told_in_bounded_time(where: str, tmp_path: Path) -> None:
    save_sweep(tmp_path)
    with socket.socket() as closed, socket.socket() as silent:
        closed.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = where.format(closed=closed.getsockname()[1], silent=silent.getsockname()[1])
        environment = make_environment(RAY_TMPDIR=str(tmp_path))  # where no cluster of this machine is known
        finished = launch(
            tmp_path, "sweep", "sweep.yaml", "--executor", "ray", "--address", address, environment=environment
        )
    assert finished.code == 1
    assert finished.err.startswith(f"--address {address}: ")
    assert finished.err.count("\n") == 1
    if "{silent}" in where:
        assert "did not answer as a Ray cluster within 30 s" in finished.err

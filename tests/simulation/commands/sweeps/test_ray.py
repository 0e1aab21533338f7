"""Sweeps on Ray: the same tables as on the cores of this machine, and clear words where there is no Ray."""

import signal
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from simulation.commands.cli import main
from simulation.commands.sweeps import ray_executor
from tests.support.processes import Running, find_traces, launch, make_environment, poll
from tests.support.sweeps import find_folder, read_cells, read_tables, save_sweep

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed; `make ray` installs it")


def test_without_ray_the_user_learns_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_executor, "find_spec", lambda name: None)
    assert main(["sweep", str(save_sweep(tmp_path)), "--executor", "ray", "--out", str(tmp_path / "sweeps")]) == 2
    assert "Ray is not installed; install it with make ray" in capsys.readouterr().err
    assert not (tmp_path / "sweeps").exists()


@needs_ray
@pytest.mark.processes
def test_ray_gives_the_same_tables_as_local_processes(tmp_path: Path) -> None:
    save_sweep(tmp_path, repeats=5)
    for executor in ("local", "ray"):
        finished = launch(tmp_path, "sweep", "sweep.yaml", "--executor", executor, "--jobs", "2", "--out", executor)
        assert finished.code == 0, finished.err
        assert find_traces(finished.told) == []
    local, ray = (find_folder(tmp_path / executor) for executor in ("local", "ray"))
    assert read_tables(ray) == read_tables(local)
    assert {line["cell"] for line in read_cells(ray)} == {line["cell"] for line in read_cells(local)}


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

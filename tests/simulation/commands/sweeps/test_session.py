"""A sweep from its command to its tables, in this process: resuming, failing cells, a full disk, one cell alone."""

import errno
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import simulation as pot
from simulation.commands.cli import main
from simulation.commands.report.sweep_table import SweepTableError, read_sweep_table
from simulation.commands.sweeps import command
from simulation.commands.sweeps.cell_runner import CellRunner
from simulation.runs.in_memory import MemoryRun
from tests.support.sweeps import HereExecutor, find_folder, read_cells, read_tables, save_sweep


@pytest.fixture
def executors(monkeypatch: pytest.MonkeyPatch) -> list[HereExecutor]:
    """Let sweeps run here; return the executors they have made."""
    made: list[HereExecutor] = []

    def make(workers: int) -> HereExecutor:
        made.append(HereExecutor(workers))
        return made[-1]

    monkeypatch.setattr(command, "LocalExecutor", make)
    return made


def sweep(path: Path, out: str = "sweeps", *options: str) -> int:
    return main(["sweep", str(path), "--out", str(path.parent / out), *options])


def test_a_sweep_leaves_its_files_its_cells_and_its_tables(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    assert sweep(path) == 0
    folder = find_folder(tmp_path / "sweeps")
    assert folder.name.startswith("small-")
    assert {file.name for file in folder.iterdir()} == {
        *("sweep.yaml", "scenario.yaml", "cells.jsonl", "tables.json"),
        *read_tables(folder),
    }
    assert (folder / "scenario.yaml").read_text() == (tmp_path / "base.yaml").read_text()
    assert len(read_cells(folder)) == len(executors[0].given) == 12
    told = capsys.readouterr()
    assert "small: 12 of 12 cells" in told.out
    assert f"tables in {folder}" in told.out
    assert told.err == ""
    assert (folder / "results.csv").read_text().count("\n") == 13
    assert (folder / "aggregate.csv").read_text().count("\n") == 5


def test_finished_cells_never_run_again(tmp_path: Path, executors: list[HereExecutor]) -> None:
    path = save_sweep(tmp_path)
    sweep(path)
    folder = find_folder(tmp_path / "sweeps")
    whole, tables = (folder / "cells.jsonl").read_bytes(), read_tables(folder)
    lines = whole.splitlines(keepends=True)
    (folder / "cells.jsonl").write_bytes(b"".join([*lines[7:], *lines[:3], lines[3][:50]]))
    assert sweep(path) == 0
    ids = [json.loads(line)["cell"] for line in lines]
    assert [cell.id for cell in executors[1].given] == ids[3:7]
    assert sorted(line["cell"] for line in read_cells(folder)) == sorted(ids)
    assert read_tables(folder) == tables
    for file in (path, folder / "sweep.yaml"):  # the resolved sweep is the same one
        assert sweep(file, str(tmp_path / "sweeps")) == 0
    assert len(executors) == 4
    assert not executors[2].given
    assert not executors[3].given


def test_shards_come_to_the_tables_of_one_run(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path)
    whole = find_folder(tmp_path / "sweeps")
    lines = []
    for number in (2, 3, 1):
        capsys.readouterr()
        assert sweep(path, f"part{number}", "--shard", f"{number}/3") == 0
        told = capsys.readouterr().out
        assert "small: 4 of 4 cells" in told
        assert "8 cells are left to other shards" in told
        part = find_folder(tmp_path / f"part{number}")
        assert not (part / "results.csv").exists()
        lines.append((part / "cells.jsonl").read_bytes())
    (part / "cells.jsonl").write_bytes(b"".join(lines))
    assert sweep(path, "part1") == 0
    assert not executors[-1].given
    assert read_tables(part) == read_tables(whole)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""])
def test_a_shard_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], shard: str) -> None:
    assert sweep(save_sweep(tmp_path), "sweeps", f"--shard={shard}") == 2
    assert "write which part of how many, such as 1/8" in capsys.readouterr().err
    assert not (tmp_path / "sweeps").exists()


def test_an_edited_line_is_said_and_its_cell_runs_again(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path)
    folder = find_folder(tmp_path / "sweeps")
    tables = read_tables(folder)
    lines = (folder / "cells.jsonl").read_bytes().splitlines(keepends=True)
    edited = lines[4].replace(b'"chain.height":1', b'"chain.height":9')
    assert edited != lines[4]
    (folder / "cells.jsonl").write_bytes(b"".join([*lines[:4], edited, *lines[5:]]))
    capsys.readouterr()
    assert sweep(path) == 0
    told = "1 damaged lines left out, the first is line 5; cells that have no other line run again"
    assert capsys.readouterr().err == f"{folder / 'cells.jsonl'}: {told}\n"
    assert [cell.id for cell in executors[-1].given] == [json.loads(lines[4])["cell"]]
    assert read_tables(folder) == tables


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))


@pytest.mark.drawing
def test_a_report_says_which_table_was_changed_and_uses_what_is_whole(
    tmp_path: Path, executors: list[HereExecutor]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path)
    folder = find_folder(tmp_path / "sweeps")
    whole = read_sweep_table(folder)
    assert whole.warnings == []
    for name in ("cells.jsonl", "results.csv", "aggregate.csv"):
        change(folder / name)
        table = read_sweep_table(folder)
        changed = f"{folder / name}: changed since the sweep wrote its tables"
        assert [warning.partition(";")[0] for warning in table.warnings].count(changed) == 1
        used = "aggregate.parquet" if name == "aggregate.csv" else "aggregate.csv"
        assert table.warnings[-1].endswith(f"; figures are those of {used}, which is whole")
        pd.testing.assert_frame_equal(table.frame, whole.frame, check_dtype=False)
    (folder / "aggregate.parquet").unlink()
    with pytest.raises(SweepTableError, match=r"aggregate\.csv: changed since the sweep wrote it, and so was"):
        read_sweep_table(folder)
    assert main(["report", str(folder), "--out", str(tmp_path / "report")]) == 2
    assert not (tmp_path / "report").exists()
    sweep(path)  # which the line of cells.jsonl that was changed costs one cell
    assert read_sweep_table(folder).warnings == []
    (folder / "tables.json").unlink()
    (warning,) = read_sweep_table(folder).warnings
    assert "tables.json: cannot be read, so nobody can tell whether the tables were changed" in warning


def test_more_repeats_keep_the_rows_there_were(tmp_path: Path, executors: list[HereExecutor]) -> None:
    sweep(save_sweep(tmp_path), "few")
    sweep(save_sweep(tmp_path, repeats=5), "many")
    few, many = ((find_folder(tmp_path / out) / "results.csv").read_text().splitlines() for out in ("few", "many"))
    assert set(few) <= set(many)
    assert len(many) == 21


def break_cells(monkeypatch: pytest.MonkeyPatch, *indices: int) -> None:
    """Let some cells crash, in the middle of what they do."""
    run_in_memory = CellRunner._run_in_memory

    def run(runner: CellRunner, scenario: Any, cell: Any) -> Any:
        if cell.index in indices:
            raise RuntimeError(f"on purpose ({cell.index})")
        return run_in_memory(runner, scenario, cell)

    monkeypatch.setattr(CellRunner, "_run_in_memory", run)


def test_a_failed_cell_ends_no_other_is_named_and_runs_again(
    tmp_path: Path, executors: list[HereExecutor], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path, "whole")
    with monkeypatch.context() as broken:
        break_cells(broken, 5, 7)
        capsys.readouterr()
        assert sweep(path) == 1
        told = capsys.readouterr().err.splitlines()
        assert told[0] == (
            "2 of 12 cells failed; the first (network.loss=0.0, populations.honest.count=4, protocol.stakeholders=2, "
            "repeat=2): RuntimeError: on purpose (5)"
        )
        again = shlex.split(told[1].removeprefix("run it alone: "))
        assert again[:2] == ["python", "main.py"]
        assert main(again[2:]) == 1
        alone = capsys.readouterr().err
        assert alone.startswith("Traceback")
        assert alone.endswith("RuntimeError: on purpose (5)\n")
        folder = find_folder(tmp_path / "sweeps")
        rows = (folder / "results.csv").read_text().splitlines()
        assert sum("on purpose" in row for row in rows) == 2
        assert len(rows) == 13
    assert sweep(path) == 0
    assert [cell.index for cell in executors[-1].given] == [5, 7]
    assert read_tables(folder) == read_tables(find_folder(tmp_path / "whole"))


def test_a_failed_cell_of_a_sweep_that_is_in_no_file_runs_alone_from_the_sweeps_folder(
    tmp_path: Path, executors: list[HereExecutor], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_sweep(tmp_path)
    base = pot.load(tmp_path / "base.yaml")
    said: list[str] = []
    break_cells(monkeypatch, 1)
    pot.sweep({"scenario": base, "vary": {"network.loss": [0.0, 0.1]}}, tmp_path / "made", warn=said.append)
    assert len(executors) == 1
    again = shlex.split(said[1].removeprefix("run it alone: "))
    assert main(again[2:]) == 1
    assert capsys.readouterr().err.endswith("RuntimeError: on purpose (1)\n")


def test_one_cell_alone_comes_to_the_same_and_leaves_nothing(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path)
    line = read_cells(find_folder(tmp_path / "sweeps"))[4]
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    assert sweep(path, "sweeps", "--cell", line["cell"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in ("cell", "values", "repeat", "seed", "figures")} == {
        name: line[name] for name in ("cell", "values", "repeat", "seed", "figures")
    }
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_ends_the_sweep_and_keeps_finished_cells(
    tmp_path: Path, executors: list[HereExecutor], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)
    sweep(path, "whole")
    write, calls = os.pwrite, list[int]()

    def fill_up(file: int, data: bytes, offset: int) -> int:
        calls.append(file)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data, offset)

    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", fill_up)
        capsys.readouterr()
        assert sweep(path) == 1
    folder = find_folder(tmp_path / "sweeps")
    assert capsys.readouterr().err == (
        f"{folder}: cannot be written: No space left on device; finished cells are kept, and the same command goes on\n"
    )
    assert len(read_cells(folder)) == 4
    assert sweep(path) == 0
    assert len(executors[-1].given) == 8
    assert read_tables(folder) == read_tables(find_folder(tmp_path / "whole"))


def test_so_does_a_disk_that_is_full_for_a_worker(
    tmp_path: Path, executors: list[HereExecutor], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_sweep(tmp_path)

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(MemoryRun, "run", fail)
    assert sweep(path) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert read_cells(find_folder(tmp_path / "sweeps")) == []


def test_images_that_cannot_be_had_are_told_before_the_first_cell(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"virtual.trainer": "keras", "dataset.path": str(tmp_path / "nowhere.npz")}
    assert sweep(save_sweep(tmp_path, set=settings)) == 3
    assert "nowhere.npz: cannot be read" in capsys.readouterr().err
    assert not executors[0].given


def test_images_that_some_combinations_cannot_have_fail_those_cells_alone(
    tmp_path: Path, executors: list[HereExecutor], capsys: pytest.CaptureFixture[str]
) -> None:
    training = {"keys": ["virtual.trainer", "dataset.path"], "values": [["fake", None], ["keras", "nowhere.npz"]]}
    path = save_sweep(tmp_path, vary={"training": training})
    for _ in range(2):  # the failed ones run again
        assert sweep(path) == 1
        told = capsys.readouterr().err
        assert told.startswith("3 of 6 cells failed; the first (virtual.trainer=")
        assert "DatasetError: " in told
        assert "nowhere.npz: cannot be read" in told
    assert [len(executor.given) for executor in executors] == [6, 3]
    rows = (find_folder(tmp_path / "sweeps") / "results.csv").read_text().splitlines()
    assert sum("nowhere.npz" in row and "DatasetError" in row for row in rows) == 3

"""The file of cells: whole lines only, one writer, and what cut-off or damaged lines come to."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from simulation.commands.sweeps.cell_file import CellFile, read_finished, read_lines
from simulation.commands.sweeps.cell_runner import Outcome
from simulation.commands.sweeps.cells import Cell, plan_cells
from simulation.commands.sweeps.errors import SweepError
from tests.support.sweeps import read_sweep

KEYS = ("network.loss", "populations.honest.count", "protocol.stakeholders")


@pytest.fixture
def cells(tmp_path: Path) -> list[Cell]:
    return plan_cells(read_sweep(tmp_path), "code").cells


def outcome(cell: Cell, error: str | None = None) -> Outcome:
    figures: dict[str, Any] = {} if error else {"chain.height": 1, "delivered": True, "text": "\udc80 é\n"}
    return Outcome(cell.index, figures=figures, error=error, trace=error and "Traceback\n")


def write(path: Path, cells: list[Cell], error: str | None = None) -> None:
    with CellFile(path, KEYS) as file:
        for cell in cells:
            file.append(cell, outcome(cell, error))


def test_a_line_says_which_cell_it_is_and_what_it_came_to(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    write(path, cells[4:5])
    assert list(read_lines(path)) == [
        {
            "cell": cells[4].id,
            "repeat": 1,
            "seed": cells[4].seed,
            "values": {"network.loss": 0.0, "populations.honest.count": 4, "protocol.stakeholders": 2},
            "figures": {"chain.height": 1, "delivered": True, "text": "\udc80 é\n"},
            "execution": {},
            "error": None,
        }
    ]


def test_a_cut_off_last_line_is_gone_and_its_cell_not_finished(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    write(path, cells[:3])
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in (1, last // 2, last - 1):
        path.write_bytes(whole[:-cut])
        assert read_finished(path) == {cells[0].id, cells[1].id}
        write(path, cells[3:4])
        assert [line["cell"] for line in read_lines(path)] == [cells[0].id, cells[1].id, cells[3].id]
        assert path.read_bytes().count(b"\n") == 3


def test_a_file_that_is_one_long_unfinished_line_starts_anew(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    path.write_bytes(b"x" * 200_000)
    write(path, cells[:1])
    assert read_finished(path) == {cells[0].id}


def test_a_line_that_was_changed_in_any_way_is_damaged(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    write(path, cells[:3])
    lines = path.read_bytes().splitlines(keepends=True)
    for where in range(0, len(lines[1]) - 1, 7):
        changed = bytearray(lines[1])
        changed[where] ^= 0x01
        path.write_bytes(lines[0] + bytes(changed) + lines[2])
        damaged: list[int] = []
        assert read_finished(path, damaged) == {cells[0].id, cells[2].id}
        assert damaged[0] == 2


def test_damaged_lines_are_left_out(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    write(path, cells[:3])
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = [lines[0][:40] + b"\n", b"[1]\n", b'{"cell": 3}\n', b"\xff\xfe\n", b"\n"]
    path.write_bytes(b"".join([*damaged, *lines[1:]]))
    assert read_finished(path) == {cells[1].id, cells[2].id}


def test_a_failed_cell_is_not_finished(tmp_path: Path, cells: list[Cell]) -> None:
    path = tmp_path / "cells.jsonl"
    write(path, cells[:2], "ValueError: on purpose")
    write(path, cells[1:2])
    assert read_finished(path) == {cells[1].id}
    assert [line.get("trace") for line in read_lines(path)] == ["Traceback\n", "Traceback\n", None]


def test_a_second_process_may_not_write_as_well(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    with CellFile(path, KEYS), pytest.raises(SweepError, match="another process is running this sweep"):
        CellFile(path, KEYS)
    CellFile(path, KEYS).__exit__(None, None, None)


def test_a_disk_that_fills_up_leaves_whole_lines(
    tmp_path: Path, cells: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cells.jsonl"
    room = [700]
    write_some = os.pwrite

    def write_until_full(file: int, data: bytes, offset: int) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write_some(file, data[: min(100, room[0])], offset)  # in pieces, as a system may
        room[0] -= done
        return done

    monkeypatch.setattr(os, "pwrite", write_until_full)
    with pytest.raises(OSError, match="No space left"):
        write(path, cells)
    assert room[0] == 0
    kept = read_finished(path)
    assert 0 < len(kept) < len(cells)
    assert path.read_bytes().count(b"\n") == len(kept)
    assert path.read_bytes().endswith(b"\n")

"""Tables: order and types of columns, counts that are 0, failed cells, proportions and means."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simulation.commands.sweeps.cell_file import with_digest
from simulation.commands.sweeps.cells import Cell, plan_cells
from simulation.commands.sweeps.statistics import compute_wilson
from simulation.commands.sweeps.tables import ResultTable, write_tables
from tests.support.sweeps import read_sweep

KEYS = ("network.loss",)


@pytest.fixture
def cells(tmp_path: Path) -> list[Cell]:
    """Return two combinations of three cells."""
    return plan_cells(read_sweep(tmp_path, vary={"network.loss": [0.0, 0.1]}), "code").cells


def make_line(cell: Cell, figures: dict[str, Any], error: str | None = None) -> str:
    return with_digest({"cell": cell.id, "figures": figures, "error": error}).decode()


def build(folder: Path, cells: list[Cell], lines: list[str], keys: tuple[str, ...] = KEYS) -> ResultTable:
    path = folder / "cells.jsonl"
    path.write_text("".join(lines), "utf-8")
    return ResultTable(keys, cells, path)


FIGURES: list[dict[str, Any]] = [
    {"delivered": True, "chain.height": 2, "chain.honest_agreement": 1, "ended": "complete"},
    {"delivered": False, "chain.height": 4, "chain.honest_agreement": 0.5, "ended": "time-limit"},
    {"delivered": True, "chain.height": 9, "chain.honest_agreement": 0.75, "ended": "complete"},
]


def test_rows_stand_in_the_order_of_the_sweep_whatever_came_first(tmp_path: Path, cells: list[Cell]) -> None:
    lines = [make_line(cell, FIGURES[cell.repeat]) for cell in cells]
    tables = [build(tmp_path, cells, order) for order in (lines, lines[::-1], lines[3:] + lines[:3])]
    written = []
    for number, table in enumerate(tables):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_tables(folder, {"results": table.build_results(), "aggregate": table.build_aggregate()})
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1] == written[2]
    assert set(written[0]) == {"results.csv", "results.parquet", "aggregate.csv", "aggregate.parquet"}
    frame = pd.read_csv(BytesIO(written[0]["results.csv"]))
    parquet = pd.read_parquet(BytesIO(written[0]["results.parquet"]))
    for found in (frame, parquet):
        assert list(found.columns) == [
            *("network.loss", "repeat", "seed", "cell", "error"),
            *("chain.height", "chain.honest_agreement", "delivered", "ended"),
        ]
        assert found["network.loss"].tolist() == [0.0] * 3 + [0.1] * 3
        assert found["repeat"].tolist() == [0, 1, 2] * 2
        assert found["seed"].tolist() == [cell.seed for cell in cells]
        assert found["cell"].tolist() == [cell.id for cell in cells]
        assert found["chain.height"].tolist() == [2, 4, 9] * 2
        assert found["chain.honest_agreement"].tolist() == [1.0, 0.5, 0.75] * 2
        assert found["delivered"].tolist() == [True, False, True] * 2
        assert found["error"].isna().all()


def test_the_aggregate_has_proportions_means_spreads_and_medians(tmp_path: Path, cells: list[Cell]) -> None:
    found = (
        build(tmp_path, cells, [make_line(cell, FIGURES[cell.repeat]) for cell in cells]).build_aggregate().to_pylist()
    )
    assert [row["network.loss"] for row in found] == [0.0, 0.1]
    share, low, high = compute_wilson(2, 3)
    expected = {"n": 3, "failed": 0, "delivered": share, "delivered.low": low, "delivered.high": high}
    expected |= {"chain.height.mean": 5.0, "chain.height.median": 4.0, "chain.honest_agreement.mean": 0.75}
    for row in found:
        assert {name: row[name] for name in expected} == expected
        assert row["chain.height.std"] == pytest.approx(13**0.5)
        assert not [name for name in row if name.startswith("ended") or name.endswith(".n")]


def test_what_a_formula_says_stands_beside_its_figure(tmp_path: Path, cells: list[Cell]) -> None:
    table = build(tmp_path, cells, [make_line(cell, FIGURES[cell.repeat]) for cell in cells])
    found = table.build_aggregate([{"delivered": 0.25, "no such figure": 1.0}, {}])
    assert found["delivered.closed_form"].to_pylist() == [0.25, None]
    names = found.column_names
    assert names[names.index("delivered.high") + 1] == "delivered.closed_form"
    assert sum(name.endswith("closed_form") for name in names) == 1


def test_failed_cells_have_their_error_and_count_nowhere(tmp_path: Path, cells: list[Cell]) -> None:
    lines = [make_line(cell, FIGURES[cell.repeat]) for cell in cells[2:]]
    lines = [make_line(cells[0], {}, "first"), *lines, make_line(cells[1], {}, 'x, "y"\nz'), *lines[:1]]
    table = build(tmp_path, cells, [*lines, make_line(cells[0], {}, "second")])
    rows = table.build_results().to_pylist()
    assert [row["error"] for row in rows] == ["second", 'x, "y"\nz', None, None, None, None]
    assert [row["chain.height"] for row in rows] == [None, None, 9, 2, 4, 9]
    found = table.build_aggregate().to_pylist()
    assert [(row["n"], row["failed"]) for row in found] == [(1, 2), (3, 0)]
    assert (found[0]["chain.height.mean"], found[0]["chain.height.std"]) == (9.0, None)
    assert (found[0]["delivered"], found[0]["delivered.low"]) == (1.0, compute_wilson(1, 1).low)


def test_a_cell_that_failed_once_and_then_did_not_is_finished(tmp_path: Path, cells: list[Cell]) -> None:
    lines = [make_line(cell, FIGURES[cell.repeat]) for cell in cells]
    table = build(tmp_path, cells, [make_line(cells[0], {}, "first"), *lines])
    assert table.errors == [None] * 6
    assert build(tmp_path, cells, lines[1:]).errors == ["not run", *[None] * 5]


def test_a_combination_without_figures_has_none(tmp_path: Path, cells: list[Cell]) -> None:
    lines = [make_line(cell, {}, "on purpose") for cell in cells[:3]]
    lines += [make_line(cell, FIGURES[cell.repeat]) for cell in cells[3:]]
    found = build(tmp_path, cells, lines).build_aggregate().to_pylist()
    assert (found[0]["n"], found[0]["failed"]) == (0, 3)
    assert {found[0][name] for name in found[0] if name.startswith(("chain", "delivered"))} == {None}


def test_counts_that_a_summary_leaves_out_are_zero_and_other_figures_unknown(tmp_path: Path, cells: list[Cell]) -> None:
    present = {
        "messages.rejected.duplicate": 6,
        "attack.refused_by_population.poisoners.window": 3,
        "measures.detection.by_kind.block.caught": 9,
        "measures.detection.by_kind.block.recall": 0.5,
        "training.test_accuracy": 0.9,
    }
    lines = [make_line(cell, present if cell.repeat == 0 else {}) for cell in cells[:-1]]
    table = build(tmp_path, cells, [*lines, make_line(cells[-1], {}, "on purpose")])
    assert table.figures["messages.rejected.duplicate"] == [6, 0, 0, 6, 0, None]
    assert table.figures["training.test_accuracy"] == [0.9, None, None, 0.9, None, None]
    row = table.build_aggregate().to_pylist()[0]
    assert row["messages.rejected.duplicate.mean"] == 2.0
    assert row["attack.refused_by_population.poisoners.window.mean"] == 1.0
    assert row["measures.detection.by_kind.block.caught.mean"] == 3.0
    assert (row["training.test_accuracy.mean"], row["training.test_accuracy.n"]) == (0.9, 1)
    assert row["measures.detection.by_kind.block.recall.n"] == 1
    assert "messages.rejected.duplicate.n" not in row


def test_values_without_a_type_of_their_own_are_written_as_json(tmp_path: Path) -> None:
    vary = {"protocol.confidence": [{"count": 2}, {"stake_share": 0.5}], "dataset.path": [None, "a.npz"]}
    cells = plan_cells(read_sweep(tmp_path, vary=vary, repeats=1), "code").cells
    table = build(tmp_path, cells, [make_line(cell, {}) for cell in cells], tuple(vary))
    rows = table.build_results().to_pylist()
    assert [json.loads(row["protocol.confidence"]) for row in rows[1:3]] == vary["protocol.confidence"]
    assert [row["dataset.path"] for row in rows] == [None, "a.npz"] * 2


def test_a_figure_never_replaces_a_varied_key(tmp_path: Path) -> None:
    cells = plan_cells(read_sweep(tmp_path, vary={"dataset.name": ["digits", "mnist"]}, repeats=1), "code").cells
    lines = [make_line(cell, {"dataset.name": "made up", "seed": 1.5, "n": 4}) for cell in cells]
    table = build(tmp_path, cells, lines, ("dataset.name",))
    row = table.build_results().to_pylist()[0]
    assert (row["dataset.name"], row["figure.dataset.name"]) == ("digits", "made up")
    assert (row["seed"], row["figure.seed"]) == (cells[0].seed, 1.5)
    total = table.build_aggregate().to_pylist()[0]
    assert (total["n"], total["figure.n.mean"]) == (1, 4.0)

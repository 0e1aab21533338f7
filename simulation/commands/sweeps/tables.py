"""The tables of a sweep: a tidy one with a row for each cell, and one with a row for each combination of values."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from simulation.analysis import CLOSED_FORM
from simulation.commands.sweeps.axes import encode
from simulation.commands.sweeps.cell_file import read_lines
from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.statistics import compute_spread, compute_wilson
from simulation.records import write_in_one_step

COUNTED: Final = re.compile(
    r"messages\.(sent|accepted|ignored|rejected)\..+"
    r"|attack\.refused_by_population\..+"
    r"|measures\.detection\.by_kind\..+\.(blamed|caught|missed|passed)"
)
"""Counts that a summary leaves out where they are 0."""

Column = list[Any]


class ResultTable:
    """What all cells of a sweep came to, column by column, in the order of the sweep."""

    def __init__(self, keys: Sequence[str], cells: Sequence[Cell], path: Path) -> None:
        """Read the file of cells.

        Args:
            keys: Keys that vary.
            cells: All cells, in the order of rows.
            path: ``cells.jsonl``.
        """
        self.keys = keys
        self.cells = cells
        self.errors: Column = ["not run"] * len(cells)
        """Why a cell has no figures; None where it has."""
        self.figures: dict[str, Column] = {}
        """Figures by name, sorted; None where a cell does not have it."""
        self._read(path)

    def _read(self, path: Path) -> None:
        places = {cell.id: cell.index for cell in self.cells}
        found: dict[str, Column] = {}
        for line in read_lines(path):
            place = places.get(line["cell"])
            if place is None or self.errors[place] is None:
                continue
            self.errors[place] = line["error"]
            for name, value in line["figures"].items():
                if name not in found:
                    found[name] = [None] * len(self.cells)
                found[name][place] = value
        for name, column in found.items():
            if COUNTED.fullmatch(name):
                found[name] = [
                    0 if value is None and error is None else value
                    for value, error in zip(column, self.errors, strict=True)
                ]
        self.figures = dict(sorted(found.items()))

    def build_results(self) -> pa.Table:
        """Return the tidy table: a row for each cell."""
        columns: dict[str, Column] = {
            key: [cell.values[place] for cell in self.cells] for place, key in enumerate(self.keys)
        }
        columns["repeat"] = [cell.repeat for cell in self.cells]
        columns["seed"] = [cell.seed for cell in self.cells]
        columns["cell"] = [cell.id for cell in self.cells]
        columns["error"] = self.errors
        columns |= {_name_figure(name, self.keys): column for name, column in self.figures.items()}
        return _build_table(columns)

    def build_aggregate(self, closed_forms: Sequence[Mapping[str, float]] = ()) -> pa.Table:
        """Return the table with a row for each combination, over the cells of it that have figures.

        Args:
            closed_forms: What formulas say of each combination, by figure.
        """
        groups: list[list[Cell]] = []
        for cell in self.cells:
            if cell.combination == len(groups):
                groups.append([])
            groups[-1].append(cell)
        columns: dict[str, Column] = {
            key: [group[0].values[place] for group in groups] for place, key in enumerate(self.keys)
        }
        finished = [[cell.index for cell in group if self.errors[cell.index] is None] for group in groups]
        columns["n"] = [len(places) for places in finished]
        columns["failed"] = [len(group) - len(places) for group, places in zip(groups, finished, strict=True)]
        for name, column in self.figures.items():
            samples = [[column[place] for place in places if column[place] is not None] for places in finished]
            shown = _name_figure(name, self.keys)
            columns |= {f"{shown}{end}": part for end, part in _aggregate(samples).items()}
            if _find_kinds(column) <= {bool, int, float} and any(map(_differ, samples, finished)):
                columns[f"{shown}.n"] = [len(sample) for sample in samples]
            if any(name in found for found in closed_forms):
                columns[f"{shown}{CLOSED_FORM}"] = [found.get(name) for found in closed_forms]
        return _build_table(columns)


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> list[str]:
    """Write each table as CSV and as Parquet, each file in one step; return their names.

    Raises:
        OSError: A file cannot be written.
    """
    written = []
    for name, table in tables.items():
        for ending in ("csv", "parquet"):
            write = pyarrow.csv.write_csv if ending == "csv" else pyarrow.parquet.write_table
            written.append(f"{name}.{ending}")
            write_in_one_step(folder / written[-1], partial(write, table))
    return written


def _aggregate(samples: Sequence[Sequence[Any]]) -> dict[str, Column]:
    """Return the columns that one figure becomes, by the end of their names; none for text."""
    kinds = set[type]().union(*map(_find_kinds, samples))
    if kinds == {bool}:
        shares = [compute_wilson(sum(sample), len(sample)) if sample else None for sample in samples]
        return {
            "": [share and share.share for share in shares],
            ".low": [share and share.low for share in shares],
            ".high": [share and share.high for share in shares],
        }
    if kinds and kinds <= {int, float}:
        spreads = [compute_spread(sample) if sample else None for sample in samples]
        return {
            ".mean": [spread and spread.mean for spread in spreads],
            ".std": [spread and spread.std for spread in spreads],
            ".median": [spread and spread.median for spread in spreads],
        }
    return {}


def _differ(sample: Sequence[Any], places: Sequence[int]) -> bool:
    return len(sample) != len(places)


def _name_figure(name: str, keys: Sequence[str]) -> str:
    """Return a figure's column; a key of the same name keeps its own."""
    taken = {*keys, "repeat", "seed", "cell", "error", "n", "failed"}
    return f"figure.{name}" if name in taken else name


def _find_kinds(column: Sequence[Any]) -> set[type]:
    return {type(value) for value in column if value is not None}


def _build_table(columns: Mapping[str, Column]) -> pa.Table:
    return pa.table({name: _build_column(column) for name, column in columns.items()})


def _build_column(column: Column) -> pa.Array:
    """Return a typed column; lists, sections and mixtures, which have no type of their own, as JSON."""
    kinds = _find_kinds(column)
    if kinds == {bool}:
        return pa.array(column, pa.bool_())
    if kinds == {int}:
        return pa.array(column, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in column], pa.float64())
    if kinds <= {str}:
        return pa.array([value and value.encode("utf-8", "backslashreplace").decode() for value in column], pa.string())
    return pa.array([encode(value) for value in column], pa.string())

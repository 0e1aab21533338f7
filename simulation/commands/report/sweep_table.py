"""The aggregated table of a sweep: which columns were varied, which are figures, and what stands for each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from simulation.analysis import CLOSED_FORM
from simulation.commands.report.picture import Table
from simulation.commands.report.value_names import show_value
from simulation.commands.sweeps import is_changed, read_digests
from simulation.foundation import SimulationError
from simulation.records import AGGREGATE_STEM, DIGESTS_NAME

AGGREGATE_NAME: Final = f"{AGGREGATE_STEM}.csv"
COPY_NAME: Final = f"{AGGREGATE_STEM}.parquet"
"""The same table in another format, for when the first is damaged."""

MAX_VALUES: Final = 30
"""More values of a key than these are not listed."""

_COUNT: Final = "n"
_FAILED: Final = "failed"


class SweepTableError(SimulationError, ValueError):
    """A sweep's table cannot be used; the text says which and why."""


@dataclass(slots=True)
class SweepTable:
    """A row for each combination of values, aggregated over its repeats."""

    name: str
    frame: pd.DataFrame
    keys: tuple[str, ...]
    """Columns that were varied, in their order."""
    warnings: list[str] = field(default_factory=list)
    changes: tuple[str, ...] = ()
    """Those of the warnings that say what was changed since the sweep wrote it."""

    @property
    def figures(self) -> dict[str, str]:
        """Return the figures that the table has, each with its kind: "proportion" or "number"."""
        found = {}
        for column in map(str, self.frame.columns[len(self.keys) :]):
            if column.endswith(".low") and is_proportion(self.frame, column.removesuffix(".low")):
                found[column.removesuffix(".low")] = "proportion"
            elif column.endswith(".mean"):
                found[column.removesuffix(".mean")] = "number"
        return found

    def get_centre(self, figure: str) -> "pd.Series[float]":
        """Return the column of a figure: shares, or means."""
        return self.frame[figure if self.figures[figure] == "proportion" else f"{figure}.mean"].astype(float)

    def find_varied(self) -> list[str]:
        """Return the keys that differ between combinations."""
        return [key for key in self.keys if self.frame[key].nunique(dropna=False) > 1]

    def find_lines(self, x: str) -> list[str]:
        """Return the fewest other keys that tell lines apart; what follows another key or ``x`` is not needed."""
        needed = [key for key in self.find_varied() if key != x]
        for key in reversed(needed):
            rest = [other for other in needed if other != key]
            if self._count_groups([x, *rest]) == self._count_groups([x, *needed]):
                needed = rest
        return needed

    def choose_x(self, max_lines: int) -> str | None:
        """Return the key of the horizontal axis: the first, unless it has no numbers or leaves too many lines.

        Then it is the one with the most numbers. None if nothing differs.
        """
        varied = self.find_varied()
        numeric = [key for key in varied if pd.api.types.is_numeric_dtype(self.frame[key].dtype)]
        numeric = [key for key in numeric if self.frame[key].dtype != bool]
        if varied[:1] != numeric[:1] or (varied and self.count_lines(varied[0]) > max_lines):
            return max(numeric, key=lambda key: self.frame[key].nunique(), default=varied[0] if varied else None)
        return varied[0] if varied else None

    def build_facts(self) -> Table:
        """Return what the table is over."""
        rows = [
            ("combinations", f"{len(self.frame):,}"),
            ("cells with figures", f"{int(self.frame[_COUNT].fillna(0).sum()):,}"),
            ("cells without", f"{int(self.frame[_FAILED].fillna(0).sum()):,}"),
        ]
        for key in self.keys:
            values = list({str(value): show_value(value) for value in self.frame[key]}.values())
            rest = f" and {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
            between = "; " if any(", " in value for value in values) else ", "
            rows.append((key, between.join(values[:MAX_VALUES]) + rest))
        return Table(("what", "value"), tuple(rows))

    def tabulate(self, figure: str) -> Table:
        """Return what stands for a figure in each combination."""
        ends = ("", ".low", ".high") if self.figures[figure] == "proportion" else (".mean", ".std", ".median")
        wanted = (f"{figure}{end}" for end in (*ends, CLOSED_FORM))
        count = f"{figure}.n" if f"{figure}.n" in self.frame else _COUNT
        columns = [*self.keys, count, *(column for column in wanted if column in self.frame)]
        rows = self.frame[columns].itertuples(index=False, name=None)
        return Table(tuple(columns), tuple(tuple(map(show_value, row)) for row in rows))

    def count_lines(self, x: str) -> int:
        """Return the number of lines there are against a key."""
        return self._count_groups(self.find_lines(x))

    def _count_groups(self, keys: list[str]) -> int:
        return len(self.frame[keys].drop_duplicates()) if keys else 1


def is_proportion(frame: pd.DataFrame, figure: str) -> bool:
    """Return whether a figure is a share of the repeats, with an interval, and not a mean of numbers."""
    return {figure, f"{figure}.low", f"{figure}.high"} <= set(map(str, frame.columns))


def read_sweep_table(folder: Path) -> SweepTable:
    """Return the table of a sweep's folder; what was changed since the sweep wrote it is said, and not used.

    Raises:
        SweepTableError: It is not there, not such a table, or changed.
    """
    path, warnings = _choose_file(folder)
    try:
        is_copy = path.name == COPY_NAME
        frame = pd.read_parquet(path) if is_copy else pd.read_csv(path, keep_default_na=False, na_values=[""])
    except OSError as error:
        raise SweepTableError(f"{path}: cannot be read: {error.strerror}; has the sweep finished?") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise SweepTableError(f"{path}: not the table of a sweep: {error}") from None
    keys = find_keys(frame)
    if keys is None or not len(frame):
        raise SweepTableError(f"{path}: not the table of a sweep: the columns n and failed, or all rows, are missing")
    table = SweepTable(folder.resolve().name, frame, keys, list(warnings), tuple(warnings))
    table.warnings += _find_faults(path, table)
    return table


def find_keys(frame: pd.DataFrame) -> tuple[str, ...] | None:
    """Return the columns that were varied, which stand before the counts; None where there are no counts."""
    columns = [str(column) for column in frame.columns]
    places = [place for place, _ in enumerate(columns) if columns[place : place + 2] == [_COUNT, _FAILED]]
    return tuple(columns[: places[0]]) if places else None


def _choose_file(folder: Path) -> tuple[Path, list[str]]:
    """Return the file to read, and what is to be said of the others."""
    path, digests = folder / AGGREGATE_NAME, read_digests(folder)
    if digests is None:
        if not path.exists():
            return path, []
        return path, [f"{folder / DIGESTS_NAME}: cannot be read, so nobody can tell whether the tables were changed"]
    changed = [name for name in digests if is_changed(folder, name, digests)]
    warnings = [f"{folder / name}: changed since the sweep wrote its tables" for name in changed]
    if is_changed(folder, AGGREGATE_NAME, digests):
        if is_changed(folder, COPY_NAME, digests):
            raise SweepTableError(
                f"{path}: changed since the sweep wrote it, and so was {COPY_NAME}; the sweep's command, given again, "
                "makes both anew from the finished cells"
            )
        path = folder / COPY_NAME
    if warnings:
        warnings[-1] += f"; figures are those of {path.name}, which is whole"
    return path, warnings


def _find_faults(path: Path, table: SweepTable) -> list[str]:
    """Return what is wrong with a table that is still of use; what is no number there is taken as missing."""
    frame, figures, faults = table.frame, table.figures, []
    for column in frame.columns[len(table.keys) :]:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        is_figure = any(str(column).removesuffix(end) in figures for end in _ENDS)
        damaged = int((numbers.isna() & frame[column].notna()).sum())
        if damaged and (is_figure or column in (_COUNT, _FAILED)):
            faults.append(f"{path}: {damaged} entries of {column} are not numbers and left out")
        if is_figure or column in (_COUNT, _FAILED):
            frame[column] = numbers.astype(float)
    failed = int(frame[_FAILED].fillna(0).sum())
    if failed:
        faults.append(f"{path}: {failed} cells failed or have not run; figures are over the others")
    return faults


_ENDS: Final = ("", ".low", ".high", ".mean", ".std", ".median", ".n", CLOSED_FORM)

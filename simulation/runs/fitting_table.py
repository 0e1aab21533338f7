"""Tables that fit a narrow terminal: headings on two lines first, then fewer columns; what is left is never cut."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

MARGIN: Final = 2
"""Columns of the screen on either side of each column, where there is room."""


class Column(NamedTuple):
    """One column of a table."""

    heading: str
    rank: int = 0
    """Which are left out first where there is no room for all: those of the highest rank; never one of rank 0."""
    is_number: bool = True


def build_fitting_table(width: int, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table that is no wider than the screen, if its columns of rank 0 are not.

    Args:
        width: That of the screen.
        columns: From left to right.
        rows: A cell for each column, which may have markup.
    """
    kept = list(range(len(columns)))
    is_wide = _measure(kept, [column.heading for column in columns], rows) + 2 * MARGIN * len(kept) <= width
    headings = [column.heading if is_wide else _split(column.heading) for column in columns]
    while not is_wide and _measure(kept, headings, rows) + len(kept) - 1 > width:
        last = max(kept, key=lambda number: columns[number].rank)
        if not columns[last].rank:
            break
        kept.remove(last)
    table = Table(box=None, padding=(0, MARGIN) if is_wide else (0, 1, 0, 0), pad_edge=is_wide, header_style="dim")
    for number in kept:
        justify = "right" if columns[number].is_number else "left"
        table.add_column(headings[number], justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(row[number] for number in kept))
    return table


def _split(heading: str) -> str:
    """Return a heading of several words on two lines."""
    return "\n".join(heading.rsplit(" ", 1)) if len(heading.split()) < 3 else heading.replace(" ", "\n", 1)


def _measure(kept: Sequence[int], headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the width of some columns, without what is between them."""
    return sum(
        max(
            *(len(line) for line in headings[number].split("\n")),
            0,
            *(Text.from_markup(row[number]).cell_len for row in rows),
        )
        for number in kept
    )

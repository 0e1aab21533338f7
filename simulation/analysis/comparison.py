"""Runs side by side, built from their log files alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import pandas as pd
from rich.markup import escape
from rich.table import Table

from simulation.analysis.compared import ComparedFigure, list_compared
from simulation.analysis.costs import COSTS
from simulation.analysis.differing_keys import find_differing_keys
from simulation.analysis.log_mechanism import find_log_mechanism
from simulation.analysis.measures import compute_measures, measure_blocks, measure_detection, measure_populations
from simulation.foundation import make_printable
from simulation.records import RunLog, Tally

NONE: Final = "-"
"""What a run is said to have of a figure that it has not; a row without any other is left out."""

MARGIN: Final = 2
"""Columns of the screen between two runs."""

MAX_WIDTH: Final = 22
"""A run's column need not be wider: longer words are folded."""

KEY: Final = "key "
"""Row names of keys of scenarios begin with it, in the frame and in CSV."""

SHOWN_KEYS: Final = 12
"""Keys in which runs differ that are shown on a console; the frame has all."""

_KEY_WIDTH: Final = 36
"""Columns of the screen for a key; longer ones are folded."""


def _show(value: object, digits: int = 1) -> str:
    return f"{value:,.{digits}f}" if isinstance(value, float) else "-" if value is None else str(value)


def _ending(tally: Tally) -> str:
    return "\n".join([tally.get_reason() or "unfinished", *filter(None, [tally.get_obstacle()])])


def _refused_per_population(tally: Tally) -> str:
    parts = [f"{name} {counts.total()}" for name, counts in sorted(tally.rejected_from.items()) if counts]
    return "\n".join(parts) or "none"


def _reasons(tally: Tally) -> str:
    total = sum(tally.rejected_from.values(), start=type(tally.rejected)())
    return "\n".join(f"{reason} {count}" for reason, count in total.most_common(4)) or "none"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _earned(tally: Tally) -> str:
    measured = measure_populations(tally)
    return "\n".join(f"{name} {_show(values['coins_earned'])}" for name, values in measured.items()) or "none"


def _populations(tally: Tally) -> str:
    counts: dict[tuple[str, str], int] = {}
    for node in tally.nodes.values():
        counts[node.population, node.role] = counts.get((node.population, node.role), 0) + 1
    return "\n".join(f"{count} {name} ({role})" for (name, role), count in counts.items())


_REPLACED: Final = {None: "-", False: "no", True: "yes"}

Rows = dict[str, Callable[[Tally], str]]

_CHAIN: Final[Rows] = {
    "data set": lambda tally: tally.get_opening().dataset,
    "rules": lambda tally: tally.get_opening().rules or "-",
    "nodes": _populations,
    "ended": _ending,
    "honest height": lambda tally: str(tally.compute_agreement()[1].height),
    "honest agreement": lambda tally: f"{tally.compute_agreement()[0]:.2f}",
    "forks": lambda tally: str(tally.count_forks()),
    "deepest reorganisation": lambda tally: str(tally.reorg_depth_max),
    "reorganisations a node": lambda tally: _show(measure_blocks(tally)["reorganisations"], 2),
    "settled block undone": lambda tally: _REPLACED[measure_blocks(tally)["settled_undone"]],
    "last block replaced": lambda tally: _REPLACED[measure_blocks(tally)["last_replaced"]],
    "employer's height": lambda tally: str(tally.employer.height),
}
"""What is compared before what only mechanisms have, and how it follows from a tally."""

_REST: Final[Rows] = {
    "messages sent": lambda tally: f"{tally.sent.total():,}",
    "megabytes sent": lambda tally: f"{tally.sent_bytes / 1e6:.2f}",
    "accepted": lambda tally: f"{tally.accepted.total():,}",
    "rejected": lambda tally: f"{tally.rejected.total():,}",
    "rejected by honest nodes, from": _refused_per_population,
    "rejected by honest nodes, for": _reasons,
    "attackers' work rejected": lambda tally: _percent(measure_detection(tally).recall),
    "rejected work that is attackers'": lambda tally: _percent(measure_detection(tally).precision),
    "honest work rejected": lambda tally: _percent(measure_detection(tally).false_rejection),
    "seconds to a block": lambda tally: _show(measure_blocks(tally)["seconds_each"], 3),
    "messages to a block": lambda tally: _show(measure_blocks(tally)["messages_each"]),
    "coins earned, by population": _earned,
    "transfers in the chain": lambda tally: str(
        sum(tally.blocks[block].transactions for block in tally.get_chain(tally.employer.head))
    ),
    "wall s": lambda tally: _show(tally.cost and tally.cost.wall_s),
    "CPU s": lambda tally: _show(tally.cost and tally.cost.cpu_s),
    "memory MB": lambda tally: _show(tally.cost and tally.cost.memory_pss_mb_max, 0),
}
"""What is compared behind it."""


def compare(log: RunLog) -> dict[str, str]:
    """Return all figures of a run as text, `NONE` where it has none."""
    tally, mechanism = log.tally, find_log_mechanism(log)
    opening, measures = tally.get_opening(), compute_measures(tally, mechanism)

    def show(figures: Iterable[ComparedFigure]) -> dict[str, str]:
        return {figure.name: figure.show(tally, measures) or NONE for figure in figures}

    return {
        "scenario": opening.scenario,
        "seed": str(opening.seed),
        "engine": opening.engine,
        "mechanism": mechanism or NONE,
        "code version": opening.code_version,
        **{name: read(tally) for name, read in _CHAIN.items()},
        **show(list_compared(mechanism)),
        **{name: read(tally) for name, read in _REST.items()},
        **show(COSTS),
    }


def build_frame(logs: Sequence[RunLog]) -> pd.DataFrame:
    """Return the comparison: a column for each run, a row for each figure that one has.

    Behind the figures, rows that begin with `KEY` are the keys in which the scenarios differ that lie beside the logs.
    """
    columns = {make_printable(f"{index}: {log.name}"): compare(log) for index, log in enumerate(logs, start=1)}
    names = _merge([list(figures) for figures in columns.values()])
    rows = {name: [make_printable(figures.get(name, NONE)) for figures in columns.values()] for name in names}
    told = {name: row for name, row in rows.items() if set(row) != {NONE}}
    for name, values in find_differing_keys(logs, NONE).items():
        told[make_printable(KEY + name)] = [make_printable(value) for value in values]
    return pd.DataFrame.from_dict(told, orient="index", columns=list(columns))


def _merge(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of all lists, each once: what only one list has comes behind what stands before it there."""
    merged: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name in merged:
                place = merged.index(name) + 1
            else:
                merged.insert(place, name)
                place += 1
    return merged


def build_tables(frame: pd.DataFrame, width: int) -> list[Table]:
    """Return a comparison as tables for the console, one below the other where the runs do not fit side by side.

    Keys in which the runs differ come first, in tables of their own; a last line says how many are not shown.

    Args:
        frame: The comparison.
        width: Columns of the screen.
    """
    is_key = frame.index.str.startswith(KEY)
    keys, tables = frame[is_key], []
    if len(keys):
        shown = keys[:SHOWN_KEYS].rename(lambda name: name.removeprefix(KEY))
        tables = _place_side_by_side(shown, width, "keys that differ")
        if len(keys) > len(shown):
            tables[-1].caption = f"and {len(keys) - len(shown):,} keys more, which --csv prints"
    return tables + _place_side_by_side(frame[~is_key], width)


def _place_side_by_side(frame: pd.DataFrame, width: int, title: str = "") -> list[Table]:
    longest = max(len(str(name)) for name in [title, *frame.index])
    free = width - min(longest, _KEY_WIDTH) - MARGIN
    tables: list[Table] = []
    start = 0
    while start < len(frame.columns):
        end, used = start, -MARGIN
        while end < len(frame.columns):
            used += min(_measure(frame, end), MAX_WIDTH) + MARGIN
            if used > free and end > start:
                break
            end += 1
        tables.append(_build_table(frame, frame.columns[start:end], title))
        start = end
    return tables


def _measure(frame: pd.DataFrame, place: int) -> int:
    """Return the width of a run's column."""
    cells = [str(frame.columns[place]), *map(str, frame.iloc[:, place])]
    return max(len(line) for cell in cells for line in cell.split("\n"))


def _build_table(frame: pd.DataFrame, columns: Iterable[str], title: str) -> Table:
    chosen = list(columns)
    table = Table(box=None, padding=(0, MARGIN, 0, 0), header_style="bold", caption_justify="left")
    table.add_column(title, style="dim", overflow="fold", min_width=min(_KEY_WIDTH, max(map(len, frame.index))))
    for column in chosen:
        width = MAX_WIDTH if len(chosen) > 1 else None
        table.add_column(escape(str(column)), overflow="fold", max_width=width)
    for name, row in frame.iterrows():
        if set(row[chosen]) == {NONE}:
            continue
        is_different = row.nunique() > 1
        values = (escape(str(row[column])) for column in chosen)
        table.add_row(escape(str(name)), *(f"[bold]{value}[/]" if is_different else value for value in values))
    return table

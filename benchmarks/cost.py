"""What a final block costs under each mechanism: the table and the picture of the study of costs."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from simulation.commands.report import CYCLE, LIGHT, make_figure

COST: Final = "measures.cost"
WHO: Final = "rules"

MEASURES: Final = {
    "cpu_s_each": ("CPU-seconds", 1.0),
    "hashes_each": ("tries, thousands", 1e-3),
    "signatures_made_each": ("signatures made", 1.0),
    "signatures_checked_each": ("signatures checked", 1.0),
    "bytes_each": ("KiB sent", 1 / 1024),
    "seconds_each": ("seconds", 1.0),
    "useful_share": ("useful, %", 100.0),
}
"""What is told of each final block: its words, and what the figure is multiplied by."""


def prepare_costs(frame: pd.DataFrame) -> pd.DataFrame:
    """Add a column for each measure, with its spread, and print the rows of the table in the page."""
    frame[WHO] = [_describe(json.loads(rules)) for rules in frame["mechanism"]]
    for name, (words, factor) in MEASURES.items():
        for end, spread in (("mean", ""), ("std", ", std")):
            column = f"{COST}.{name}.{end}"
            found = frame[column] if column in frame else pd.Series(float("nan"), frame.index)
            frame[f"{words}{spread}"] = pd.to_numeric(found, errors="coerce") * factor
    told = [words for words, _ in MEASURES.values()]
    print(f"| {WHO} | {' | '.join(told)} |")
    print(f"|---|{'---|' * len(told)}")
    for row in frame.to_dict("records"):
        print(f"| {row[WHO]} | {' | '.join(_show(row[name], row[f'{name}, std']) for name in told)} |")
    return frame


def _describe(rules: Mapping[str, Any]) -> str:
    name = str(rules["name"]).replace("_", " ")
    return f"{name}, {rules['hash_rate'] / 1e3:g}k/s" if "hash_rate" in rules else name


def _show(mean: float, spread: float) -> str:
    if pd.isna(mean):
        return "-"
    digits = 0 if mean >= 100 or mean == 0 else 1 if mean >= 10 else 2 if mean >= 0.1 else 3
    shown = f"{mean:,.{digits}f}"
    return shown if pd.isna(spread) or not spread else f"{shown} ± {spread:,.{digits}f}"


def draw_costs(frame: pd.DataFrame) -> Figure:
    """Draw bars of each measure with one standard deviation, a row for each mechanism."""
    figure = make_figure(0.36 * len(frame) + 1.4, 15)
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    places = range(len(frame))
    for axes, (words, _) in zip(panels, MEASURES.values(), strict=True):
        axes.barh(places, frame[words].fillna(0), xerr=frame[f"{words}, std"].fillna(0), color=CYCLE[0])
        axes.set(title=words, xlim=(0, None))
        axes.grid(axis="x", color=LIGHT)
    panels[0].set_yticks(places, list(frame[WHO]))
    panels[0].set_ylim(len(frame) - 0.4, -0.6)
    figure.supxlabel("for each final block; mean of runs, with one standard deviation")
    return figure

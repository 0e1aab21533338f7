"""The table and picture of the study of votes of stake; `benchmarks.studies` publishes them."""

import json
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.analysis import CLOSED_FORM
from simulation.commands.report import CYCLE, GREY, LIGHT, make_figure

SPLIT: Final = "measures.votes.is_split"
WHOLE: Final = "measures.votes.is_whole"
SHARE: Final = "attackers' share of the stake"
ATTACK: Final = "attack"
TITLES: Final = {"bft_equivocator": "two-faced owners", "bft_silent": "silent owners"}
PANELS: Final = {SPLIT: "two blocks of one height are final", WHOLE: "the whole chain becomes final"}
HONEST: Final = "populations.honest.count"
ATTACKERS: Final = "populations.attackers.count"


def prepare_votes(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the share of the attackers, and what they do in words."""
    frame[SHARE] = frame[ATTACKERS] / (frame[ATTACKERS] + frame[HONEST])
    kinds = [json.loads(text)[0] for text in frame["populations.attackers.behaviours"]]
    frame[ATTACK] = [TITLES[kind["kind"] if isinstance(kind, dict) else kind] for kind in kinds]
    return frame


def draw_votes(frame: pd.DataFrame) -> Figure:
    """Draw how often safety breaks, and how often the chain goes on, with the closed forms dashed."""
    figure = make_figure(4.4, 11)
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        for number, attack in enumerate(dict.fromkeys(frame[ATTACK])):
            _draw_line(axes, frame[frame[ATTACK] == attack].sort_values(SHARE), name, attack, number)
        axes.axvline(1 / 3, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(title=title, xlabel=SHARE, ylim=(-0.04, 1.04))
        axes.grid(axis="y", color=LIGHT)
    panels[0].set_ylabel("share of runs")
    handles, labels = panels[0].get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    known |= dict(zip(*reversed(panels[1].get_legend_handles_labels()), strict=True))
    figure.legend(list(known.values()), list(known), loc="outside lower center", ncols=len(known))
    return figure


def _draw_line(axes: Axes, rows: pd.DataFrame, name: str, attack: str, number: int) -> None:
    centre, formula = rows[name].astype(float), f"{name}{CLOSED_FORM}"
    reach = [(centre - rows[f"{name}.low"]).clip(lower=0), (rows[f"{name}.high"] - centre).clip(lower=0)]
    axes.errorbar(
        rows[SHARE], centre, yerr=reach, fmt=f"{'os'[number % 2]}-", color=CYCLE[number], elinewidth=1, label=attack
    )
    known = rows[rows[formula].notna()] if formula in rows else rows[:0]
    if len(known):
        axes.plot(known[SHARE], known[formula], "--", color="black", zorder=3, label="closed form")

"""The study of owners who sign only for themselves: how its sweep is read and drawn."""

from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulation.commands.report import GREY, draw_sweep, make_figure

THROUGH: Final = "measures.templates.through_of.honest"
BLOCKS: Final = "measures.proposed.withholders"
COINS: Final = "training.shares.withholders.coins"
PANELS: Final = {
    THROUGH: "templates of others that become blocks",
    BLOCKS: "withholders' share of the blocks",
    COINS: "withholders' share of the new coins",
}
STAKE: Final = "withholders' share of the stake"
GROUP: Final = "signatures"
POWER: Final = 0.3
"""Withholders' share of the hashes."""


def prepare_activity(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the withholders' share of the stake, and how many have to sign, to the table of a sweep."""
    stakes = 2 * frame["populations.withholders.stake"], 5 * frame["populations.honest.stake"]
    frame[STAKE] = stakes[0] / (stakes[0] + stakes[1])
    frame[GROUP] = [
        "3 of 5 (Decred)" if preset == "decred" else f"all of {drawn:.0f}"
        for preset, drawn in zip(frame["mechanism.preset"], frame["mechanism.drawn"], strict=True)
    ]
    return frame


def draw_activity(frame: pd.DataFrame) -> Figure:
    """Draw what becomes of others' templates, and what withholders have of blocks and coins; closed forms dashed."""
    figure = make_figure(4.4, 12)
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        draw_sweep(frame.reset_index(drop=True), STAKE, name, [GROUP], axes=axes)
        if (legend := axes.get_legend()) is not None:
            legend.remove()
        if name != THROUGH:
            axes.axhline(POWER, color=GREY, linestyle=":", label="their share of the hashes")
        axes.set(title=title, ylabel="", ylim=(0, 1))
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure

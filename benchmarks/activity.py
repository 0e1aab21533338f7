"""The study of owners who sign only for themselves: how its sweep is read and drawn."""

from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulation.commands.report import CYCLE, GREY, draw_sweep, make_figure

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
HONEST: Final = "coins of honest owners"
FOR_WORK: Final = {"": 0.5, "decred": 0.7}
"""Miners' share of what a block pays, by preset."""
POWER: Final = 0.3
"""Withholders' share of the hashes."""


def prepare_activity(frame: pd.DataFrame) -> pd.DataFrame:
    """Add their share of the stake, how many have to sign, and what honest owners would have, to a sweep's table."""
    stakes = 2 * frame["populations.withholders.stake"], 5 * frame["populations.honest.stake"]
    frame[STAKE] = stakes[0] / (stakes[0] + stakes[1])
    frame[GROUP] = [
        "3 of 5 (Decred)" if preset == "decred" else f"all of {drawn:.0f}"
        for preset, drawn in zip(frame["mechanism.preset"], frame["mechanism.drawn"], strict=True)
    ]
    for_work = [FOR_WORK.get(preset, FOR_WORK[""]) for preset in frame["mechanism.preset"]]
    frame[HONEST] = [share * POWER + (1 - share) * stake for share, stake in zip(for_work, frame[STAKE], strict=True)]
    return frame


def draw_activity(frame: pd.DataFrame) -> Figure:
    """Draw what becomes of others' templates, and what withholders have of blocks and coins; closed forms dashed."""
    figure = make_figure(4.4, 12)
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        draw_sweep(frame.reset_index(drop=True), STAKE, name, [GROUP], axes=axes)
        if (legend := axes.get_legend()) is not None:
            legend.remove()
        if name == BLOCKS:
            axes.axhline(POWER, color=GREY, linestyle=":")
        if name == COINS:
            for number, (_, rows) in enumerate(frame.groupby(GROUP, sort=False)):
                axes.plot(rows[STAKE], rows[HONEST], ":", color=CYCLE[number])
        axes.set(title=title, ylabel="", ylim=(0, 1))
    panels[-1].plot([], [], ":", color=GREY, label="if they signed for everybody")
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure

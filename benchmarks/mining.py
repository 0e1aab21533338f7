"""The studies of those who use the rules of mining: how their sweeps are read and drawn."""

import json
from math import exp
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.analysis import CLOSED_FORM
from simulation.commands.report import CYCLE, GREY, draw_sweep, make_figure
from simulation.commands.sweeps import compute_wilson

SHARE: Final = "measures.proposed.pool"
GAMMA: Final = "measures.work.ties.gamma"
SPENT: Final = "measures.work.double_spends.success"

POWER: Final = "pool's share of the power"
LINKS: Final = "ties"
WAITED: Final = "blocks that the merchant waits for"
THIEF: Final = "power"

OTHERS: Final = 8.0
"""Speed of all honest nodes of the study of selfish miners; of that of double spends it is 1."""


def prepare_selfish(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the pool's share of the power, and what its links make of ties, to the table of a sweep."""
    speed = frame["populations.pool.speed"]
    frame[POWER] = speed / (speed + OTHERS)
    foretold = frame[f"{GAMMA}{CLOSED_FORM}"]
    frame["gamma"], frame["gamma foretold"] = frame[f"{GAMMA}.mean"], foretold
    measured = frame["gamma"].groupby(foretold).transform("mean")
    frame[LINKS] = [f"gamma {said:.2f} ({found:.2f} measured)" for said, found in zip(foretold, measured, strict=True)]
    return frame


def draw_selfish(frame: pd.DataFrame) -> Figure:
    """Draw the pool's share of the chain against its share of the power."""
    figure, axes = _draw(frame, POWER, LINKS, SHARE)
    ends = [frame[POWER].min(), frame[POWER].max()]
    axes.plot(ends, ends, ":", color=GREY, label="its share of the power")
    axes.set(title="share of the chain that selfish miners have", ylim=(0, None))
    axes.legend(loc="upper left", fontsize="small")
    return figure


def prepare_double_spend(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the success of all payments of a combination together, with its interval, to the table of a sweep."""
    speed = frame["populations.thief.speed"]
    frame[THIEF] = [f"{share:.0%} of the power" for share in speed / (speed + 1)]
    told = [json.loads(text)[0] for text in frame["populations.thief.behaviours"]]
    frame[WAITED] = [item["confirmations"] for item in told]
    undone, ended = (_sum_up(frame, *stages) for stages in (("undone",), ("undone", "given_up")))
    found = [compute_wilson(*counts) for counts in zip(undone, ended, strict=True)]
    for name, values in zip(("", ".low", ".high"), zip(*found, strict=True), strict=True):
        frame[f"{SPENT}{name}"] = values
    frame["payments"] = ended
    shares = speed / (speed + 1)
    frame["by Nakamoto"] = [
        spend_twice_by_poisson(share, blocks) for share, blocks in zip(shares, frame[WAITED], strict=True)
    ]
    return frame.drop(
        columns=[f"{SPENT}{end}" for end in (".mean", ".std", ".median", ".n") if f"{SPENT}{end}" in frame]
    )


def _sum_up(frame: pd.DataFrame, *stages: str) -> list[int]:
    """Return how many payments of all repeats together came to one of some ends."""
    means = sum(frame[f"measures.work.double_spends.{stage}.mean"] for stage in stages)
    return [round(count) for count in means * frame["n"]]


def spend_twice_by_poisson(power: float, confirmations: int) -> float:
    """Return the chance of a double spend as Nakamoto (2008) has it.

    It takes the time in which the merchant waits for what it is on average, and lets an attacker that has drawn level
    win.
    """
    if power >= 1 / 2:
        return 1.0
    ratio = power / (1 - power)
    mean, chance, term = confirmations * ratio, 1.0, exp(-confirmations * ratio)
    for found in range(confirmations + 1):
        chance -= term * (1 - ratio ** (confirmations - found))
        term *= mean / (found + 1)
    return chance


def draw_double_spend(frame: pd.DataFrame) -> Figure:
    """Draw the success against the blocks that are waited for; dotted what Nakamoto's approximation says."""
    figure, axes = _draw(frame, WAITED, THIEF, SPENT)
    for number, (_, rows) in enumerate(frame.groupby(THIEF, sort=False)):
        axes.plot(rows[WAITED], rows["by Nakamoto"], ":", color=CYCLE[number])
    axes.plot([], [], ":", color=GREY, label="Nakamoto's approximation")
    axes.set(title="share of double spends that succeed", ylim=(0, 1))
    axes.legend(loc="upper right", fontsize="small")
    return figure


def _draw(frame: pd.DataFrame, x: str, lines: str, name: str) -> tuple[Figure, Axes]:
    figure = make_figure(4.6)
    axes = figure.subplots()
    draw_sweep(frame.reset_index(drop=True), x, name, [lines], axes=axes)
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.set_ylabel("")
    return figure, axes

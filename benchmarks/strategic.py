"""The tables and pictures of study (i), attackers who choose; `benchmarks.studies` publishes them."""

import json
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.success import (
    ABLATED,
    ANSWERS,
    ATTACK,
    ATTACKERS,
    FORMULA,
    FREE,
    HIGH,
    KEPT_OUT,
    LOW,
    OWNERS,
    PANELS,
    RESOURCES,
    RULES,
    SUCCESS,
    Panel,
)
from simulation.commands.report import CYCLE, GREY, LIGHT, make_figure

SHARE: Final = "attackers' share of the stake"
RULES_DRAWN: Final = (1, 2)
TAKEN: Final = "taken away"

ANNOUNCE_EVERY_SLOTS: Final = 20
"""How often a node may have asked a neighbour for blocks."""

USERS_TRANSFERS: Final = 20
"""Transfers that users send while others are after room and bandwidth."""


# ---- attackers against their share ----


def prepare_attackers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each panel, version of the rules and share, with the success in it."""
    frame[SHARE] = frame[ATTACKERS] / OWNERS
    frame[RULES] = frame["protocol.rules"]
    return pd.concat([panel.measure(panel.select(frame)) for panel in PANELS], ignore_index=True)


def draw_attackers(frame: pd.DataFrame) -> Figure:
    """Draw the success of each attacker against its share of the stake, under both versions of the rules."""
    figure = make_figure(11.2, 13)
    places = list(figure.subplots(4, 4, sharex=True).flat)
    for axes, panel in zip(places, PANELS, strict=False):
        axes.set_title(panel.title, fontsize="medium")
        rows = frame[frame[ATTACK] == panel.title]
        if rows.empty:  # of a smaller sweep than the shipped one
            continue
        for rules, line in rows.groupby(RULES):
            _draw_line(axes, line, RULES_DRAWN.index(rules), f"rules {rules}")
        formula = rows[rows[FORMULA].notna()]
        axes.plot(formula[SHARE], formula[FORMULA], "--", color="black", zorder=3, label="closed form, rules 2")
        _finish(axes, panel)
    lines = next(axes.get_legend_handles_labels() for axes in places if axes.has_data())
    for axes in places[len(PANELS) :]:
        axes.set_axis_off()
    places[-1].legend(*lines, loc="center", fontsize="large")
    for axes in places[len(PANELS) - 4 : len(PANELS)]:
        axes.xaxis.set_tick_params(labelbottom=True)
    figure.supxlabel(SHARE, fontsize="medium")
    return figure


def _draw_line(axes: Axes, rows: pd.DataFrame, number: int, label: str) -> None:
    reach = [(rows[SUCCESS] - rows[LOW]).clip(lower=0), (rows[HIGH] - rows[SUCCESS]).clip(lower=0)]
    marker, color = "osD"[number], CYCLE[number]
    wide = 3.0 - 0.8 * number  # later lines may lie on this one
    axes.errorbar(
        rows[SHARE],
        rows[SUCCESS],
        yerr=reach,
        fmt=f"{marker}-",
        color=color,
        linewidth=wide,
        elinewidth=1.2,
        markersize=3 + wide,
        label=label,
    )


def _finish(axes: Axes, panel: Panel) -> None:
    axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    if panel.bound is not None:
        axes.axhline(panel.bound, color=GREY, linewidth=0.8, linestyle=":")
    axes.grid(axis="y", color=LIGHT)
    if panel.scale == "share":
        axes.set_ylim(-0.04, 1.04)
    else:
        axes.set_yscale(panel.scale)
        axes.yaxis.set_major_formatter("{x:g}")
        if panel.scale == "linear":
            axes.set_ylim(bottom=-0.04 * axes.get_ylim()[1])


# ---- repairs taken away ----


def prepare_repairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each panel, what is taken away, and share."""
    frame[TAKEN] = [_name_taken(text) for text in frame["protocol.without"]]
    frame[SHARE] = frame[ATTACKERS] / OWNERS
    frame[RULES] = 2
    found = pd.concat([panel.measure(panel.select(frame)) for panel in ABLATED], ignore_index=True)
    found[FORMULA] = found[FORMULA].where(found[TAKEN] == "nothing")
    return found


def _name_taken(without: str) -> str:
    return ",\n".join(json.loads(without)) or "nothing"


def draw_repairs(frame: pd.DataFrame) -> Figure:
    """Draw the success of each attacker with repairs taken away, as bars for each share."""
    figure = make_figure(5.0, 15)
    taken = list(dict.fromkeys(frame[TAKEN]))
    panels = figure.subplots(1, len(ABLATED), sharey=True)
    for axes, panel in zip(panels, ABLATED, strict=True):
        for number, (share, rows) in enumerate(frame[frame[ATTACK] == panel.title].groupby(SHARE)):
            places = [taken.index(name) + 0.38 * (number - 0.5) for name in rows[TAKEN]]
            reach = [(rows[SUCCESS] - rows[LOW]).clip(lower=0), (rows[HIGH] - rows[SUCCESS]).clip(lower=0)]
            label = f"attackers hold {share:.0%} of the stake"
            axes.barh(places, rows[SUCCESS], 0.36, xerr=reach, color=CYCLE[number], label=label)
        axes.set_title(panel.title.replace(": ", ":\n"), fontsize="medium")
        axes.grid(axis="x", color=LIGHT)
        axes.set_xlim(0, 1 if panel.scale == "share" else None)
    panels[0].set_yticks(range(len(taken)), taken)
    panels[0].set_ylim(len(taken) - 0.5, -0.5)
    panels[0].set_ylabel("repair taken away")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


# ---- room and bandwidth ----


def prepare_resources(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each panel, rules and share, with what attackers keep out, open for nothing, and draw."""
    frame[SHARE] = frame[ATTACKERS] / OWNERS
    frame[TAKEN] = [_name_taken(text) for text in frame["protocol.without"]]
    frame[RULES] = frame["protocol.rules"]
    links = frame[ATTACKERS] * (OWNERS - 1)
    periods = frame["measures.blocks.seconds_each.mean"] * frame["chain.height.mean"] / ANNOUNCE_EVERY_SLOTS + 1
    included, opened = "ledger.users_transactions", "ledger.strangers_accounts"
    frame[f"{KEPT_OUT.figure}.mean"] = 1 - frame[f"{included}.mean"] / USERS_TRANSFERS
    frame[f"{KEPT_OUT.figure}.std"] = frame[f"{included}.std"] / USERS_TRANSFERS
    frame[f"{FREE.figure}.mean"] = frame[f"{opened}.mean"] - frame["ledger.strangers_coins.mean"]
    frame[f"{FREE.figure}.std"] = frame[f"{opened}.std"]
    for part in ("mean", "std"):
        frame[f"{ANSWERS.figure}.{part}"] = frame[f"messages.sent.response.{part}"] / links / periods
    found = pd.concat([panel.measure(panel.select(frame)) for panel in RESOURCES], ignore_index=True)
    found[FORMULA] = found[FORMULA].where(found[TAKEN] == "nothing")
    return found


def draw_resources(frame: pd.DataFrame) -> Figure:
    """Draw each against the share of the stake."""
    figure = make_figure(4.2, 13)
    panels = figure.subplots(1, len(RESOURCES))
    for axes, panel in zip(panels, RESOURCES, strict=True):
        lines = frame[frame[ATTACK] == panel.title].groupby([RULES, TAKEN], sort=False)
        for number, ((rules, taken), rows) in enumerate(lines):
            _draw_line(axes, rows, number, f"rules {rules}" if taken == "nothing" else f"rules {rules} without {taken}")
        _finish(axes, panel)
        axes.set_title(panel.title, fontsize="medium")
        axes.set_xlabel(SHARE)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure

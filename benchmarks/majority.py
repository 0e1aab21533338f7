"""The study of majorities under every mechanism: how its sweep is read and drawn."""

import json
from math import comb, exp, lgamma, log
from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulation.analysis import CLOSED_FORM
from simulation.commands.report import CYCLE, GREY, draw_sweep, make_figure

UNDONE: Final = "undone"
SHARE: Final = "attackers' share"
HOW: Final = "mechanism"
NODES: Final = 20
PRIVATE_S: Final = {"proof_of_work": 40, "stake_chain": 40, "proof_of_activity": 320}
"""Seconds that a chain is built for in private: as many blocks or templates of work on average, or slots."""

STAKE: Final = "attackers' share of the stake"
DECEIVED: Final = "attack.employer_deceived"

GROUP: Final = 3
"""Owners that have to sign under proof of activity."""

SETTLED: Final = 7
"""Blocks that make the lowest of them settled: it has six others on it."""

VOTES: Final = Path("docs/studies/bft.csv")
"""Table of the study of two-faced owners among ten, who hear each other without anybody between."""

TRAINING: Final = Path("docs/studies/a_majority.csv")
"""Table of the study that asks the same of proof of training."""


def prepare_majorities(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the share, the mechanism, what of its blocks was undone, and the closed form to the table of a sweep."""
    attackers = frame["populations.attackers.count"]
    frame[SHARE] = attackers / NODES
    names = [str(json.loads(text)["name"]) for text in frame["mechanism"]]
    frame[HOW] = ["stake_bft, votes are passed on" if name == "stake_bft" else name for name in names]
    is_voted = pd.Series(names, index=frame.index) == "stake_bft"
    for end in ("", ".low", ".high"):
        split, settled = frame[f"measures.votes.is_split{end}"], frame[f"measures.blocks.settled_undone{end}"]
        frame[f"{UNDONE}{end}"] = settled.where(~is_voted, split)
    frame[f"{UNDONE}{CLOSED_FORM}"] = [foretell(name, count) for name, count in zip(names, attackers, strict=True)]
    return frame


def foretell(mechanism: str, attackers: int) -> float | None:
    """Return the chance that so many of the nodes have the longer chain when they show it; None where no form is known.

    Blocks of work are found by two Poisson processes, slots of a chain by stake are drawn for one side or the other,
    and a template counts for the side that all its signers are on.
    """
    share, honest = attackers / NODES, NODES - attackers
    seconds = PRIVATE_S.get(mechanism, 0)
    match mechanism:
        case "proof_of_work":
            return outrun(seconds * share, seconds * (1 - share))
        case "proof_of_activity":
            through = (comb(count, GROUP) / comb(NODES, GROUP) for count in (attackers, honest))
            ours, theirs = (seconds * part * passed for part, passed in zip((share, 1 - share), through, strict=True))
            return outrun(ours, theirs)
        case "stake_chain":
            led = range(seconds // 2 + 1, seconds - SETTLED + 1)
            return sum(comb(seconds, count) * share**count * (1 - share) ** (seconds - count) for count in led)
    return None


def outrun(ours: float, theirs: float) -> float:
    """Return the chance that one Poisson number is greater than another that is enough for a settled block.

    Args:
        ours: Mean of the first.
        theirs: Mean of the second.
    """
    most = round(ours + theirs + 12 * (ours + theirs) ** 0.5) + 12
    first, second = ([_find_poisson(mean, count) for count in range(most)] for mean in (ours, theirs))
    return sum(chance * sum(second[SETTLED:count]) for count, chance in enumerate(first))


def _find_poisson(mean: float, count: int) -> float:
    return exp(count * log(mean) - mean - lgamma(count + 1)) if mean else float(count == 0)


def draw_majorities(frame: pd.DataFrame) -> Figure:
    """Draw what is undone against the attackers' share; of training, what its own study found."""
    figure = make_figure(4.8)
    axes = figure.subplots()
    draw_sweep(frame.reset_index(drop=True), SHARE, UNDONE, [HOW], axes=axes)
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    votes, training = pd.read_csv(VOTES), pd.read_csv(TRAINING)
    two_faced = votes[votes["attack"] == "two-faced owners"]
    is_same = (training["confidence"] == "more than half the stake") & (training["protocol.stakeholders"] == 1)
    for told, rows, x, name, color in (
        ("stake_bft, nobody passes votes on, as in (l)", two_faced, STAKE, "measures.votes.is_split", CYCLE[4]),
        ("proof_of_training: employer deceived, as in (a)", training[is_same], STAKE, DECEIVED, CYCLE[5]),
    ):
        known = rows[rows[x] <= frame[SHARE].max() + 1e-9]
        axes.plot(known[x], known[name], "x-", color=color, label=told)
    for share in (1 / 3, 1 / 2):
        axes.axvline(share, color=GREY, linestyle=":")
    axes.set(title="settled blocks undone, share of runs", ylabel="", ylim=(-0.02, 1.02))
    axes.legend(loc="upper left", fontsize="small")
    return figure

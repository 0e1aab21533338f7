"""What the success of each attacker who chooses is, and how it is read from a sweep's table: study (i)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist
from typing import Any, Final

import pandas as pd

from simulation.analysis import CLOSED_FORM

OWNERS: Final = 20
"""All of equal stake."""

STAKEHOLDERS: Final = 3
HEADERS_PER_SLOT: Final = 0.5

SUCCESS: Final = "success"
LOW, HIGH, FORMULA = (f"{SUCCESS}{end}" for end in (".low", ".high", CLOSED_FORM))

ATTACK: Final = "attack"
RULES: Final = "rules"
ATTACKERS: Final = "populations.attackers.count"

Formula = Callable[[int], float]
"""What a closed form says under version 2 of the rules, for a number of attackers below one half."""

_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Panel:
    """One attacker, and one figure for its success."""

    title: str
    kind: str
    """Its behaviour."""
    figure: str
    """A column of proportions, or one of numbers without its ".mean"."""
    formula: Formula | None = None
    """None where there is none, or the table has its own."""
    at_once: bool = True
    """Whether everybody declares in the first slot."""
    counted: bool = False
    """Whether a count of declarations is enough."""
    leaves_out: bool = False
    """Whether it lists as few declarations as it can."""
    is_failing: bool = False
    """Whether success is that the figure's event does not happen."""
    bound: float | None = None
    """What the rules let it have at most."""
    scale: str = "share"
    """"share" for 0 to 1, else an axis as matplotlib knows it."""

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table that are about the attacker."""
        behaviours = frame["populations.attackers.behaviours"]
        is_meant = (behaviours.map(_find_kind) == self.kind) & (behaviours.map(_leaves_out) == self.leaves_out)
        if "protocol.confidence" in frame:
            is_meant &= frame["protocol.confidence"].map(lambda text: "count" in json.loads(text)) == self.counted
        if "protocol.declarations_per_slot" in frame:
            is_meant &= (frame["protocol.declarations_per_slot"] >= OWNERS) == self.at_once
        return frame[is_meant].copy()

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with the success in them, its interval, and the closed form."""
        if self.figure in rows:
            sides = [rows[self.figure], rows[f"{self.figure}.low"], rows[f"{self.figure}.high"]]
            if self.is_failing:
                sides = [1 - sides[0], 1 - sides[2], 1 - sides[1]]
            rows[SUCCESS], rows[LOW], rows[HIGH] = sides
        else:
            _add_mean(rows, self.figure)
            if self.scale == "share":
                rows[LOW], rows[HIGH] = rows[LOW].clip(lower=0), rows[HIGH].clip(upper=1)
        below = (rows[RULES] == 2) & (rows[ATTACKERS] < OWNERS / 2)
        own = rows.get(f"{self.figure}{CLOSED_FORM}", pd.Series(float("nan"), rows.index))
        told = own if self.formula is None else rows[ATTACKERS].map(self.formula)
        rows[FORMULA] = told.astype(float).where(below)
        rows[ATTACK] = self.title
        return rows


def _find_kind(behaviours: str) -> str:
    first: Any = json.loads(behaviours)[0]
    return str(first if isinstance(first, str) else first["kind"])


def _leaves_out(behaviours: str) -> bool:
    first: Any = json.loads(behaviours)[0]
    return isinstance(first, dict) and bool(first.get("leaves_out"))


def _add_mean(rows: pd.DataFrame, figure: str) -> None:
    """Add a mean with its 95 % interval; nothing is known where no run has the figure."""
    nothing = pd.Series(float("nan"), rows.index)
    mean = rows.get(f"{figure}.mean", nothing)
    spread = rows.get(f"{figure}.std", nothing).fillna(0)
    half = _Z * spread / rows.get(f"{figure}.n", rows["n"]).clip(lower=1).map(sqrt)
    rows[SUCCESS], rows[LOW], rows[HIGH] = mean, mean - half, mean + half


def _get_share(attackers: int) -> float:
    return attackers / OWNERS


def _get_nothing(attackers: int) -> float:
    return 0.0


def _compute_slots(silent: int) -> float:
    """Return the mean slots to a block where some owners propose, sign and wrap nothing."""
    honest = OWNERS - silent
    completing = HEADERS_PER_SLOT / OWNERS * comb(honest, STAKEHOLDERS) / comb(OWNERS, STAKEHOLDERS)
    return 1 / (1 - (1 - completing) ** honest)


_BLOCKS: Final = "measures.proposed.attackers"
_COINS: Final = "training.shares.attackers.coins"
_DECEIVED: Final = "attack.employer_deceived"

BLOCKS_OF_GRINDER: Final = Panel("grinder: share of the blocks", "grinder", _BLOCKS, _get_share)
COINS_OF_GRINDER: Final = Panel("grinder: share of the coins", "grinder", _COINS, _get_share)
BLOCKS_OF_RIDER: Final = Panel("sibling rider: share of the blocks", "sibling_rider", _BLOCKS, _get_nothing)
LATE: Final = Panel(
    "late replacer: last block replaced", "late_replacer", "measures.blocks.last_replaced", _get_nothing
)
STANDSTILL: Final = Panel(
    "private declarer: no delivery", "private_declarer", "delivered", _get_nothing, at_once=False, is_failing=True
)
STALLER: Final = Panel(
    "sibling staller: reorganisations", "sibling_staller", "measures.blocks.reorganisations", scale="linear"
)
COUNT: Final = Panel("fabricator: deceived, 3 declare", "fabricator", _DECEIVED, counted=True)

PANELS: Final = (
    BLOCKS_OF_GRINDER,
    Panel("grinder: blocks, slow declaring", "grinder", _BLOCKS, at_once=False),
    COINS_OF_GRINDER,
    Panel("partisan: share of the blocks", "partisan", _BLOCKS),
    Panel("partisan: share of the coins", "partisan", _COINS),
    Panel("partisan: coins, leaving out", "partisan", _COINS, leaves_out=True),
    BLOCKS_OF_RIDER,
    Panel("sibling rider: employer's coins", "sibling_rider", _COINS),
    LATE,
    STANDSTILL,
    Panel(
        "private declarer: slots to a block",
        "private_declarer",
        "measures.blocks.seconds_each",
        _compute_slots,
        scale="log",
    ),
    STALLER,
    COUNT,
    Panel("fabricator: deceived, majority", "fabricator", _DECEIVED, _get_nothing),
)
"""In the order in which they are drawn."""

ABLATED: Final = (BLOCKS_OF_GRINDER, COINS_OF_GRINDER, BLOCKS_OF_RIDER, LATE, STANDSTILL, STALLER, COUNT)
"""What is shown of each repair."""

KEPT_OUT: Final = Panel("users' transfers in no block", "pool_filler", "users' transfers in no block", _get_nothing)
FREE: Final = Panel(
    "accounts opened for nothing", "pool_filler", "accounts opened for nothing", _get_nothing, scale="linear"
)
ANSWERS: Final = Panel(
    "answers of one neighbour in 20 slots",
    "request_flooder",
    "answers of one neighbour in 20 slots",
    bound=1.0,
    scale="linear",
)
RESOURCES: Final = (KEPT_OUT, FREE, ANSWERS)

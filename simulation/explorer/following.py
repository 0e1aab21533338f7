"""What the page shows of a run that goes on: snapshots, made in the run's own process a few times a second."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import simulation as pot
from protocol.types import MICRO_COINS_PER_COIN
from simulation.commands.report import Window, list_windows
from simulation.engines import Holdings
from simulation.explorer.heights import HeightChange, Heights
from simulation.explorer.pace import Pace
from simulation.records import (
    Accepted,
    Appended,
    Fact,
    Ignored,
    PartyTally,
    PhaseEntered,
    Record,
    Rejected,
    Relayed,
    Sent,
    Tally,
    Waiting,
)

EVERY_S: Final = 0.25
"""Seconds between two snapshots."""

MOST_BLOCKS: Final = 150
MOST_NODES: Final = 200
MOST_NEWS: Final = 40
MOST_LINKS: Final = 1_000
"""What a snapshot holds at most: the latest blocks, the first nodes, the latest lines, the first links."""

BEFORE_ALL: Final = "halted before the first event; Next event goes on"
"""What is told of a run that waits for its first step."""

_NEWS: Final = frozenset({"appended", "rejected", "moved", "used_twice", "down", "up", "crashed", "broken", "fallback"})

_QUIET: Final = frozenset({Sent, Relayed, Ignored})
"""Most records of a run, which say nothing that is shown."""


@dataclass(frozen=True, slots=True)
class LiveNode:
    """Where a node is."""

    label: str
    population: str
    role: str
    phase: str
    since: float | None
    """When it entered that, by the run's clock; None where it has not said so."""
    height: int
    head: str
    refused: int
    """Messages of its own that honest nodes have refused."""
    coins: float | None
    """What it has at its own head; None before the run has ended, as nodes say so then."""


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """A block that a party has stored."""

    block: str
    parent: str
    height: int
    stored_by: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a run is."""

    phase: str
    """What the engine is doing, in words."""
    seconds: float
    """Of the run's own clock, which may be simulated; where it is not, it goes on while nothing happens."""
    height: int
    """Of the employer's chain."""
    length: int
    nodes: tuple[LiveNode, ...]
    blocks: tuple[LiveBlock, ...]
    refused: dict[str, int]
    """Refusals by reason."""
    links: dict[tuple[str, str], int]
    """Refusals by who passed the message on and who refused it."""
    news: tuple[str, ...]
    """The latest lines, the last one first."""
    latest: str = ""
    """The latest record of all."""
    holdings: Holdings | None = None
    """Who has how many coins by the employer's chain; None before it has a block."""
    heights: tuple[HeightChange, ...] = ()
    """How high chains reached, and when."""
    windows: tuple[Window, ...] = ()
    """When some cannot reach others."""
    head: str = ""
    """Of the employer's chain."""
    heard: frozenset[tuple[str, str]] = frozenset()
    """Links over which a message came, from whom to whom."""


def list_live_nodes(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return a row for each node, without columns that say nothing of any."""
    rows = [
        {
            "node": node.label,
            "role": node.role,
            "phase": node.phase or None,
            "for (s)": round(snapshot.seconds - node.since, 1) if node.since is not None else None,
            "height": node.height,
            "head": node.head,
            "refused": node.refused,
            "coins": node.coins,
        }
        for node in snapshot.nodes
    ]
    told = {name for row in rows for name, value in row.items() if value is not None}
    return [{name: value for name, value in row.items() if name in told} for row in rows]


def list_coins(holdings: Holdings) -> dict[str, float]:
    """Return coins by who has them, the richest first, all that are not named as one."""
    named = {owner: coins / MICRO_COINS_PER_COIN for owner, coins in holdings.named.items()}
    if holdings.others:
        named[f"{holdings.others:,} others"] = holdings.of_others / MICRO_COINS_PER_COIN
    return named


class LiveFollower:
    """Hears what a run does, and makes snapshots of it now and then."""

    def __init__(self, scenario: pot.Scenario, pace: Pace, show: Callable[[Snapshot], object]) -> None:
        """Follow a run.

        Args:
            scenario: What is run.
            pace: Holds simulated time up.
            show: Takes each snapshot.
        """
        self._length = scenario.keys.length
        self._is_simulated = scenario.keys.traits.is_simulated
        self._pace, self._show = pace, show
        self._tally: Tally | None = None
        self._phase = ""
        self._shown = 0.0
        self._seconds = 0.0
        self._started = math.inf
        """When the run's clock stood at zero by ours, at the latest, where it is not simulated."""
        self._scenario = scenario.to_dict()
        self._heights = Heights()
        self._heard: set[tuple[str, str]] = set()
        self._latest: Record | None = None
        self._holdings: Holdings | None = None
        self._blocks: set[str] = set()
        self._phases: dict[str, tuple[str, float]] = {}
        self._refused: Counter[str] = Counter()
        self._links: Counter[tuple[str, str]] = Counter()
        self._news: deque[Record] = deque(maxlen=MOST_NEWS)

    def take(self, record: Record) -> None:
        """Take a record, which the run has counted and written."""
        is_opening = self._tally is None  # who takes part, and how: no event yet, and nothing to show it by
        self._latest = None if is_opening else record
        kind = type(record.fact)
        is_first = kind not in _QUIET and self._look(record, record.fact)
        if not self._is_simulated:
            self._started = min(self._started, time.monotonic() - record.time)
            self._seconds = max(self._seconds, record.time)
            return
        if self._pace.is_held and not is_opening:
            self._pace.wait(record.time, self._show_waiting, is_block=is_first)
        self._seconds = record.time

    def _look(self, record: Record, fact: Fact) -> bool:
        """Take a record that says something to a viewer; return whether it is of a block that nobody had before."""
        is_first = False
        if isinstance(fact, Accepted | Waiting):
            self._note_link(fact.peer, record.who)
        elif isinstance(fact, Rejected):
            self._note_link(fact.peer, record.who)
            self._refused[fact.author or fact.peer] += 1
            self._links[fact.peer, record.who] += 1
        elif isinstance(fact, PhaseEntered):
            self._phases[record.who] = fact.phase, record.time
        elif isinstance(fact, Appended):
            is_first = fact.block not in self._blocks
            self._blocks.add(fact.block)
        if fact.event in _NEWS:
            self._news.append(record)
            if self._tally is not None:
                self._heights.take(record, self._tally)
        return is_first

    def _note_link(self, peer: str, who: str) -> None:
        if peer and len(self._heard) < MOST_LINKS:
            self._heard.add((peer, who))

    def take_holdings(self, holdings: Holdings) -> None:
        """Take what accounts have, now that the employer's head has changed."""
        self._holdings = holdings

    def tick(self, phase: str, tally: Tally) -> None:
        """Hear what the engine does, and what the records so far add up to."""
        is_first = self._tally is None
        self._tally = tally
        if is_first and self._is_simulated and self._pace.is_held:
            self._pace.wait(0.0, partial(self._show_waiting, is_before_all=True))
        self._phase = phase
        now = time.monotonic()
        if not self._is_simulated:
            self._seconds = max(self._seconds, now - self._started)
        if now >= self._shown + EVERY_S:
            self._show_now()

    def finish(self) -> None:
        """Show how far it has come, now that it is over."""
        self._show_now()

    def _show_waiting(self, seconds: float, *, is_halted: bool, is_before_all: bool = False) -> None:
        """Show how far it is while simulated time is held up."""
        self._seconds = seconds
        self._phase = (BEFORE_ALL if is_before_all else "halted") if is_halted else "slowed down"
        if is_halted or time.monotonic() >= self._shown + EVERY_S:
            self._show_now()

    def _show_now(self) -> None:
        if self._tally is not None:
            self._show(self._make(self._tally))
            self._shown = time.monotonic()

    def _make(self, tally: Tally) -> Snapshot:
        stored = Counter(block for blocks in tally.appended_by.values() for block in blocks)
        latest = sorted(tally.blocks.items(), key=lambda item: item[1].height)[-MOST_BLOCKS:]
        nodes = [
            LiveNode(
                label,
                node.population,
                node.role,
                *self._find_phase(label, node),
                node.height,
                node.head,
                self._refused[label],
                node.balance if node.outcome in ("finished", "stopped") else None,
            )
            for label, node in list(tally.nodes.items())[:MOST_NODES]
        ]
        return Snapshot(
            self._phase,
            self._seconds,
            tally.employer.height,
            self._length,
            tuple(nodes),
            tuple(LiveBlock(name, block.parent, block.height, stored[name]) for name, block in latest),
            dict(tally.rejected.most_common()),
            dict(self._links.most_common(200)),
            tuple(_write(record) for record in reversed(self._news)),
            _write(self._latest) if self._latest is not None else "",
            self._holdings,
            tuple(self._heights.changes),
            list_windows(self._scenario, tally.genesis_time),
            tally.employer.head,
            frozenset(self._heard),
        )

    def _find_phase(self, label: str, node: PartyTally) -> tuple[str, float | None]:
        return self._phases.get(label, ("", None)) if node.outcome == "running" else (node.outcome, None)


def _write(record: Record) -> str:
    return record.to_line().to_text().strip()

"""What the page shows of a run that goes on: snapshots, made in the run's own process a few times a second."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import simulation as pot
from simulation.records import PhaseEntered, Record, Rejected, Tally

EVERY_S: Final = 0.25
"""Seconds between two snapshots."""

MOST_BLOCKS: Final = 150
MOST_NODES: Final = 200
MOST_NEWS: Final = 40
"""What a snapshot holds at most: the latest blocks, the first nodes, the latest lines."""

_NEWS: Final = frozenset({"appended", "rejected", "moved", "used_twice", "down", "up", "crashed", "broken", "fallback"})


@dataclass(frozen=True, slots=True)
class LiveNode:
    """Where a node is."""

    label: str
    population: str
    role: str
    phase: str
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
    """Of the run's own clock, which may be simulated."""
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


def list_live_nodes(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return a row for each node, without columns that say nothing of any."""
    rows = [
        {
            "node": node.label,
            "role": node.role,
            "phase": node.phase or None,
            "height": node.height,
            "head": node.head,
            "refused": node.refused,
            "coins": node.coins,
        }
        for node in snapshot.nodes
    ]
    told = {name for row in rows for name, value in row.items() if value is not None}
    return [{name: value for name, value in row.items() if name in told} for row in rows]


class Pace:
    """How fast simulated seconds pass, and whether the run is to end: set by the page, asked by the run."""

    def __init__(self) -> None:
        """Nothing is held up."""
        self.is_over = False
        self._pace: float | None = None
        self._changed = threading.Condition()
        self._origin: tuple[float, float] | None = None

    def set(self, pace: float | None) -> None:
        """Let so many simulated seconds pass each second; 0 halts them, None lets them pass."""
        with self._changed:
            self._pace, self._origin = pace, None
            self._changed.notify_all()

    def end(self) -> None:
        """End the run."""
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def wait(self, now: float, meanwhile: Callable[[], None]) -> None:
        """Wait until a simulated time has come.

        Args:
            now: The time, in simulated seconds.
            meanwhile: Is called before the run waits.
        """
        if self._pace is None or self.is_over:
            return
        with self._changed:
            while not self.is_over and self._pace is not None:
                here = time.monotonic()
                if self._origin is None:
                    self._origin = (here, now)
                due = self._origin[0] + (now - self._origin[1]) / self._pace if self._pace else None
                if due is not None and due <= here:
                    return
                meanwhile()
                self._changed.wait(None if due is None else due - here)


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
        self._phases: dict[str, str] = {}
        self._refused: Counter[str] = Counter()
        self._links: Counter[tuple[str, str]] = Counter()
        self._news: deque[Record] = deque(maxlen=MOST_NEWS)

    def take(self, record: Record) -> None:
        """Take a record, which the run has counted and written."""
        fact = record.fact
        if self._is_simulated:
            self._pace.wait(record.time, self._show_now)
        self._seconds = record.time
        if isinstance(fact, Rejected):
            self._refused[fact.author or fact.peer] += 1
            self._links[fact.peer, record.who] += 1
        elif isinstance(fact, PhaseEntered):
            self._phases[record.who] = fact.phase
        if fact.event in _NEWS:
            self._news.append(record)

    def tick(self, phase: str, tally: Tally) -> None:
        """Hear what the engine does, and what the records so far add up to."""
        self._tally, self._phase = tally, phase
        if time.monotonic() >= self._shown + EVERY_S:
            self._show_now()

    def finish(self) -> None:
        """Show how far it has come, now that it is over."""
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
                self._phases.get(label, "") if node.outcome == "running" else node.outcome,
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
            tuple(record.to_line().to_text().strip() for record in reversed(self._news)),
        )

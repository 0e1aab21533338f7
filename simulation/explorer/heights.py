"""How high the chains of each population reach, and since when."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from simulation.commands.report import Window
from simulation.records import Appended, Moved, Record, Tally, UsedTwice

MOST_POINTS: Final = 400
"""Changes that are kept of a run that goes on; when there are more, fewer that lie apart evenly."""

Row = dict[str, Any]


class HeightChange(NamedTuple):
    """The highest head of a population is another one."""

    seconds: float
    population: str
    height: int


class Heights:
    """The highest head of each population, and of the employer, over time."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        """Begin with the genesis; keep so many changes at most."""
        self.changes: list[HeightChange] = []
        self._most = most
        self._of: dict[str, int] = {}
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def take(self, record: Record, tally: Tally) -> None:
        """Take a record that the tally has taken."""
        match fact := record.fact:
            case Appended(head=True) | Moved():
                height = fact.height
            case UsedTwice():
                height = fact.head_height
            case _:
                return
        node = tally.nodes.get(record.who)
        population = node.population if node is not None else record.who
        counts = self._counts[population]
        before = max(counts, default=0)
        former = self._of.get(record.who)
        if former is not None:
            counts[former] -= 1
            if not counts[former]:
                del counts[former]
        counts[height] += 1
        self._of[record.who] = height
        if max(counts) != before:
            self.changes.append(HeightChange(record.time, population, max(counts)))
            if len(self.changes) > self._most:
                self.changes = _thin(self.changes, self._most // 2)


def _thin(changes: Sequence[HeightChange], most: int) -> list[HeightChange]:
    """Return the last change of each population, and of those before only such as lie apart evenly."""
    of: defaultdict[str, list[HeightChange]] = defaultdict(list)
    apart_s = (changes[-1].seconds - changes[0].seconds) * len({change.population for change in changes}) / most
    for change in reversed(changes):
        kept = of[change.population]
        if not kept or kept[-1].seconds - change.seconds >= apart_s:
            kept.append(change)
    return sorted(change for kept in of.values() for change in kept)


def list_height_rows(changes: Iterable[HeightChange], end_s: float) -> list[Row]:
    """Return the points of a chart of steps: each line goes from its first change to the end."""
    rows: list[Row] = []
    last: dict[str, int] = {}
    for change in changes:
        if change.population not in last:
            rows.append({"seconds": 0.0, "population": change.population, "height": 0})
        last[change.population] = change.height
        rows.append({"seconds": change.seconds, "population": change.population, "height": change.height})
    return [*rows, *({"seconds": end_s, "population": name, "height": height} for name, height in last.items())]


def cut_windows(windows: Sequence[Window], end_s: float) -> list[Row]:
    """Return the windows that have begun, as far as the time has come."""
    return [
        {"start": window.start_s, "end": min(window.heal_s, end_s), "what": window.what}
        for window in windows
        if window.start_s < end_s
    ]

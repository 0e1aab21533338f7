"""The samples of the study of laws, held against their laws: points with intervals, and tests."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean, stdev
from typing import Final

from benchmarks.goodness import (
    CHI_SQUARED,
    find_chi_squared,
    find_distance,
    find_longest,
    follow_exponential,
    follow_geometric,
)
from benchmarks.law_samples import (
    WANTED_TRIES,
    Maker,
    Weight,
    average_bins,
    collect_tries,
    count_makers,
    find_step,
    foretell_fall,
    foretell_rise,
    list_intervals,
    read_weights,
    run,
    sort_shares,
)
from simulation.commands.sweeps import compute_wilson
from simulation.records import Tally

PLACES: Final = 24
REACH: Final = 6
"""Points at which a distribution is drawn, and up to which multiple of its mean."""

JOINS_S: Final = 1_050.0
WINDOW: Final = 100
FACTOR: Final = 4.0
"""Of `configs/studies/laws_step.yaml`: when the others come, after how many blocks the target changes, and by how many
times the power grows then; from the genesis on it has been a fourth of what the first target is for."""

BIN: Final = 25
"""Blocks whose mean interval is a point."""

Z_95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is drawn."""

    tries: int = 5_000
    """Nonces found, counted up and drawn."""
    runs: int = 5
    """Seeds of each run that goes into intervals and shares."""
    steps: int = 30
    """Seeds of the run whose power changes, two or more; 0 leaves it out."""
    settings: tuple[str, ...] = ()
    """Other keys of the runs that go into intervals and shares, as ``dotted.key=value``."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was found at a place, with its 95 % interval, and what the law says."""

    panel: str
    series: str
    x: float
    y: float
    low: float
    high: float
    law: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A test of a sample, at one in a thousand, or how far a mean is from what it should be."""

    sample: str
    law: str
    count: int
    test: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the sample passes."""
        return self.value < self.bound


@dataclass(frozen=True, slots=True)
class Laws:
    """The points that are drawn, and the tests."""

    points: tuple[Point, ...]
    verdicts: tuple[Verdict, ...]


def measure(sizes: Sizes) -> Laws:
    """Draw all samples, and hold them against their laws."""
    points: list[Point] = []
    verdicts: list[Verdict] = []
    for found in (*measure_tries(sizes.tries), measure_intervals(sizes), *measure_shares(sizes)):
        points += found.points
        verdicts += found.verdicts
    if sizes.steps:
        stepped = measure_steps(sizes.steps)
        points += stepped.points
        verdicts += stepped.verdicts
    return Laws(tuple(points), tuple(verdicts))


def measure_tries(count: int) -> Iterator[Laws]:
    """Yield the tries that nonces took, which were counted up, and which were drawn."""
    law = partial(follow_geometric, chance=1 / WANTED_TRIES)
    for series, is_random in (("nonces counted up", False), ("nonces drawn", True)):
        sample = collect_tries(count, 11, is_random=is_random)
        yield _hold(("tries", series, "geometric"), sample, law, float(WANTED_TRIES))


def measure_intervals(sizes: Sizes) -> Laws:
    """Return the seconds between blocks where the target never changes."""
    sample = [gap for tally in _run_all("laws_power", sizes) for gap in list_intervals(tally)]
    return _hold(("intervals", "block intervals", "exponential"), sample, follow_exponential, 1.0)


def _hold(names: tuple[str, str, str], sample: Sequence[float], law: Callable[[float], float], mean: float) -> Laws:
    """Return the share of a sample beyond some multiples of its mean, and the test of all of it.

    Args:
        names: Of the panel, the sample and the law.
        sample: What was found.
        law: Distribution function that it should have.
        mean: Mean that it should have.
    """
    panel, series, name = names
    count, points = len(sample), []
    for place in range(1, PLACES + 1):
        end = mean * REACH * place / PLACES
        found = compute_wilson(sum(value > end for value in sample), count)
        points.append(Point(panel, series, end / mean, found.share, found.low, found.high, 1 - law(end)))
    distance = find_distance(sample, law)
    verdict = Verdict(series, name, count, "Kolmogorov-Smirnov", distance, find_longest(count))
    return Laws(tuple(points), (verdict,))


def measure_shares(sizes: Sizes) -> Iterator[Laws]:
    """Yield how many blocks each node makes, by what that should go by, under three mechanisms."""
    told: tuple[tuple[str, Maker, Weight, str, str], ...] = (
        ("laws_power", "miner", "speed", "work: mined", "power"),
        ("laws_stake", "leader", "stake", "stake chain: led", "stake"),
        ("laws_coins", "miner", "speed", "activity: mined", "power"),
        ("laws_coins", "closer", "stake", "activity: closed", "coins"),
    )
    for name, maker, key, series, law in told:
        made = sum((count_makers(tally, maker) for tally in _run_all(name, sizes)), Counter[str]())
        counts, shares = sort_shares(read_weights(name, key), made)
        total = sum(counts)
        points = []
        for count, share in zip(counts, shares, strict=True):
            interval = compute_wilson(count, total)
            points.append(Point("shares", series, share, interval.share, interval.low, interval.high, share))
        bound = CHI_SQUARED[len(counts) - 1]
        verdict = Verdict(series, law, total, "chi-squared", find_chi_squared(counts, shares), bound)
        yield Laws(tuple(points), (verdict,))


def _run_all(name: str, sizes: Sizes) -> Iterator[Tally]:
    return (run(name, seed, *sizes.settings) for seed in range(sizes.runs))


def measure_steps(runs: int) -> Laws:
    """Return mean intervals from when the power has become a fourth of it, or four times as large, on."""
    steps = [find_step(run("laws_step", seed), JOINS_S, WINDOW) for seed in range(runs)]
    falls, rises = [step.before for step in steps], [step.after for step in steps]
    fallen = [[foretell_fall(place, WINDOW, FACTOR) for place in range(max(map(len, falls)))]]
    risen = [
        [foretell_rise(place, step.into, WINDOW, FACTOR) for place in range(max(map(len, rises)))] for step in steps
    ]
    points: list[Point] = []
    verdicts: list[Verdict] = []
    for series, rows, law in (("a fourth of the power", falls, fallen), ("four times the power", rises, risen)):
        foretold = {middle: fmean(values) for middle, values in average_bins(law, BIN)}
        for middle, values in average_bins(rows, BIN):
            half = Z_95 * stdev(values) / sqrt(len(values))
            mean = fmean(values)
            points.append(Point("targets", series, middle, mean, mean - half, mean + half, foretold[middle]))
        shortest = min(map(len, rows))  # more of a row that had more blocks would count short intervals too often
        settled = [gap for row in rows for gap in row[2 * WINDOW : shortest]]
        away = abs(fmean(settled) - 1)
        verdicts.append(Verdict(series, "interval", len(settled), "away from the target interval", away, 0.1))
    return Laws(tuple(points), tuple(verdicts))

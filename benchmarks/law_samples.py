"""Samples that have a law in closed form: tries, intervals, shares of blocks, and what a step of the power does."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import exp, lgamma, log
from statistics import fmean
from typing import Final, Literal

import numpy as np

from protocol.mechanisms.proof_of_work.difficulty import find_target
from protocol.mechanisms.proof_of_work.work import SearchNonce, compute_guess, search
from simulation.records import Tally
from simulation.runs import MemoryRun
from simulation.scenario import CONFIGS, load_scenario

WANTED_TRIES: Final = 200
"""Tries that a nonce of these samples takes on average."""

Maker = Literal["miner", "leader", "closer"]
"""Which of those who made a block is meant."""

Weight = Literal["speed", "stake"]
"""What of a population its share of the blocks should go by."""


def collect_tries(count: int, seed: int, *, is_random: bool) -> list[float]:
    """Return how many nonces were tried for each of some digests, hashed really.

    Each number is spread over the unit below it, which makes their law a continuous one
    (`benchmarks.goodness.follow_geometric`).

    Args:
        count: Digests.
        seed: Of drawn nonces, and of the spreading.
        is_random: Whether nonces are drawn, and not counted up from 0.
    """
    generator, target, tries = np.random.default_rng(seed), find_target(WANTED_TRIES), []
    for number in range(count):
        digest = number.to_bytes(32, "big")
        if not is_random:
            tries.append(search("sha256", SearchNonce(digest, target, 0), 1_000 * WANTED_TRIES).tried)
            continue
        tried = 1
        while compute_guess("sha256", int(generator.integers(2**62)), digest) >= target:
            tried += 1
        tries.append(tried)
    return [tried - float(generator.random()) for tried in tries]


@cache
def run(name: str, seed: int, *settings: str) -> Tally:
    """Return what a scenario of the study of laws comes to with a seed.

    Args:
        name: Its file in `configs/studies`.
        seed: Replaces the file's.
        settings: Other keys, as ``dotted.key=value``.

    Raises:
        RuntimeError: The run did not end with a whole chain, or an invariant was broken.
    """
    made = MemoryRun(load_scenario(CONFIGS / "studies" / f"{name}.yaml", settings, seed=seed))
    result = made.run()
    fault = made.find_fault(result)
    if result.reason != "complete" or fault is not None:
        raise RuntimeError(f"{name} with seed {seed}: {result.reason}, {fault or 'no invariant broken'}")
    return made.tally


def list_chain(tally: Tally) -> list[str]:
    """Return the blocks of the honest chain, lowest first."""
    return tally.get_chain(tally.compute_agreement()[1].head)[::-1]


def list_times(tally: Tally) -> list[float]:
    """Return when the chain's blocks were first in somebody's chain, in seconds, the genesis first."""
    return [0.0, *(tally.first_appended[block] for block in list_chain(tally))]


def list_intervals(tally: Tally) -> list[float]:
    """Return the seconds from each block of the chain to the next, from the genesis on."""
    return [later - earlier for earlier, later in pairwise(list_times(tally))]


def count_makers(tally: Tally, maker: Maker) -> Counter[str]:
    """Return how many blocks of the chain each population has made."""
    labels = (getattr(tally.blocks[block].part, maker) for block in list_chain(tally))
    return Counter(tally.nodes[label].population for label in labels)


def read_weights(name: str, key: Weight) -> dict[str, float]:
    """Return what each population of a scenario has by that its share should go."""
    scenario = load_scenario(CONFIGS / "studies" / f"{name}.yaml")
    return {
        item.name: item.count * (item.speed if key == "speed" else item.node_stake) for item in scenario.populations
    }


# ---- a step of the power ----


@dataclass(frozen=True, slots=True)
class Step:
    """Intervals before and after the power has become another."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    into: int
    """Blocks of the window in which it happened that were there before."""


def find_step(tally: Tally, joins_s: float, window: int) -> Step:
    """Return the intervals on both sides of the moment in which other nodes have joined, but that which it is in."""
    ended = list(zip(list_times(tally)[1:], list_intervals(tally), strict=True))
    before = tuple(gap for at, gap in ended if at < joins_s)
    return Step(before, tuple(gap for _, gap in ended[len(before) + 1 :]), (len(before) + 1) % window)


def foretell_rise(place: int, into: int, window: int, factor: float) -> float:
    """Return the mean interval at a place after the power has grown, as a multiple of what it should be.

    The target stays for the rest of the window; then it is multiplied by the time that the window took, of which a part
    is from before; then by that of a window of the new power alone. A window's time is w draws of the exponential law,
    and so the target, which follows from it, makes the next one's mean w / (w - 1).

    Args:
        place: Blocks since the power has grown, 0 for the first.
        into: Blocks of the window that were there before.
        window: Blocks after which the target changes.
        factor: How many times the power is as large.
    """
    steady = window / (window - 1)
    if place < window - into:
        return steady / factor
    if place < 2 * window - into:
        return steady * window / (factor * into + window - into)
    return steady


def foretell_fall(place: int, window: int, factor: float) -> float:
    """Return the mean interval at a place from the genesis on, where the first target is for that times the power.

    A target becomes ``factor`` times as easy at most, where this is the clamp; so after the first window it is the mean
    of w / G where that is more than 1, and of 1 elsewhere, for a sum G of w draws.
    """
    if place < window:
        return factor
    if place < 2 * window:
        below = [_find_poisson(window, count) for count in range(window)]  # that G is above w: fewer than w by then
        return window / (window - 1) * (1 - sum(below[:-1])) + sum(below)
    return window / (window - 1)


def _find_poisson(mean: float, count: int) -> float:
    return exp(count * log(mean) - mean - lgamma(count + 1))


def average_bins(rows: Sequence[Sequence[float]], size: int) -> Iterator[tuple[float, list[float]]]:
    """Yield the middle of each bin of places, and each row's mean in it, as far as all rows reach."""
    for start in range(0, min(map(len, rows)) - size + 1, size):
        yield start + size / 2, [fmean(row[start : start + size]) for row in rows]


def sort_shares(weights: Mapping[str, float], made: Mapping[str, int]) -> tuple[list[int], list[float]]:
    """Return how many each has made, and what each should have made by its weight as a share of the whole."""
    return [made.get(name, 0) for name in weights], [weight / sum(weights.values()) for weight in weights.values()]

"""What a link does to a frame: latency, bandwidth, loss, duplication, reordering, partitions and eclipses.

`NetworkModel.plan` says when copies of a frame arrive, if at all. It draws from one generator a sender, so one party's
traffic cannot shift another's luck. The virtual engine obeys all of it; the process engine applies it where it sends.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from simulation.foundation import NANOSECONDS, PluginError, derive_random, locate
from simulation.scenario import Eclipse, Latency, Partition, PluginLatency
from simulation.scenario.world import World

_MILLISECOND: Final = 1_000_000
_BITS: Final = 8


Planner = Callable[[str, int, int], tuple[int, ...]]
"""Takes a receiver's label, the bytes of a frame and the time; returns when copies arrive."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Pairs of parties that cannot reach each other for a while."""

    start: int
    heal: int
    side: Mapping[str, int]
    """Group of each party that is cut off from other groups; the rest see everybody."""

    def separates(self, first: str, second: str, now: int) -> bool:
        if not self.start <= now < self.heal:
            return False
        one, other = self.side.get(first), self.side.get(second)
        return one is not None and other is not None and one != other


class NetworkModel:
    """The links of one run."""

    def __init__(self, world: World) -> None:
        """Read the scenario's network section."""
        settings = world.scenario.network
        self._seed = world.scenario.seed
        self._loss = settings.loss
        self._duplication = settings.duplication
        self._reordering = settings.reordering
        self._reordering_ns = round(settings.reordering_ms * _MILLISECOND)
        self._bits_per_ns = settings.bandwidth_mbps / 1_000 if settings.bandwidth_mbps else 0.0
        self._planners: dict[str, Planner] = {}
        self._busy_until: dict[tuple[str, str], int] = {}
        members = world.scenario.expand_names()
        partitions = [_cut_groups(item, members) for item in settings.partitions]
        self._cuts = (*partitions, *(_cut_victims(item, members) for item in settings.eclipses))
        self._latency = _LatencyModel(settings.latency, members)
        self._is_faultless = not (
            self._loss or self._duplication or self._reordering or self._bits_per_ns or self._cuts
        )
        self.is_trivial: Final = self._is_faultless and settings.latency.kind == "constant" and not settings.latency.ms
        """Whether every frame arrives once and at once."""
        self.least_ns: Final = 0 if settings.latency.kind == "lognormal" else self._latency.get_least()
        """No frame arrives sooner after it is sent."""

    def plan(self, source: str, target: str, size: int, now: int) -> tuple[int, ...]:
        """Return when copies of a frame arrive, in nanoseconds since the genesis; nothing if it is lost.

        Args:
            source: Label of the sender.
            target: Label of the receiver.
            size: Bytes of the frame.
            now: When it is sent.
        """
        return self.get_planner(source)(target, size, now)

    def get_planner(self, source: str) -> Planner:
        """Return `plan` for one sender."""
        planner = self._planners.get(source)
        if planner is None:
            rng = derive_random(self._seed, "network", source)
            planner = self._planners[source] = self._build_planner(source, rng)
        return planner

    def _build_planner(self, source: str, rng: random.Random) -> Planner:
        """Return `plan` for one sender, without the questions that a network without faults has answered already."""
        if not self._is_faultless:
            return partial(self._plan, source, rng)
        draw = self._latency.build_draw(source, rng)
        return lambda target, size, now: (now + draw(target),)

    def _plan(self, source: str, rng: random.Random, target: str, size: int, now: int) -> tuple[int, ...]:
        if any(cut.separates(source, target, now) for cut in self._cuts):
            return ()
        if self._loss and rng.random() < self._loss:
            return ()
        sent = self._transmit(source, target, size, now)
        copies = 2 if self._duplication and rng.random() < self._duplication else 1
        arrivals = []
        for _ in range(copies):
            at = sent + self._latency.draw(source, target, rng)
            if self._reordering and rng.random() < self._reordering:
                at += round(rng.random() * self._reordering_ns)
            arrivals.append(at)
        return tuple(arrivals)

    def _transmit(self, source: str, target: str, size: int, now: int) -> int:
        """Return when the last bit has left: a link sends one frame after the other."""
        if not self._bits_per_ns:
            return now
        link = (source, target)
        done = max(now, self._busy_until.get(link, 0)) + round(size * _BITS / self._bits_per_ns)
        self._busy_until[link] = done
        return done


class _LatencyModel:
    """Time a frame is under way."""

    def __init__(self, latency: Latency, members: Mapping[str, Sequence[str]]) -> None:
        self._kind = latency.kind
        self._plugin = latency if isinstance(latency, PluginLatency) else None
        self._low = latency.ms * _MILLISECOND
        self._high = (latency.max_ms or latency.ms) * _MILLISECOND
        self._sigma = latency.sigma
        self._matrix = [[ms * _MILLISECOND for ms in row] for row in latency.matrix_ms]
        self._region = {
            label: row for row, names in enumerate(latency.regions) for name in names for label in members[name]
        }

    def get_least(self) -> int:
        """Return the shortest time there is."""
        return int(min([self._low, *(ms for row in self._matrix for ms in row)]))

    def build_draw(self, source: str, rng: random.Random) -> Callable[[str], int]:
        """Return `draw` for one sender; large networks draw more often than they do anything else."""
        low, width, toss = self._low, self._high - self._low, rng.random
        if self._kind == "uniform":
            return lambda target: int(low + toss() * width)
        if self._kind == "constant":
            return lambda target: int(low)
        return lambda target: self.draw(source, target, rng)

    def draw(self, source: str, target: str, rng: random.Random) -> int:
        """Return how long a frame is under way, in nanoseconds.

        Raises:
            PluginError: A latency of a plug-in is not what it may be.
        """
        if self._plugin is not None:
            return self._ask_plugin(self._plugin, source, target, rng)
        if self._kind == "uniform":
            return int(self._low + rng.random() * (self._high - self._low))
        if self._kind == "lognormal":
            return int(self._low * rng.lognormvariate(0, self._sigma))
        if self._kind == "regions" and source in self._region and target in self._region:
            return int(self._matrix[self._region[source]][self._region[target]])
        return int(self._low)

    @staticmethod
    def _ask_plugin(latency: PluginLatency, source: str, target: str, rng: random.Random) -> int:
        function = latency.part.function
        ms = function(source, target, rng, **latency.own)
        if not isinstance(ms, int | float) or not latency.ms <= ms <= latency.max_ms:
            told = f"{ms!r}"[:80]
            wanted = f"return milliseconds from {latency.ms:g} (ms) to {latency.max_ms:g} (max_ms)"
            raise PluginError(f"{locate(function)}: the latency {latency.kind!r} returned {told}; {wanted}")
        return int(ms * _MILLISECOND)


def _cut_groups(item: Partition, members: Mapping[str, Sequence[str]]) -> _Cut:
    side = {label: index for index, group in enumerate(item.groups) for name in group for label in members[name]}
    return _make_cut(item.start_s, item.heal_s, side)


def _cut_victims(item: Eclipse, members: Mapping[str, Sequence[str]]) -> _Cut:
    """Return the cut of an eclipse: each victim stands alone, and only those in `by` are on nobody's side."""
    victims = dict.fromkeys(label for name in item.victims for label in members[name])
    allowed = {label for name in item.by for label in members[name]}
    side = {label: 0 for labels in members.values() for label in labels if label not in allowed}
    side.update({label: number for number, label in enumerate(victims, start=1)})
    return _make_cut(item.start_s, item.heal_s, side)


def _make_cut(start_s: float, heal_s: float, side: Mapping[str, int]) -> _Cut:
    return _Cut(round(start_s * NANOSECONDS), round(heal_s * NANOSECONDS), side)

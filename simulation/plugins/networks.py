"""Registers topologies and latencies: who is linked to whom, and how long a frame is under way."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from simulation.scenario import PLUGIN_LATENCIES, PLUGIN_TOPOLOGIES, NetworkPart, read_own_keys

Topology = Callable[..., Iterable[tuple[str, str]]]
"""Takes ``(labels, rng)``, and its own keys by name; returns pairs of labels: the links, each in both directions.

`labels` are the names of all nodes in their order; `rng`, a `numpy.random.Generator`, owns its random draws.
"""

Latency = Callable[..., float]
"""Takes ``(source, target, rng)``, and its own keys by name; returns the milliseconds that one frame takes.

`source` and `target` are labels of parties; `rng`, a `random.Random`, owns the draws of this sender.
"""

TopologyT = TypeVar("TopologyT", bound=Topology)
LatencyT = TypeVar("LatencyT", bound=Latency)


def register_topology(name: str) -> Callable[[TopologyT], TopologyT]:
    """Let scenarios name a topology: ``network: {topology: {name: NAME}}``, or ``topology: NAME`` where that is all.

    Args:
        name: What scenarios call it.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: TopologyT) -> TopologyT:
        keys = read_own_keys(function, ("labels", "rng"))
        PLUGIN_TOPOLOGIES.register(name, NetworkPart(function, keys))
        return function

    return register


def register_latency(name: str) -> Callable[[LatencyT], LatencyT]:
    """Let scenarios name a latency: ``network: {latency: {kind: NAME, ms: 5.0, max_ms: 80.0}}``.

    A scenario says between how many milliseconds, `ms` and `max_ms`, all that it returns lies.

    Args:
        name: What scenarios call it.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: LatencyT) -> LatencyT:
        keys = read_own_keys(function, ("source", "target", "rng"))
        taken = next((key for key in keys if key in ("ms", "max_ms", "sigma", "regions", "matrix_ms")), None)
        if taken is not None:
            raise ValueError(f"latencies have a key {taken} already; give the key of {name} another name")
        PLUGIN_LATENCIES.register(name, NetworkPart(function, keys))
        return function

    return register

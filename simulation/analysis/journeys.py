"""How long a block may be under way from its author to the last node."""

import math
from typing import Final

from protocol.participant import ANNOUNCE_EVERY_SLOTS
from simulation.scenario import Network, Scenario

TAIL: Final = 2.0
"""How many standard deviations of a logarithm a latency counts for: 98 of 100 messages are faster."""


def estimate_journey_ms(scenario: Scenario) -> float:
    """Return the milliseconds that a block may be under way to all nodes; infinite where links may be full.

    A block that is lost on all ways to a node is only missed when a neighbour announces its head.
    """
    network = scenario.network
    may_jam = any(traits.may_jam for item in scenario.populations for traits in item.list_traits())
    if network.bandwidth_mbps is not None and may_jam:
        return math.inf
    latency = network.latency
    tail = math.exp(TAIL * latency.sigma) if latency.kind == "lognormal" else 1.0
    hop_ms = max([tail * latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])
    late_ms = network.reordering_ms if network.reordering else 0.0
    announced_ms = ANNOUNCE_EVERY_SLOTS * scenario.protocol.slot_ms if network.loss else 0.0
    return _count_hops(network, scenario.node_count) * (hop_ms + late_ms) + announced_ms


def _count_hops(network: Network, nodes: int) -> int:
    """Return over about how many links a block goes at most, where all nodes pass blocks on."""
    match network.topology:
        case "full_mesh":
            return 1
        case "two_level":
            return 3
        case "random_regular":
            return math.ceil(2 * math.log(nodes) / math.log(network.degree))
        case "ring":
            return nodes // 2
        case _:
            return nodes - 1

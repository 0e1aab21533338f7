"""What a scenario by work promises: how long a chain takes, and when blocks settle. Power counts, and no stake."""

import math
from typing import Final

from protocol.participant import ANNOUNCE_EVERY_SLOTS
from simulation.analysis import Promises
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario import Network, Population, Scenario

SETTLING: Final = 0.1
"""Share of an interval that a block may be under way: then six blocks in a row with a rival each are out of reach."""

TAIL: Final = 2.0
"""How many standard deviations of a logarithm a latency counts for: 98 of 100 messages are faster."""


class WorkPromises(Promises):
    """Knows intervals and hash rates."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes, at the slower of the first target and the interval."""
        keys = as_work_keys(scenario.mechanism)
        power = keys.measure_power(scenario)
        return scenario.length * max(keys.count_first(power) / power, keys.interval_ms / 1e3)

    def measure_power(self, population: Population) -> float:
        """Return the speed of all its owners: one that speaks as several nodes has no more of it."""
        return population.count * population.speed

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether blocks reach all nodes long before the next one is found."""
        keys = as_work_keys(scenario.mechanism)
        power = keys.measure_power(scenario)
        interval_ms = min(1e3 * keys.count_first(power) / power, keys.interval_ms)
        return self.estimate_hearing_ms(scenario) <= SETTLING * interval_ms

    def estimate_hearing_ms(self, scenario: Scenario) -> float:
        """Return the milliseconds from a nonce that is found to when the last node mines on its block."""
        return _measure_journey_ms(scenario)


def _measure_journey_ms(scenario: Scenario) -> float:
    """Return how long a block may be under way to the last node; infinite where links may be full.

    A block that is lost on all ways to a node is only missed when a neighbour announces its head.
    """
    network = scenario.network
    if network.bandwidth_mbps is not None and any(
        t.may_jam for item in scenario.populations for t in item.list_traits()
    ):
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

"""What a scenario by stake promises: how long a chain takes, and when blocks settle."""

from math import exp
from typing import Final

from simulation.analysis import Promises
from simulation.scenario import Scenario

SETTLING: Final = 0.5
"""Share of a slot that a block may be under way: then the next leader has it, and rivals are rare."""

TAIL: Final = 3.0
"""Standard deviations of the logarithm of a latency that are counted on: one message in a thousand takes longer."""


class StakePromises(Promises):
    """Knows slots."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes where only honest nodes make blocks."""
        honest = sum(self.measure_power(item) for item in scenario.populations if item.role == "honest")
        total = sum(map(self.measure_power, scenario.populations))
        return scenario.length * scenario.protocol.slot_ms / 1e3 * (total / honest if honest else 1.0)

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether blocks reach all nodes before the next slot.

        A node that has lost one may ask for it 20 slots later, and makes blocks on the branch that it knows until then.
        """
        network, latency = scenario.network, scenario.network.latency
        if network.loss or network.bandwidth_mbps is not None:
            return False
        hops = 1 if network.topology == "full_mesh" else max(1, scenario.node_count // 2)
        median_ms = max([latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])
        slowest_ms = median_ms * (exp(TAIL * latency.sigma) if latency.kind == "lognormal" else 1.0)
        return hops * slowest_ms <= SETTLING * scenario.protocol.slot_ms

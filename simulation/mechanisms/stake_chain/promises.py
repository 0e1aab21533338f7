"""What a scenario by stake promises: how long a chain takes, and when blocks settle."""

from typing import Final

from simulation.analysis import Promises, estimate_journey_ms
from simulation.scenario import Scenario

SETTLING: Final = 0.5
"""Share of a slot that a block may be under way: then the next leader has it, and rivals are rare."""


class StakePromises(Promises):
    """Knows slots."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes where only honest nodes make blocks."""
        honest = sum(self.measure_power(item) for item in scenario.populations if item.role == "honest")
        total = sum(map(self.measure_power, scenario.populations))
        return scenario.length * scenario.protocol.slot_ms / 1e3 * (total / honest if honest else 1.0)

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether blocks reach all nodes before the next slot."""
        return estimate_journey_ms(scenario) <= SETTLING * scenario.protocol.slot_ms

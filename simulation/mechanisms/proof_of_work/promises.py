"""What a scenario by work promises: how long a chain takes, and when blocks settle. Power counts, and no stake."""

from typing import Final

from simulation.analysis import Promises, estimate_journey_ms
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario import Population, Scenario

SETTLING: Final = 0.1
"""Share of an interval that a block may be under way: then six blocks in a row with a rival each are out of reach."""


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
        """Return the milliseconds from a nonce that is found to when all nodes mine on its block."""
        return estimate_journey_ms(scenario)

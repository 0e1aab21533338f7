"""What a training scenario promises: how long a job takes where all goes well, and that no poison gets through."""

from simulation.analysis import Promises
from simulation.scenario import Scenario


class TrainingPromises(Promises):
    """Knows rounds of training, declaring and proposing."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a job takes at most where all goes well."""
        rules, latency = scenario.protocol, scenario.network.latency
        declaring = (rules.confidence.count or scenario.node_count) / rules.declarations_per_slot
        slots = 2 + declaring + 1 / rules.headers_per_slot
        slowest = min(population.speed for population in scenario.populations)
        training_s = scenario.job.steps_per_stage * scenario.virtual.step_us / slowest / 1e6
        hop_ms = max([latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])
        return float(scenario.job.stages * (slots * rules.slot_ms / 1e3 + training_s + 10 * hop_ms / 1e3))

    def is_exact(self, scenario: Scenario) -> bool:
        """Return whether results are compared bit by bit: a tolerance may let a poison through that is weak enough."""
        return not scenario.protocol.tolerance

    def find_share_needed(self, scenario: Scenario) -> float:
        """Return the share of the stake that has to do its part for every step of a round."""
        return max(0.75, (scenario.protocol.confidence.stake_share or 0.0) + 0.25)

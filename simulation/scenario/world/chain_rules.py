"""The rules that every chain has, from a scenario."""

from protocol.genesis import ChainRules
from simulation.scenario import Scenario


def build_chain_rules(scenario: Scenario) -> ChainRules:
    """Return what a scenario says of every chain, whatever its mechanism."""
    return ChainRules(
        slot_ns=round(scenario.protocol.slot_ms * 1_000_000),
        max_transactions=scenario.protocol.max_transactions,
        length=scenario.length,
    )

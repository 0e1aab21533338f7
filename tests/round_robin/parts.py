"""What round robin contributes outside the core: its key `length`, and how a scenario becomes its genesis."""

from protocol import mechanisms as core_mechanisms
from protocol.genesis import GenesisAccount
from simulation.foundation import mechanism_parts
from simulation.scenario.mechanism_keys import ChainKeys
from simulation.scenario.scenario import Scenario
from simulation.scenario.world import build_chain_rules
from simulation.training.data_sets.data_form import DataForm
from tests.round_robin.mechanism import RoundRobin, RoundRobinGenesis


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> RoundRobin:
    """Return the mechanism of a scenario's chain; it has no data set."""
    chain = build_chain_rules(scenario)
    return RoundRobin(RoundRobinGenesis(chain=chain, accounts=accounts, seed=scenario.seed))


def register() -> None:
    """Make the mechanism known."""
    core_mechanisms.register(RoundRobin)
    mechanism_parts.register_parts(RoundRobin.name, {"keys": ChainKeys, "genesis": build_mechanism})

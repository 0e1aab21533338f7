"""From a scenario to what all parties of a chain by votes agree on."""

from protocol.genesis import GenesisAccount
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_bft.genesis import BftGenesis
from simulation.mechanisms.stake_bft.keys import as_bft_keys
from simulation.scenario import Scenario
from simulation.scenario.world import build_chain_rules
from simulation.training import DataForm


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> StakeBft:
    """Return the mechanism of a scenario's chain; it has no data set."""
    keys = as_bft_keys(scenario.mechanism)
    return StakeBft(
        BftGenesis(
            chain=build_chain_rules(scenario),
            accounts=accounts,
            seed=scenario.seed,
            pace=keys.build_pace(scenario.protocol.slot_ms),
            reward=keys.reward,
        )
    )

"""From a scenario to what all parties of a chain by votes agree on."""

from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_bft.genesis import BftGenesis
from simulation.mechanisms.stake_bft.keys import as_bft_keys
from simulation.scenario import Scenario


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes
) -> StakeBft:
    """Return the mechanism of a scenario's chain; it has no data set."""
    keys, slot_ms = as_bft_keys(scenario.mechanism), scenario.protocol.slot_ms
    return StakeBft(
        BftGenesis(
            chain=ChainRules(
                slot_ns=round(slot_ms * 1_000_000),
                max_transactions=scenario.protocol.max_transactions,
                length=scenario.length,
            ),
            accounts=accounts,
            seed=scenario.seed,
            pace=keys.build_pace(slot_ms),
            reward=keys.reward,
        )
    )

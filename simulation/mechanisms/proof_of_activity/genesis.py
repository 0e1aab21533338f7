"""From a scenario to what all parties of a chain by activity agree on."""

from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis
from simulation.mechanisms.proof_of_activity.keys import as_activity_keys
from simulation.scenario import Scenario
from simulation.scenario.world import build_chain_rules
from simulation.training import DataForm


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> ProofOfActivity:
    """Return the mechanism of a scenario's chain; it has no data set."""
    keys = as_activity_keys(scenario.mechanism)
    return ProofOfActivity(
        ActivityGenesis(
            chain=build_chain_rules(scenario),
            accounts=accounts,
            seed=scenario.seed,
            hash_name=keys.hash,
            difficulty=keys.build_difficulty(keys.measure_power(scenario)),
            reward=keys.reward,
            proof=keys.choose_proof(scenario),
            ties=keys.ties,
            drawn=keys.count_drawn(),
            needed=keys.count_needed(),
            shares=keys.build_shares(),
        )
    )

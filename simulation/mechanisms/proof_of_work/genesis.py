"""From a scenario to what all parties of a chain by work agree on."""

from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.proof_of_work.genesis import WorkGenesis
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario import Scenario
from simulation.scenario.world import build_chain_rules
from simulation.training import DataForm


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> ProofOfWork:
    """Return the mechanism of a scenario's chain; it has no data set."""
    keys = as_work_keys(scenario.mechanism)
    return ProofOfWork(
        WorkGenesis(
            chain=build_chain_rules(scenario),
            accounts=accounts,
            seed=scenario.seed,
            hash_name=keys.hash,
            difficulty=keys.build_difficulty(keys.measure_power(scenario)),
            reward=keys.reward,
            proof=keys.choose_proof(scenario),
            ties=keys.ties,
        )
    )

"""From a scenario to what all parties of a chain by activity agree on."""

from protocol.genesis import ChainRules, GenesisAccount
from protocol.mechanisms.proof_of_activity import ProofOfActivity
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis
from simulation.mechanisms.proof_of_activity.keys import as_activity_keys
from simulation.scenario import Scenario


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes
) -> ProofOfActivity:
    """Return the mechanism of a scenario's chain; it has no data set.

    A chain of simulated time says in its genesis that its nonces are stand-ins, unless the scenario wants real ones.
    """
    keys = as_activity_keys(scenario.mechanism)
    is_drawn = scenario.traits.is_simulated and keys.virtual_work == "drawn"
    return ProofOfActivity(
        ActivityGenesis(
            chain=ChainRules(
                slot_ns=round(scenario.protocol.slot_ms * 1_000_000),
                max_transactions=scenario.protocol.max_transactions,
                length=scenario.length,
            ),
            accounts=accounts,
            seed=scenario.seed,
            hash_name=keys.hash,
            difficulty=keys.build_difficulty(keys.measure_power(scenario)),
            reward=keys.reward,
            proof="stand_in" if is_drawn else "hashes",
            ties=keys.ties,
            drawn=keys.count_drawn(),
            needed=keys.count_needed(),
            shares=keys.build_shares(),
        )
    )

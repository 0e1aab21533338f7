"""From a scenario to what all parties of a chain by stake agree on."""

from collections import Counter

import msgspec

from protocol.bonding import BondRules
from protocol.genesis import GenesisAccount
from protocol.mechanisms.stake_chain import StakeChain
from protocol.mechanisms.stake_chain.genesis import StakeGenesis
from simulation.foundation import derive_bytes, to_micro, to_millionths
from simulation.mechanisms.stake_chain.keys import as_stake_keys
from simulation.scenario import Scenario
from simulation.scenario.world import build_chain_rules, make_keys
from simulation.training import DataForm


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> StakeChain:
    """Return the mechanism of a scenario's chain; it has no data set.

    Whoever is to bond or unbond coins while the chain grows begins with those coins, and with the fees.
    """
    keys = as_stake_keys(scenario.mechanism)
    return StakeChain(
        StakeGenesis(
            chain=build_chain_rules(scenario),
            accounts=_fund(scenario, accounts),
            seed=scenario.seed,
            bonding=BondRules(least_stake=to_micro(keys.least_stake), unbonding_blocks=keys.unbonding_blocks),
            drawn_by=keys.drawn_by,
            epoch_slots=keys.epoch_slots,
            slashed=to_millionths(keys.slashed_share) if keys.slashing else 0,
            reward=keys.reward,
            final_depth=keys.final_depth,
        )
    )


def _fund(scenario: Scenario, accounts: tuple[GenesisAccount, ...]) -> tuple[GenesisAccount, ...]:
    needed: Counter[bytes] = Counter()
    for where, item in as_stake_keys(scenario.mechanism).list_bonding():
        owner = make_keys(derive_bytes(scenario.seed, "key", "node", item.node)).public
        needed[owner] += to_micro(scenario.users.fee)
        needed[owner] += to_micro(item.coins) if where.startswith("deposits") else 0
    return tuple(
        msgspec.structs.replace(line, balance=line.balance + needed[line.account]) if line.account in needed else line
        for line in accounts
    )

"""The module that the entry point names: it registers the mechanism, and imports the module of the attacker."""

from typing import Annotated

from pydantic import Field

from protocol.genesis import GenesisAccount
from simulation.plugins import register_mechanism
from simulation.scenario import ChainKeys, Scenario
from simulation.scenario.world import build_chain_rules
from simulation.training import DataForm
from slot_turns import attack  # noqa: F401 - registers its behaviour
from slot_turns.chain import SlotGenesis, SlotTurns


class SlotKeys(ChainKeys):
    """`length`, as every chain has it, and a key of its own."""

    width: Annotated[int, Field(ge=1, le=100)] = 1
    """Slots that an owner has in a row."""


def build_genesis(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> SlotTurns:
    """Return the mechanism of a scenario's chain."""
    chain, keys = build_chain_rules(scenario), scenario.mechanism
    width = keys.width if isinstance(keys, SlotKeys) else 1
    return SlotTurns(SlotGenesis(chain=chain, accounts=accounts, seed=scenario.seed, width=width))


register_mechanism(SlotTurns, {"keys": SlotKeys, "genesis": build_genesis})

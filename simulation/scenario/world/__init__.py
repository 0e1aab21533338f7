"""Who takes part in a scenario: labels, keys, stakes, links, genesis, transfers."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.scenario.world.building import build_world, name_keys
    from simulation.scenario.world.chain_rules import build_chain_rules
    from simulation.scenario.world.key_pairs import make_keys
    from simulation.scenario.world.transfers import PlannedTransfer, TransferPlan, draw_transfers, plan_transfers
    from simulation.scenario.world.world import EMPLOYER, USERS, NodeSpec, World
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "building": "build_world name_keys",
            "chain_rules": "build_chain_rules",
            "key_pairs": "make_keys",
            "transfers": "PlannedTransfer TransferPlan draw_transfers plan_transfers",
            "world": "EMPLOYER NodeSpec USERS World",
        },
    )

__all__ = [
    "EMPLOYER",
    "USERS",
    "NodeSpec",
    "PlannedTransfer",
    "TransferPlan",
    "World",
    "build_chain_rules",
    "build_world",
    "draw_transfers",
    "make_keys",
    "name_keys",
    "plan_transfers",
]

"""What a scenario by stake promises: how long a chain takes, and when blocks settle."""

from collections.abc import Sequence
from typing import Final

from protocol.messages import AnyBlock
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis import Promises, estimate_journey_ms, find_last_state
from simulation.mechanisms.stake_chain.keys import as_stake_keys
from simulation.records import Tally
from simulation.scenario import Scenario
from simulation.scenario.world import NodeSpec, World, make_keys

SETTLING: Final = 0.5
"""Share of a slot that a block may be under way: then the next leader has it, and rivals are rare."""


class StakePromises(Promises):
    """Knows slots."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes where only honest nodes make blocks."""
        honest = sum(self.measure_power(item) for item in scenario.populations if item.role == "honest")
        total = sum(map(self.measure_power, scenario.populations))
        return scenario.length * scenario.protocol.slot_ms / 1e3 * (total / honest if honest else 1.0)

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether blocks reach all nodes before the next slot, and nobody makes blocks alone for a while.

        Who has been away leads slots of its own, at no cost, until it hears of the others: neighbours announce a head
        that stands still every 20 slots, and in these it may make more blocks than settle one.
        """
        is_back_alone = any(item.up_s is not None for item in scenario.network.outages)
        return estimate_journey_ms(scenario) <= SETTLING * scenario.protocol.slot_ms and not is_back_alone

    def explain_standstill(self, world: World, tally: Tally, blocks: Sequence[AnyBlock]) -> str | None:
        """Return that nobody who makes blocks has coins at stake after the last block, if that is so."""
        if len(blocks) >= world.scenario.length:
            return None
        stakes = find_last_state(world.mechanism, blocks).stakes
        able = sum(stakes.get_stake(make_keys(node.key_seed).public) for node in world.nodes if _is_able(tally, node))
        if able:
            return None
        begun = sum(node.stake for node in world.nodes) / MICRO_COINS_PER_COIN
        least = as_stake_keys(world.scenario.mechanism).least_stake
        if not stakes.total:
            text = f"0 coins are left at stake, of {begun:,.10g} at the genesis: all were withdrawn or taken"
        else:
            held = stakes.total / MICRO_COINS_PER_COIN
            text = f"all {held:,.10g} coins at stake are of nodes that are silent or gone"
        return f"{text}; a block needs a leader with {least:g} or more"


def _is_able(tally: Tally, node: NodeSpec) -> bool:
    """Return whether a node is there at the end, and may say something."""
    is_mute = any(act.behaviour.traits.is_mute for act in node.behaviours)
    return not is_mute and tally.get_party(node.label).outcome not in ("crashed", "down")

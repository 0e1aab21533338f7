"""What a scenario by votes promises: agreement whatever nodes hear, and an end for a network that has no quorum."""

from collections.abc import Iterable
from typing import Final

from protocol.mechanisms.stake_bft.quorum import is_quorum
from protocol.participant import ANNOUNCE_EVERY_SLOTS
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis import Obstacle, Promises
from simulation.mechanisms.stake_bft.keys import as_bft_keys, find_slowest_ms
from simulation.records import Tally
from simulation.scenario import Scenario
from simulation.scenario.world import NodeSpec, World

SHARE_NEEDED: Final = 0.67
"""Share of the stake that has to vote: more than two thirds."""

ROUNDS: Final = 4
"""Rounds that a block may take where all goes well: some proposers may be silent."""

QUIET_SLOTS: Final = 60
"""Slots without a block, besides some rounds, after which nothing can be under way any more: three announcements."""


class BftPromises(Promises):
    """Knows rounds and quorums."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes."""
        return scenario.length * self._estimate_block_s(scenario)

    def _estimate_block_s(self, scenario: Scenario) -> float:
        keys = as_bft_keys(scenario.mechanism)
        hops = 1 if scenario.network.topology == "full_mesh" else scenario.node_count
        slowest_ms = find_slowest_ms(scenario) * hops
        rounds = ROUNDS + (2 * slowest_ms / keys.growth_ms if keys.growth_ms else 0)
        each_ms = keys.propose_ms + 2 * keys.vote_ms + rounds * keys.growth_ms + 3 * slowest_ms
        if scenario.network.loss:  # in each step some vote is lost, and said again with the next announcement
            each_ms += 3 * ANNOUNCE_EVERY_SLOTS * scenario.protocol.slot_ms
        return (keys.interval_ms + rounds * each_ms + scenario.protocol.slot_ms) / 1e3

    def must_agree(self, scenario: Scenario) -> bool:
        """Return whether honest nodes hold more than two thirds: then no two of them differ, whatever they hear.

        Who has lost its disk has forgotten what it has promised, and counts among the others.
        """
        total = sum(round(item.count * item.stake * MICRO_COINS_PER_COIN) for item in scenario.populations)
        forgetful = {item.node for item in scenario.network.outages if item.down_s > 0 and item.disk == "lost"}
        honest = sum(
            round(item.node_stake * MICRO_COINS_PER_COIN)
            for item in scenario.populations
            for label in item.list_labels()
            if item.role == "honest" and label not in forgetful
        )
        return is_quorum(honest, total)

    def find_share_needed(self, scenario: Scenario) -> float:
        """Return the share of the stake that has to vote."""
        return SHARE_NEEDED

    def find_obstacle(self, world: World, tally: Tally) -> Obstacle | None:
        """Return that those who can vote hold too little, if that is so.

        That the chain never will grow is only said where it would not if all others who say anything voted, and when
        all parties have one head for so long that nothing is under way.
        """
        if tally.compute_agreement()[1].height >= world.scenario.length:
            return None
        there = [node for node in world.nodes if not _is_gone(world, tally, node)]
        able = [node for node in there if not any(act.behaviour.traits.is_mute for act in node.behaviours)]
        willing = [node for node in able if all(act.behaviour.traits.does_its_part for act in node.behaviours)]
        total = _sum_stake(world.nodes)
        if is_quorum(_sum_stake(willing), total):
            return None
        held, whole = (amount / MICRO_COINS_PER_COIN for amount in (_sum_stake(willing), total))
        text = f"nodes that vote hold {held:,.0f} of {whole:,.0f} coins of stake; more than two thirds have to"
        return Obstacle(text, not is_quorum(_sum_stake(able), total) and self._is_quiet(world, tally))

    def _is_quiet(self, world: World, tally: Tally) -> bool:
        heads = {node.head for node in tally.get_honest(alive=True)} | {tally.employer.head}
        last = max(tally.first_appended.values(), default=0.0)
        quiet_s = self._estimate_block_s(world.scenario) + QUIET_SLOTS * world.scenario.protocol.slot_ms / 1e3
        return len(heads) == 1 and tally.last_time > last + quiet_s


def _sum_stake(nodes: Iterable[NodeSpec]) -> int:
    return sum(node.stake for node in nodes)


def _is_gone(world: World, tally: Tally, node: NodeSpec) -> bool:
    """Return whether a node is not there, and never will be."""
    if tally.get_party(node.label).outcome not in ("crashed", "down"):
        return False
    outages = [item for item in world.scenario.network.outages if item.node == node.label]
    return not any(item.up_s is not None and item.up_s > tally.last_time for item in outages)

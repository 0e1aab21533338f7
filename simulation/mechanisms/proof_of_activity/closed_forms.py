"""What closed forms say of a scenario by activity, where all that they assume is so.

Links take no time, nobody is cut off, all are honest but for one population that withholds signatures, and where a
miner waits for votes that are not needed it does not wait long beside an interval.
"""

from collections.abc import Iterable
from typing import Final

from protocol.mechanisms.proof_of_activity.proposer import PATIENCE_SLOTS
from protocol.types import PARTS_PER_MILLION
from simulation.mechanisms.proof_of_activity.behaviours.withholding import ActivityWithholder
from simulation.mechanisms.proof_of_activity.formulas import (
    compute_partisan_blocks,
    compute_partisan_coins,
    compute_through,
)
from simulation.mechanisms.proof_of_activity.keys import ActivityKeys, as_activity_keys
from simulation.scenario import Population, Scenario

THROUGH: Final = "measures.templates.through_of.{}"
BLOCKS: Final = "measures.proposed.{}"
COINS: Final = "training.shares.{}.coins"

PROMPT: Final = 0.1
"""Share of an interval that a miner may wait for votes, and still close at once."""


def predict(scenario: Scenario) -> dict[str, float]:
    """Return the share of each population's templates that become blocks, and withholders' of blocks and coins.

    Coins follow from these only where there are no fees.
    """
    keys = as_activity_keys(scenario.mechanism)
    present = [item for item in scenario.populations if item.count]
    withholders = [item for item in present if _withholds(item)]
    others = [item for item in present if item not in withholders]
    if not _is_instant(scenario, keys) or len(withholders) > 1 or any(item.list_behaviours() for item in others):
        return {}
    drawn, needed = keys.count_drawn(), keys.count_needed()
    share = _find_share(
        [item.count * item.stake for item in withholders], [item.count * item.stake for item in present]
    )
    found = {THROUGH.format(item.name): compute_through(1 - share, drawn, needed) for item in others}
    for item in withholders:
        power = _find_share([_sum_speed(item)], map(_sum_speed, present))
        found[THROUGH.format(item.name)] = 1.0
        found[BLOCKS.format(item.name)] = compute_partisan_blocks(power, share, drawn, needed)
        if not scenario.users.transactions and keys.reward != "fees":
            found[COINS.format(item.name)] = compute_partisan_coins(power, share, drawn, needed, _list_shares(keys))
    return found


def _withholds(population: Population) -> bool:
    return {item.behaviour for item in population.list_behaviours()} == {ActivityWithholder}


def _is_instant(scenario: Scenario, keys: ActivityKeys) -> bool:
    """Return whether only the work for a template takes time."""
    network = scenario.network
    links_are_free = network.latency.kind == "constant" and not network.latency.ms and network.bandwidth_mbps is None
    faults = (network.loss, network.duplication, network.reordering)
    interruptions = (network.partitions, network.eclipses, network.outages, scenario.corruptions)
    is_waiting = keys.count_needed() < keys.count_drawn()
    return (
        scenario.traits.is_simulated
        and network.topology == "full_mesh"
        and links_are_free
        and not any(faults)
        and not any(interruptions)
        and (not is_waiting or PATIENCE_SLOTS * scenario.protocol.slot_ms <= PROMPT * keys.interval_ms)
    )


def _list_shares(keys: ActivityKeys) -> tuple[float, float, float]:
    """Return the miner's, the signers' and the closer's share of what a block pays."""
    shares = keys.build_shares()
    return (
        shares.miner / PARTS_PER_MILLION,
        shares.signers / PARTS_PER_MILLION,
        shares.closer / PARTS_PER_MILLION,
    )


def _sum_stake(population: Population) -> float:
    return population.count * population.stake


def _sum_speed(population: Population) -> float:
    return population.count * population.speed


def _find_share(part: Iterable[float], whole: Iterable[float]) -> float:
    total = sum(whole)
    return sum(part) / total if total else 0.0

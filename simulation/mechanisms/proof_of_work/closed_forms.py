"""Which closed forms hold for a scenario by work, and what they say of its runs.

`simulation.mechanisms.proof_of_work.formulas` has the formulas. A formula is used only where all that it assumes is so:
targets that never change, links that take the same time for every frame and little beside an interval, and attackers of
one kind. Who hears which of two blocks first follows from the links; it is not set.
"""

from collections.abc import Mapping
from math import exp
from typing import Final

from simulation.mechanisms.proof_of_work.behaviours.double_spending import (
    PrivateDoubleSpender,
    PrivateDoubleSpenderParameters,
)
from simulation.mechanisms.proof_of_work.behaviours.selfish import SelfishMiner
from simulation.mechanisms.proof_of_work.formulas import compute_selfish_share, spend_twice
from simulation.mechanisms.proof_of_work.keys import as_work_keys
from simulation.scenario import Latency, Population, Scenario

GAMMA: Final = "measures.work.ties.gamma"
SUCCESS: Final = "measures.work.double_spends.success"
BLOCKS: Final = "measures.proposed.{}"
CONTESTED: Final = "measures.work.contested"

NO_LATENCY: Final = Latency()

INSTANT: Final = 0.02
"""Share of an interval that a frame may be under way and still take no time."""


def predict(scenario: Scenario) -> dict[str, float]:
    """Return what closed forms say, by the name that a summary has for the figure; empty where none holds."""
    attacking = [item for item in scenario.populations if item.node_count and item.role != "honest"]
    if not attacking and _has_one_delay(scenario):
        return _predict_rivals(scenario)
    if len(attacking) != 1 or not _is_plain(scenario):
        return {}
    (attackers,) = attacking
    power = attackers.count * attackers.speed / _sum_power(scenario.populations)
    match [item.behaviour for item in attackers.list_behaviours()], attackers.poison:
        case [behaviour], None if behaviour is SelfishMiner:
            gamma = compute_gamma(scenario, attackers)
            return {BLOCKS.format(attackers.name): compute_selfish_share(power, gamma), GAMMA: gamma}
        case [behaviour], None if behaviour is PrivateDoubleSpender and attackers.node_count == 1:
            return _predict_success(scenario, attackers, power)
    return {}


def _predict_success(scenario: Scenario, attacker: Population, power: float) -> dict[str, float]:
    """Return the chance of success; a payment that comes in the middle of others' slice may miss their next block.

    Then the others are a block further when it is confirmed, as if the attacker had begun with one less.
    """
    told, keys = attacker.list_behaviours()[0].parameters, as_work_keys(scenario.mechanism)
    if not isinstance(told, PrivateDoubleSpenderParameters):
        return {}
    total = keys.measure_power(scenario)
    slices = keys.count_slice(1.0, power=total) / keys.hash_rate * (1 - power) * total / keys.count_first(total)
    missed = 1 - exp(-slices) if told.head_start == 0 else 1 - (1 - exp(-slices)) / slices
    late, early = (
        spend_twice(power, told.confirmations, head_start=start, give_up=told.give_up)
        for start in (told.head_start - 1, told.head_start)
    )
    return {SUCCESS: missed * late + (1 - missed) * early}


def _predict_rivals(scenario: Scenario) -> dict[str, float]:
    """Return the share of heights with rivals, and without any delay each population's share of the blocks.

    While a block is under way for D of an interval T, all nodes but its miner still look for another one of its height.
    """
    keys, populations = as_work_keys(scenario.mechanism), [item for item in scenario.populations if item.node_count]
    total = keys.measure_power(scenario)
    delay = scenario.network.latency.ms / 1e3 * total / keys.count_first(total)
    shares = [(item, item.speed / _sum_power(populations)) for item in populations]
    alone = sum(item.node_count * share * exp(-delay * (1 - share)) for item, share in shares)
    proposed = {BLOCKS.format(item.name): item.node_count * share for item, share in shares} if not delay else {}
    return {CONTESTED: 1 - alone, **proposed}


def _has_one_delay(scenario: Scenario) -> bool:
    """Return whether every frame takes the same time to everybody, and no target changes."""
    network, latency = scenario.network, scenario.network.latency
    changed = scenario.model_copy(update={"network": network.model_copy(update={"latency": NO_LATENCY})})
    return latency.kind == "constant" and _is_plain(changed)


def _is_plain(scenario: Scenario) -> bool:
    """Return whether nothing but the power decides who finds the next block, and links alone who hears it first."""
    network, keys = scenario.network, as_work_keys(scenario.mechanism)
    faults = (network.loss, network.duplication, network.reordering)
    interruptions = (network.partitions, network.eclipses, network.outages, scenario.corruptions)
    slowest_ms = max([network.latency.ms, *(ms for row in network.latency.matrix_ms for ms in row)])
    return (
        scenario.traits.is_simulated
        and keys.window == 0
        and network.topology == "full_mesh"
        and network.latency.kind in ("constant", "regions")
        and network.bandwidth_mbps is None
        and not any(faults)
        and not any(interruptions)
        and slowest_ms <= INSTANT * keys.interval_ms
    )


def compute_gamma(scenario: Scenario, attackers: Population) -> float:
    """Return the share of the honest power that hears of the attackers' block first, over all finders of the other one.

    The attackers show theirs as soon as one of them hears of the other; what comes at the same time comes too late.
    Where the lower hash wins, it is every second time, for everybody.
    """
    if as_work_keys(scenario.mechanism).ties == "lowest_hash":
        return 1 / 2
    members = attackers.list_labels()
    honest = {
        label: item.speed / item.identities
        for item in scenario.populations
        if item.role == "honest"
        for label in item.list_labels()
    }
    delays = _Delays(scenario)
    total = sum(honest.values())
    heard = 0.0
    for finder, power in honest.items():
        for other, share in honest.items():
            theirs = min(delays.find(finder, member) + delays.find(member, other) for member in members)
            heard += power * share * (other != finder and theirs < delays.find(finder, other))
    return heard / total**2


class _Delays:
    """How long frames are under way."""

    def __init__(self, scenario: Scenario) -> None:
        latency, names = scenario.network.latency, scenario.expand_names()
        self._ms = latency.ms
        self._matrix = latency.matrix_ms
        self._region: Mapping[str, int] = {
            label: row for row, group in enumerate(latency.regions) for name in group for label in names[name]
        }

    def find(self, source: str, target: str) -> float:
        """Return the milliseconds from one node to another."""
        if source in self._region and target in self._region:
            return self._matrix[self._region[source]][self._region[target]]
        return self._ms


def _sum_power(populations: list[Population]) -> float:
    return sum(item.count * item.speed for item in populations)

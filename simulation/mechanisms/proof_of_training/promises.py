"""What a training scenario promises: how long a job takes where all goes well, and that no poison gets through.

And what a network lacks that cannot keep it: enough nodes that got the same result.
"""

import math
from collections import defaultdict
from collections.abc import Collection

from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.repairs import Repair
from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION
from simulation.analysis import Obstacle, Promises
from simulation.records import Tally
from simulation.scenario import Scenario
from simulation.scenario.world import NodeSpec, World


class TrainingPromises(Promises):
    """Knows rounds of training, declaring and proposing."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a job takes at most where all goes well."""
        rules, latency = scenario.protocol, scenario.network.latency
        declaring = (rules.confidence.count or scenario.node_count) / rules.declarations_per_slot
        slots = 2 + declaring + 1 / rules.headers_per_slot
        slowest = min(population.speed for population in scenario.populations)
        training_s = scenario.job.steps_per_stage * scenario.virtual.step_us / slowest / 1e6
        hop_ms = max([latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])
        return float(scenario.job.stages * (slots * rules.slot_ms / 1e3 + training_s + 10 * hop_ms / 1e3))

    def is_exact(self, scenario: Scenario) -> bool:
        """Return whether results are compared bit by bit: a tolerance may let a poison through that is weak enough."""
        return not scenario.protocol.tolerance

    def find_share_needed(self, scenario: Scenario) -> float:
        """Return the share of the stake that has to do its part for every step of a round; infinite if none will do."""
        has_open_rounds = scenario.protocol.rules == 2 and Repair.OPEN_ROUNDS.value not in scenario.protocol.without
        acting = (traits for item in scenario.populations if item.count for traits in item.list_traits())
        if not has_open_rounds and any(traits.is_stalling for traits in acting):
            return math.inf
        return max(0.75, (scenario.protocol.confidence.stake_share or 0.0) + 0.25)

    def find_obstacle(self, world: World, tally: Tally) -> Obstacle | None:
        """Return that too few nodes got the same result of the stage that is next, if that is so.

        Only honest nodes and mere poisoners are known to stand by their own result. Whoever acts otherwise, or has not
        trained the stage, may have declared any, and is counted in favour of each if it has declared at all. That the
        chain never will grow is only said where it would not if all of them did.
        """
        best = tally.compute_agreement()[1]
        if best.height >= world.scenario.length or not self.is_exact(world.scenario):
            return None
        agreeing: defaultdict[str, list[NodeSpec]] = defaultdict(list)
        undecided: list[NodeSpec] = []
        for node in world.nodes:
            stage, weights = tally.training.results.get(node.label, (None, ""))
            is_known = stage == best.height and not node.behaviours
            (agreeing[weights] if is_known else undecided).append(node)
        rule = as_training(world.mechanism).genesis.parameters.confidence
        most = max(agreeing.values(), key=_sum_stake, default=[])
        if rule.rule == "count":
            most = max(agreeing.values(), key=len, default=[])
        heard = [node for node in undecided if tally.has_declared(node.label, best.height + 1)]
        if not agreeing or _has_confidence(rule, [*most, *heard], world):
            return None
        text = f"{_describe_confidence(rule, most, heard, world)} on stage {best.height}; {_describe_rule(rule)}"
        is_final = not _has_confidence(rule, [*most, *undecided], world)
        return Obstacle(text, is_final=is_final and _is_settled(world, tally, best.head, undecided))


def _sum_stake(nodes: Collection[NodeSpec]) -> int:
    return sum(node.stake for node in nodes)


def _has_confidence(rule: Confidence, nodes: Collection[NodeSpec], world: World) -> bool:
    if rule.rule == "count":
        return len(nodes) >= rule.value
    return _sum_stake(nodes) * PARTS_PER_MILLION > rule.value * _sum_stake(world.nodes)


def _is_settled(world: World, tally: Tally, head: str, undecided: Collection[NodeSpec]) -> bool:
    """Return whether all have one chain and no other block is about, and who stands by a result has declared it."""
    height = tally.employer.height
    parties = [tally.employer, *(tally.nodes[node.label] for node in world.nodes)]
    if any(party.head != head for party in parties) or len(tally.blocks) > height:
        return False
    up = (node.label for node in world.nodes if node not in undecided and tally.nodes[node.label].outcome == "running")
    return all(tally.has_declared(label, height + 1) for label in up)


def _describe_confidence(
    rule: Confidence, most: Collection[NodeSpec], heard: Collection[NodeSpec], world: World
) -> str:
    doubt, known = "at most " if heard else "", [*most, *heard]
    if rule.rule == "count":
        return f"{doubt}{len(known)} of {len(world.nodes)} nodes agree"
    held, total = (_sum_stake(nodes) / MICRO_COINS_PER_COIN for nodes in (known, world.nodes))
    return f"{doubt}{_show_coins(held)} of {_show_coins(total)} coins agree"


def _describe_rule(rule: Confidence) -> str:
    if rule.rule == "count":
        return f"{rule.value} are needed"
    is_half = 2 * rule.value == PARTS_PER_MILLION
    return f"more than {'half' if is_half else f'{100 * rule.value / PARTS_PER_MILLION:g} %'} is needed"


def _show_coins(coins: float) -> str:
    return f"{coins:,.2f}".removesuffix(".00")

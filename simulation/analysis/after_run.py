"""What must hold after every run, whatever the scenario did to it.

A broken invariant is a bug, and ends the run with exit 1. `simulation.analysis.during_run` finds some while the run
goes on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

from protocol.ledger import count_created
from protocol.participant import ANNOUNCE_EVERY_SLOTS
from protocol.rules import Rules
from protocol.subsidy import compute_subsidy
from simulation.analysis.chain_walk import find_supply_fault, walk_chain
from simulation.analysis.during_run import InvariantMonitor, find_settled_depth
from simulation.analysis.promises import find_promises
from simulation.attacks import Traits
from simulation.records import Tally, short_hash
from simulation.scenario import Scenario
from simulation.scenario.world import World

PATIENCE: Final = 30
"""How many times as long as it should take a job may take before it counts as standing still."""

BEARABLE_LOSS: Final = 0.25
"""Share of lost frames up to which progress is expected."""


def find_broken(
    world: World, tally: Tally, chains: Mapping[str, Sequence[bytes]], watch: InvariantMonitor | None = None
) -> str | None:
    """Return the first broken invariant in words, with the event that broke it where that is known, or None.

    Args:
        world: Who took part.
        tally: What was counted.
        chains: Canonical blocks of each party's chain, lowest first.
        watch: What has followed the run.
    """
    if watch is not None and watch.fault is not None:
        return watch.fault
    labels = world.get_honest()
    honest = {label: tuple(chain) for label, chain in chains.items() if label in labels}
    rules = Rules(world.mechanism)
    fault = _find_disagreement(rules, honest) if must_agree(world.scenario) else None
    for chain, label in sorted({chain: label for label, chain in honest.items()}.items()):
        found = None if fault else find_chain_fault(rules, chain)
        if found is not None:
            event = watch.find_appended(label, short_hash(found.block)) if watch is not None else ""
            fault = f"{found.text} ({label}, {event})" if event else found.text
    return fault or (_find_poison(tally) if is_exact(world.scenario) else None)


def find_standstill(scenario: Scenario, tally: Tally, reason: str) -> str | None:
    """Progress: where faults have healed and honest stake suffices for every step, honest nodes finish and agree.

    It is judged where a run in simulated time has had `PATIENCE` times the time it should take, or can never go on, and
    where nothing in the scenario may rightly stop it: nobody trains on other data, and at most a quarter of the stake
    is not honest.

    Args:
        scenario: What was run.
        tally: What was counted.
        reason: How it ended.
    """
    needed_s = find_last_heal_s(scenario) + estimate_patience_s(scenario)
    had_time = reason in ("time-limit", "delivered") and scenario.run.time_limit_s >= needed_s
    if not (had_time or reason == "standstill") or not must_progress(scenario):
        return None
    agreement, best = tally.compute_agreement()
    if agreement == 1 and best.height == scenario.length:
        return None
    return f"progress: {agreement:.2f} of the honest nodes agree at height {best.height} ({reason})"


def estimate_patience_s(scenario: Scenario) -> float:
    """Return how many simulated seconds a chain may take before it stands still; infinite where none is promised."""
    announcing_s = ANNOUNCE_EVERY_SLOTS * scenario.protocol.slot_ms / 1e3
    chain_s = find_promises(scenario).estimate_chain_s(scenario)
    return PATIENCE * (chain_s + announcing_s) if chain_s is not None else math.inf


def find_last_heal_s(scenario: Scenario) -> float:
    """Return when the last fault of a scenario is over; infinite if one never is."""
    network = scenario.network
    ends = [item.heal_s for item in (*network.partitions, *network.eclipses)]
    backs = [outage.up_s if outage.up_s is not None else math.inf for outage in network.outages]
    return max([*ends, *backs], default=0.0)


def is_exact(scenario: Scenario) -> bool:
    """Return whether no result but the right one gets into an honest chain."""
    return find_promises(scenario).is_exact(scenario)


def must_agree(scenario: Scenario) -> bool:
    """Return whether honest nodes can always hear each other and hold most of the stake, or what counts in its place.

    Where they are cut off from each other, or outnumbered, a chain of most blocks promises no agreement at any depth;
    nor does it where a chain is built in private, however little the stake: only its length decides. A mechanism whose
    blocks are final may promise it all the same.
    """
    network = scenario.network
    is_whole = not (network.partitions or network.eclipses or _may_be_split(scenario))
    is_private = any(traits.is_private for traits in _list_traits(scenario))
    promises = find_promises(scenario)
    always = promises.must_agree(scenario)
    if always is not None:
        return always
    honest = sum(promises.measure_power(item) for item in scenario.populations if item.role == "honest")
    if len({item.arithmetic or scenario.job.arithmetic for item in scenario.populations if item.role == "honest"}) > 1:
        return False
    can_hear = is_whole and network.loss <= BEARABLE_LOSS and not _is_cut(scenario) and promises.is_settling(scenario)
    return can_hear and not is_private and 2 * honest > _sum_power(scenario)


def _list_traits(scenario: Scenario) -> tuple[Traits, ...]:
    """Return what is expected of nodes, for each way in which some of them act."""
    return tuple(traits for item in scenario.populations if item.count for traits in item.list_traits())


def _is_cut(scenario: Scenario) -> bool:
    """Return whether nodes that pass nothing on may stand between honest ones."""
    is_dropping = not all(traits.passes_on for traits in _list_traits(scenario))
    return is_dropping and scenario.network.topology != "full_mesh"


def _may_be_split(scenario: Scenario) -> bool:
    """Return whether honest nodes cannot hear each other while some nodes are down: a ring takes one gap."""
    gaps: dict[object, int] = {"full_mesh": scenario.node_count, "ring": 1}
    return len(scenario.network.outages) > gaps.get(scenario.network.topology, 0)


def _sum_power(scenario: Scenario) -> float:
    return sum(map(find_promises(scenario).measure_power, scenario.populations))


def must_progress(scenario: Scenario) -> bool:
    """Return whether nothing in a scenario may rightly hold up honest nodes for ever."""
    network, total, promises = scenario.network, _sum_power(scenario), find_promises(scenario)
    doing = [item for item in scenario.populations if all(traits.does_its_part for traits in item.list_traits())]
    willing = sum(map(promises.measure_power, doing))
    may_jam = any(traits.may_jam for traits in _list_traits(scenario))
    is_jammed = network.bandwidth_mbps is not None and (may_jam or network.bandwidth_mbps < 1)
    enough = promises.find_share_needed(scenario)
    return (
        scenario.traits.is_simulated
        and all(item.arithmetic in (None, scenario.job.arithmetic) for item in scenario.populations)
        and not any(item.poison is not None for item in scenario.populations if item.count)
        and not _is_cut(scenario)
        and willing >= enough * total
        and network.loss <= BEARABLE_LOSS
        and not is_jammed
    )


def _find_disagreement(rules: Rules, chains: Mapping[str, tuple[bytes, ...]]) -> str | None:
    """Agreement: no two honest nodes differ below the depth at which blocks are final, or count as settled."""

    def differ(one: bytes, other: bytes) -> bool:
        """Return whether these are two blocks; one block may have two forms that differ in what its hash leaves out."""
        return one != other and rules.hash_message(rules.decode_block(one)) != rules.hash_message(
            rules.decode_block(other)
        )

    depth = find_settled_depth(rules.mechanism)
    by_chain = {chain: label for label, chain in chains.items()}
    for first, second in combinations(sorted(by_chain), 2):
        settled = min(len(first), len(second)) - depth
        for height, (one, other) in enumerate(zip(first[: max(settled, 0)], second, strict=False), start=1):
            if differ(one, other):
                return f"agreement: {by_chain[first]} and {by_chain[second]} differ about the block at height {height}"
    return None


@dataclass(frozen=True, slots=True)
class ChainFault:
    """What is wrong with a chain."""

    text: str
    block: bytes
    """Hash of the block it is wrong at."""


def find_chain_fault(rules: Rules, chain: Sequence[bytes]) -> ChainFault | None:
    """Validity, supply and double spends of one chain, from the genesis up."""
    supply = rules.origin.state.supply
    spent: set[tuple[bytes, int]] = set()
    for step in walk_chain(rules, map(rules.decode_block, chain)):
        height, record = step.height, step.record
        break_at = partial(ChainFault, block=rules.hash_message(step.block))
        if record is None:
            reason = step.refusal or "it has another parent"
            return break_at(f"validity: the block at height {height} is refused: {reason}")
        for transaction in step.block.transactions:
            if (transaction.author, transaction.nonce) in spent:
                return break_at(f"double spend: a transfer stands twice in the chain, again at height {height}")
            spent.add((transaction.author, transaction.nonce))
        created = count_created(step.block.transactions, step.block.coinbase)
        subsidy = compute_subsidy(height)
        if created > subsidy:
            return break_at(f"supply: {created} micro-coins are issued at height {height}, {subsidy} are due at most")
        supply += created
        fault = find_supply_fault(record)
        if fault is not None:
            return break_at(f"supply: at height {height}, {fault}")
        left = supply - record.state.burnt
        if record.state.supply != left:
            return break_at(f"supply: {record.state.supply} micro-coins at height {height}, {left} were issued")
    return None


def _find_poison(tally: Tally) -> str | None:
    """No honest chain holds a poisoned stage."""
    count = tally.count_poisoned_honest()
    return f"poison: {count} poisoned stages in honest chains" if count else None

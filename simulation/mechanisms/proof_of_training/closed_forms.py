"""Which closed forms hold for a scenario, and what they say of its runs.

`simulation.mechanisms.proof_of_training.formulas` has the formulas. A formula is used only where all that it assumes
is so: owners of equal stakes, and links, training and declaring that take no time beside a slot.
"""

from collections import Counter
from typing import Final

from simulation.mechanisms.proof_of_training.behaviours.fabricating import Fabricator
from simulation.mechanisms.proof_of_training.behaviours.free_riding import LazyVerifier
from simulation.mechanisms.proof_of_training.behaviours.vetoing import Partisan, PartisanParameters
from simulation.mechanisms.proof_of_training.behaviours.withholding import Withholder, WithholderParameters
from simulation.mechanisms.proof_of_training.formulas import (
    compute_partisan_blocks,
    compute_partisan_coins,
    compute_slots_to_block,
    deceive_employer_by_inventing,
    deceive_employer_under,
    find_listed,
)
from simulation.scenario import Population, Scenario

DECEIVED: Final = "attack.employer_deceived"
SECONDS_TO_BLOCK: Final = "measures.blocks.seconds_each"
BLOCKS: Final = "measures.proposed.{}"
COINS: Final = "training.shares.{}.coins"

INSTANT: Final = 0.01
"""Share of a slot that a stage may take and still take no time."""

MOST_HEADERS: Final = 1.0
"""Headers a slot, all owners together; with more the two sides' blocks often fall into one slot and race no longer."""

MOST_INVENTED: Final = 6
"""Blocks of a job that is invented from any of them on; with more the formula has too many cases to go through."""

_SILENCING: Final = {"signature", "block"}
"""What stakeholders may withhold that a formula knows of."""


def predict(scenario: Scenario) -> dict[str, float]:
    """Return what closed forms say, by the name that a summary has for the figure; empty where none holds."""
    owners = [item for item in scenario.populations if item.node_count and item.stake]
    if not _is_instant(scenario, owners) or len({item.stake for item in owners}) != 1:
        return {}
    kinds = Counter[str]()
    for item in owners:
        kinds[_classify(item)] += item.count
    found: dict[str, float] = {}
    if not kinds.keys() - {"honest", "poisoner", "lazy"} and _count(owners, "poisoner") <= 1:
        found[DECEIVED] = _predict_deception(scenario, kinds)
    if kinds.keys() - {"honest"} == {"fabricator"} and _count(owners, "fabricator") == 1:
        found |= _predict_invention(scenario, kinds)
    if kinds.keys() - {"honest"} == {"partisan"} and _count(owners, "partisan") == 1:
        found |= _predict_shares(scenario, owners, kinds)
    if not kinds.keys() - {"honest", "withholder"} and _count(owners, "withholder") <= 1:
        seconds = _predict_seconds(scenario, owners, kinds.total())
        if seconds is not None:
            found[SECONDS_TO_BLOCK] = seconds
    return found


def _is_instant(scenario: Scenario, owners: list[Population]) -> bool:
    """Return whether only the lottery for headers takes time."""
    network, protocol, job = scenario.network, scenario.protocol, scenario.job
    stage_ms = job.steps_per_stage * scenario.virtual.step_us / 1000 / min((item.speed for item in owners), default=1)
    links_are_free = network.latency.kind == "constant" and not network.latency.ms and network.bandwidth_mbps is None
    faults = (network.loss, network.duplication, network.reordering)
    interruptions = (network.partitions, network.eclipses, network.outages, scenario.corruptions)
    return (
        scenario.traits.is_simulated
        and scenario.is_training_made_up  # real training may miss a poison altogether
        and network.topology == "full_mesh"
        and links_are_free
        and not any(faults)
        and not any(interruptions)
        and all(item.identities == 1 for item in owners)
        and protocol.declarations_per_slot >= sum(item.count for item in owners) > 0
        and protocol.headers_per_slot <= MOST_HEADERS
        and stage_ms <= INSTANT * protocol.slot_ms
        and not protocol.without
    )


def _classify(population: Population) -> str:
    """Return what the nodes of a population are to a formula; "other" is to none."""
    behaviours = {item.behaviour for item in population.list_behaviours()}
    if population.role == "honest":
        return "honest"
    if population.poison is not None:
        return "poisoner" if population.colluding and not behaviours else "other"
    if behaviours == {LazyVerifier}:
        return "lazy"
    if behaviours == {Fabricator}:
        return "fabricator"
    if behaviours == {Partisan}:
        return "partisan"
    return "withholder" if behaviours == {Withholder} and _list_withheld(population) <= _SILENCING else "other"


def _list_withheld(population: Population) -> set[str]:
    """Return what the withholders of a population never send."""
    parameters = [item.parameters for item in population.list_behaviours()]
    return {item.what for item in parameters if isinstance(item, WithholderParameters)}


def _count(owners: list[Population], kind: str) -> int:
    return sum(_classify(item) == kind for item in owners)


def _predict_deception(scenario: Scenario, kinds: Counter[str]) -> float:
    confidence = scenario.protocol.confidence
    return deceive_employer_under(
        kinds["poisoner"],
        kinds["honest"],
        lazy=kinds["lazy"],
        stakeholders=scenario.protocol.stakeholders,
        blocks=scenario.job.stages,
        count=confidence.count,
        stake_share=confidence.stake_share,
        headers_per_slot=scenario.protocol.headers_per_slot if scenario.protocol.rules == 2 else None,
    )


def _predict_invention(scenario: Scenario, kinds: Counter[str]) -> dict[str, float]:
    """Return the same for those who invent results; under version 1 what they search has no closed form."""
    protocol, confidence = scenario.protocol, scenario.protocol.confidence
    if protocol.rules == 1 or scenario.job.stages > MOST_INVENTED:
        return {}
    chance = deceive_employer_by_inventing(
        kinds["fabricator"],
        kinds["honest"],
        stakeholders=protocol.stakeholders,
        blocks=scenario.job.stages,
        headers_per_slot=protocol.headers_per_slot,
        count=confidence.count,
        stake_share=confidence.stake_share,
    )
    return {DECEIVED: chance}


def _predict_shares(scenario: Scenario, owners: list[Population], kinds: Counter[str]) -> dict[str, float]:
    """Return what partisans have of blocks and coins; under version 1 pay goes by other rules, and ties too."""
    protocol, confidence, rewards = scenario.protocol, scenario.protocol.confidence, scenario.protocol.rewards
    total = kinds.total()
    if protocol.rules == 1 or protocol.stakeholders > total or (confidence.count or 0) > total:
        return {}
    (partisans,) = (item for item in owners if _classify(item) == "partisan")
    told = [item.parameters for item in partisans.list_behaviours()]
    leaves_out = any(item.leaves_out for item in told if isinstance(item, PartisanParameters))
    size, count, share = kinds["partisan"], confidence.count, confidence.stake_share
    blocks = compute_partisan_blocks(
        size, total, stakeholders=protocol.stakeholders, headers_per_slot=protocol.headers_per_slot
    )
    coins = compute_partisan_coins(
        size,
        total,
        (rewards.proposer, rewards.declarers, rewards.stakeholders),
        blocks=blocks,
        listed=find_listed(size, total, count=count, stake_share=share) if leaves_out else 1.0,
    )
    return {BLOCKS.format(partisans.name): blocks, COINS.format(partisans.name): coins}


def _predict_seconds(scenario: Scenario, owners: list[Population], total: int) -> float | None:
    protocol = scenario.protocol
    if protocol.stakeholders > total or (protocol.confidence.count or 0) > total:
        return None
    withholders = [item for item in owners if _classify(item) == "withholder"]
    withheld = {what for item in withholders for what in _list_withheld(item)}
    silent = (protocol.stakeholders - 1) * ("signature" in withheld) + ("block" in withheld)
    slots = compute_slots_to_block(
        sum(item.count for item in withholders),
        total,
        stakeholders=silent,
        headers_per_slot=protocol.headers_per_slot,
    )
    return slots * protocol.slot_ms / 1000

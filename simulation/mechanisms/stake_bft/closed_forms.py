"""What closed forms say of runs by votes of stake, where all that they assume is so.

They assume a full mesh without faults whose links are quick beside the time-outs, and honest nodes of equal stakes with
at most one kind of attacker.
"""

from typing import Final

from protocol.mechanisms.stake_bft.quorum import is_quorum
from simulation.mechanisms.stake_bft.behaviours.equivocating import FIRST_HEIGHT, BftEquivocator
from simulation.mechanisms.stake_bft.behaviours.silence import BftSilent
from simulation.mechanisms.stake_bft.keys import as_bft_keys, find_slowest_ms
from simulation.scenario import Population, Scenario

ROUNDS: Final = "measures.votes.rounds_each"
VOTES: Final = "measures.votes.votes_each"
COPIES: Final = "measures.votes.vote_copies_each"
IS_SPLIT: Final = "measures.votes.is_split"
IS_WHOLE: Final = "measures.votes.is_whole"

QUICK: Final = 0.1
"""Share of a time-out that a message may take."""


def predict(scenario: Scenario) -> dict[str, float]:
    """Return what closed forms say, by the name that a summary has for the figure; empty where none holds."""
    owners = [item for item in scenario.populations if item.node_count and item.stake]
    kinds = {_classify(item) for item in owners} - {"honest"}
    if not _is_plain(scenario, owners) or len(kinds) > 1 or "other" in kinds:
        return {}
    attackers = sum(item.count for item in owners if _classify(item) != "honest")
    total = sum(item.count for item in owners)
    if kinds == {"silent"}:
        return predict_silence(attackers, total)
    clients = min(scenario.node_count, scenario.network.client_links)
    if kinds == {"equivocator"}:  # where nodes pass votes on, the halves hear of each other
        return {IS_SPLIT: split(attackers, total, scenario.length)} if clients == scenario.node_count else {}
    costs = {ROUNDS: 1.0, VOTES: 2.0 * total, COPIES: 2.0 * total * (total - 1) + 2.0 * clients}
    return {IS_SPLIT: 0.0, IS_WHOLE: 1.0, **costs}


def predict_silence(silent: int, total: int) -> dict[str, float]:
    """Return that all goes on while others hold more than two thirds, with a new round for each that a silent node has.

    Rounds have proposers that are drawn independently, so a block takes 1 / (1 - q) of them where a share q is silent.
    """
    if not is_quorum(total - silent, total):
        return {IS_WHOLE: 0.0}
    return {IS_WHOLE: 1.0, ROUNDS: total / (total - silent)}


def split(members: int, total: int, length: int) -> float:
    """Return the chance that two blocks of one height become final.

    Each half of the honest needs the coalition's votes to be more than two thirds; then it is enough that a member may
    propose in the first round of some height that is attacked.
    """
    smaller_half = (total - members) // 2
    if not smaller_half or not is_quorum(smaller_half + members, total):
        return 0.0
    return float(1 - (1 - members / total) ** (length - FIRST_HEIGHT + 1))


def _is_plain(scenario: Scenario, owners: list[Population]) -> bool:
    network, keys = scenario.network, as_bft_keys(scenario.mechanism)
    faults = (network.loss, network.duplication, network.reordering)
    interruptions = (network.partitions, network.eclipses, network.outages, scenario.corruptions)
    return (
        scenario.traits.is_simulated
        and network.topology == "full_mesh"
        and network.bandwidth_mbps is None
        and find_slowest_ms(scenario) <= QUICK * min(keys.propose_ms, keys.vote_ms)
        and not any(faults)
        and not any(interruptions)
        and all(item.identities == 1 for item in owners)
        and len({item.stake for item in owners}) == 1
        and len(owners) == len([item for item in scenario.populations if item.node_count])
    )


def _classify(population: Population) -> str:
    if population.role == "honest":
        return "honest"
    behaviours = {item.behaviour for item in population.list_behaviours()}
    known: dict[frozenset[type], str] = {
        frozenset({BftSilent}): "silent",
        frozenset({BftEquivocator}): "equivocator",
    }
    return known.get(frozenset(behaviours), "other")

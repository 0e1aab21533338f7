"""What the sections of a scenario must have in common, checked once each of them is valid by itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

from protocol.mechanisms.proof_of_training.round import MAX_DECLARATIONS
from protocol.types import MICRO_COINS_PER_COIN
from simulation.scenario.data_fit import find_misfit
from simulation.scenario.engine_traits import advise_engine
from simulation.scenario.errors import Inconsistency
from simulation.scenario.keys import ScenarioKeys
from simulation.scenario.sections import ChainRules
from simulation.training import find_data_set

MAX_JOURNALS: Final = 500
"""Nodes that may keep a journal each: each is an open file."""

MAX_LINKS: Final = 10_000_000
"""Most links between nodes: a few hundred bytes each, so some GB."""

MAX_STAMP_HASHES: Final = 2**28
"""Hashes that the stamps of all users' transfers may take: some minutes of one core."""

NEUTRAL_RULES: Final = ("slot_ms", "max_transactions")
"""Rules of `protocol` that every mechanism has."""

Members = Mapping[str, Sequence[str]]


def find_inconsistency(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return the first thing that does not fit together, or None."""
    checks = (
        _find_mechanism_fault,
        _find_population_fault,
        _find_coalition_fault,
        *([_find_protocol_fault, _find_data_fault] if scenario.is_training else []),
        _find_stamp_fault,
        _find_edge_fault,
        _find_name_fault,
        _find_doubled_party,
        _find_unreachable_node,
        _find_network_fault,
        _find_outage_fault,
        _find_engine_fault,
    )
    return next((found for check in checks if (found := check(scenario))), None)


# ---- the mechanism ----


def _find_mechanism_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return what only training has and a scenario of another mechanism says all the same."""
    if scenario.is_training:
        return None
    name = scenario.mechanism.name
    for section in ("job", "dataset"):
        if getattr(scenario, section).model_fields_set:
            return Inconsistency(section, f"{name} trains nothing; leave the section out")
    foreign = [key for key in ChainRules.model_fields if key not in NEUTRAL_RULES]
    for key in foreign:
        if key in scenario.protocol.model_fields_set:
            return Inconsistency(f"protocol.{key}", f"{name} has no such rule; leave it out")
    for index, population in enumerate(scenario.populations):
        if population.role == "data_injection":  # whose poison may be one that nobody has written
            return Inconsistency(
                f"populations.{index}.role", f"{name} trains nothing, so there is no data to alter; write another role"
            )
        if population.poison is not None or population.arithmetic is not None:
            key = "poison" if population.poison is not None else "arithmetic"
            return Inconsistency(f"populations.{index}.{key}", f"{name} trains nothing; leave it out")
        for act in population.list_behaviours():
            if act.behaviour.mechanism not in (None, name):
                return Inconsistency(
                    f"populations.{index}", f"{act.kind} is about {act.behaviour.mechanism}, not {name}; choose another"
                )
    return scenario.mechanism.find_inconsistency(scenario)


# ---- parties ----


def _find_stamp_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return stamps that take users longer than anybody waits."""
    bits, count = scenario.ledger.stamp_bits, scenario.users.transactions
    hashes = count * 2**bits
    if not bits or hashes <= MAX_STAMP_HASHES:
        return None
    return Inconsistency(
        "ledger.stamp_bits",
        f"write a smaller number, or fewer users.transactions: stamps of {bits} bits for {count:,} transfers take "
        f"{hashes:,} hashes, and the most is {MAX_STAMP_HASHES:,}, some minutes",
    )


def _find_population_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    counts = {population.name: population.node_count for population in scenario.populations}
    doubled = [name for name, count in Counter(p.name for p in scenario.populations).items() if count > 1]
    if doubled:
        return Inconsistency("populations", f"the name {doubled[0]!r} stands twice; give each population its own")
    for index, name in enumerate(counts):
        where = f"populations.{index}.name"
        if name in ("employer", "user", "users"):
            return Inconsistency(where, f"the name {name!r} is taken; choose another one")
        owner, _, number = name.rpartition("-")
        is_number = number.isdecimal() and number == str(int(number))
        if is_number and int(number) < counts.get(owner, 0):
            return Inconsistency(where, f"{name!r} is already the label of a node of {owner!r}; choose another name")
        if is_number and owner == "user" and int(number) < scenario.users.count:
            return Inconsistency(where, f"{name!r} is already the label of a user; choose another name")
    if not any(population.role == "honest" and population.node_count for population in scenario.populations):
        return Inconsistency("populations", "no honest node; at least one population needs role: honest")
    return None


def _find_coalition_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return a coalition called like honest nodes, who never belong to one."""
    honest = [population for population in scenario.populations if population.role == "honest"]
    taken = {name: item.name for item in honest for name in (item.name, *item.list_labels())}
    for section in ("populations", "corruptions"):
        for index, conduct in enumerate(getattr(scenario, section)):
            if conduct.coalition in taken:
                return Inconsistency(
                    f"{section}.{index}.coalition",
                    f"{taken[conduct.coalition]!r} is honest and in no coalition; write another name, or that of a "
                    "population of attackers to join it",
                )
    return None


def _find_protocol_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    bonded = sum(item.node_count for item in scenario.populations if round(item.node_stake * MICRO_COINS_PER_COIN) > 0)
    protocol, confidence = scenario.protocol, scenario.protocol.confidence
    if not bonded:
        return Inconsistency(
            "populations", "no node has a stake, so nobody may declare, propose or sign; give one population a stake"
        )
    if protocol.stakeholders > bonded:
        return Inconsistency(
            "protocol.stakeholders",
            f"{protocol.stakeholders} cannot be drawn from {bonded} bonded nodes; write a smaller number or add nodes",
        )
    if confidence.count is not None and confidence.count > bonded:
        return Inconsistency(
            "protocol.confidence.count",
            f"{confidence.count} can never be reached by {bonded} bonded nodes; write a smaller number or add nodes",
        )
    if protocol.without and protocol.rules == 1:
        return Inconsistency(
            "protocol.without", "version 1 of the rules has no repairs to leave out; write protocol.rules: 2"
        )
    if protocol.tolerance and protocol.rules == 2 and confidence.count is not None:
        return Inconsistency(
            "protocol.confidence.count",
            "with a tolerance a secret proves nothing, so a few colluders could part honest nodes; write stake_share",
        )
    if protocol.tolerance and scenario.is_training_made_up:
        return Inconsistency(
            "protocol.tolerance",
            "training that is made up has no weights to compare; write 0, or virtual.trainer: keras",
        )
    needed = _count_needed_declarations(scenario)
    if needed > MAX_DECLARATIONS:
        return Inconsistency(
            f"protocol.confidence.{'count' if confidence.stake_share is None else 'stake_share'}",
            f"a header would need {needed} declarations and can hold {MAX_DECLARATIONS}; write a smaller number",
        )
    return None


def _find_data_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return what does not fit data whose form is known; that of others is found out when they are loaded."""
    form = find_data_set(scenario.dataset.name).form
    return find_misfit(scenario, form) if form is not None else None


def _count_needed_declarations(scenario: ScenarioKeys) -> int:
    """Return the fewest declarations that give a header confidence."""
    confidence = scenario.protocol.confidence
    if confidence.stake_share is None:
        return confidence.count or 0
    stakes = sorted((p.node_stake for p in scenario.populations for _ in range(p.node_count)), reverse=True)
    bound = confidence.stake_share * sum(stakes)
    held = accumulate(stakes)
    return next((number for number, share in enumerate(held, start=1) if share > bound), len(stakes))


# ---- names ----


def _find_name_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return what is wrong with the names of nodes that the network section uses."""
    if scenario.corruptions:  # what they make of the populations is checked when that is known
        return None
    network = scenario.network
    used = [(f"partitions.{i}.groups", n) for i, p in enumerate(network.partitions) for g in p.groups for n in g]
    used += [(f"eclipses.{i}.victims", n) for i, e in enumerate(network.eclipses) for n in e.victims]
    used += [(f"eclipses.{i}.by", n) for i, e in enumerate(network.eclipses) for n in e.by]
    used += [("latency.regions", name) for region in network.latency.regions for name in region]
    single = [(f"outages.{index}.node", outage.node) for index, outage in enumerate(network.outages)]
    single += [(f"edges.{index}", label) for index, edge in enumerate(network.edges) for label in edge]
    if not used and not single:
        return None
    members = scenario.expand_names()
    for where, name in used:
        if name not in members:
            known = ", ".join(population.name for population in scenario.populations)
            return Inconsistency(
                f"network.{where}", f"no party is called {name!r}; write {known}, one of their nodes, employer or users"
            )
    labels = set(scenario.list_labels())
    for where, label in single:
        if label not in labels:
            return Inconsistency(
                f"network.{where}", f"no node is called {label!r}; nodes are population-number, such as honest-0"
            )
    return None


def _find_doubled_party(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return a party that stands on two sides of one cut, or in two regions."""
    network = scenario.network
    if scenario.corruptions or not (network.partitions or network.eclipses or network.latency.regions):
        return None
    members = scenario.expand_names()
    for index, partition in enumerate(network.partitions):
        party = _find_shared(partition.groups, members)
        if party:
            return Inconsistency(
                f"network.partitions.{index}.groups", f"{party!r} stands in two groups; leave it in one"
            )
    for index, eclipse in enumerate(network.eclipses):
        party = _find_shared((eclipse.victims, eclipse.by), members)
        if party:
            return Inconsistency(
                f"network.eclipses.{index}.by", f"{party!r} is one of the victims too; leave it in victims or in by"
            )
    party = _find_shared(network.latency.regions, members)
    return (
        Inconsistency("network.latency.regions", f"{party!r} stands in two regions; leave it in one") if party else None
    )


def _find_shared(groups: Iterable[Iterable[str]], members: Members) -> str | None:
    """Return a party that two groups have in common, themselves or through a population."""
    group_of: dict[str, int] = {}
    for index, names in enumerate(groups):
        for label in (label for name in names for label in members[name]):
            if group_of.setdefault(label, index) != index:
                return label
    return None


# ---- links ----


def _find_edge_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    network = scenario.network
    if network.edges and network.topology != "edges":
        return Inconsistency("network.edges", "belongs to topology: edges; write that too, or leave edges out")
    if network.topology == "edges" and not network.edges:
        return Inconsistency(
            "network.topology", "edges needs network.edges: pairs of nodes, such as [honest-0, honest-1]"
        )
    first_seen: dict[frozenset[str], int] = {}
    for index, edge in enumerate(network.edges):
        if edge[0] == edge[1]:
            return Inconsistency(f"network.edges.{index}", f"{edge[0]!r} cannot be linked to itself; write two nodes")
        earlier = first_seen.setdefault(frozenset(edge), index)
        if earlier != index:
            return Inconsistency(
                f"network.edges.{index}", f"the same link as network.edges.{earlier}; leave one of them out"
            )
    return None


def _find_unreachable_node(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return a node that no row of edges leads to from the first one; the names in edges are known to be nodes."""
    if scenario.corruptions or not scenario.network.edges:
        return None
    neighbours = defaultdict[str, set[str]](set)
    for first, second in scenario.network.edges:
        neighbours[first].add(second)
        neighbours[second].add(first)
    labels = scenario.list_labels()
    reached, waiting = {labels[0]}, [labels[0]]
    while waiting:
        found = neighbours[waiting.pop()] - reached
        reached |= found
        waiting += found
    missing = next((label for label in labels if label not in reached), None)
    if missing is None:
        return None
    return Inconsistency(
        "network.edges", f"no row of links leads from {labels[0]!r} to {missing!r}; add one that joins them"
    )


def _find_network_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    network, nodes = scenario.network, scenario.node_count
    if network.topology == "two_level" and not network.degree <= network.main_nodes <= nodes:
        return Inconsistency("network.main_nodes", f"write {network.degree} (the degree) to {nodes} (the nodes)")
    if network.topology == "small_world" and network.degree % 2:
        return Inconsistency("network.degree", f"a small world needs an even number of links, not {network.degree}")
    if network.topology in ("random_regular", "small_world"):
        if network.degree >= nodes:
            return Inconsistency("network.degree", f"{network.degree} links need more than {nodes} nodes")
        if network.topology == "random_regular" and network.degree * nodes % 2:
            return Inconsistency(
                "network.degree", f"{nodes} nodes of degree {network.degree} have half a link; make one even"
            )
    links = nodes - 1 if network.topology == "full_mesh" else network.degree
    if nodes * links // 2 > MAX_LINKS:
        return Inconsistency(
            "network.topology",
            f"{nodes:,} nodes of {links:,} links each are {nodes * links // 2:,} links, more than memory holds; write "
            f"random_regular with a degree that makes at most {MAX_LINKS:,}, or fewer nodes",
        )
    acts = (act for item in scenario.populations for act in item.list_behaviours())
    private = next((act for act in acts if act.behaviour.traits.needs_links), None)
    if private is not None and network.topology != "full_mesh":
        what = f"members of a {private.kind} talk to each other; write full_mesh"
        return Inconsistency("network.topology", what)
    most, limit = max(links, min(nodes, network.client_links)), scenario.traits.max_links
    if limit is not None and most > limit:
        return Inconsistency(
            "network",
            f"a party of the {scenario.traits.title} has at most {limit} links, this scenario needs {most}; "
            "choose topology: random_regular or fewer links",
        )
    return None


def _find_outage_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    """Return an outage of a node that is down already, or comes up in that moment."""
    outages = scenario.network.outages
    order = sorted(range(len(outages)), key=lambda index: (outages[index].node, outages[index].down_s, index))
    for before, index in pairwise(order):
        first, second = outages[before], outages[index]
        if first.node != second.node or (first.up_s is not None and first.up_s < second.down_s):
            continue
        until = "for good" if first.up_s is None else f"until {first.up_s:g} s"
        return Inconsistency(
            f"network.outages.{index}.down_s",
            f"{second.node!r} is down from {first.down_s:g} s {until} already (network.outages.{before}); write times "
            "that do not overlap, or leave one out",
        )
    return None


# ---- engines ----


def _find_engine_fault(scenario: ScenarioKeys) -> Inconsistency | None:
    network, output, nodes = scenario.network, scenario.output, scenario.node_count
    if output.journal and nodes > MAX_JOURNALS:
        return Inconsistency("output.journal", f"a journal for each of {nodes} nodes is too many; write false")
    traits = scenario.traits
    engine = f"the {traits.title}"
    for index, population in enumerate(scenario.populations):
        is_other = population.arithmetic not in (None, "canonical", scenario.job.arithmetic)
        if is_other and not traits.mixes_arithmetics:
            return Inconsistency(
                f"populations.{index}.arithmetic",
                f"nodes of {engine} share one TensorFlow; write null, canonical, or "
                f"{advise_engine('mixes_arithmetics')}",
            )
    if scenario.virtual.trainer == "fake" and not traits.makes_training_up:
        advice = advise_engine("makes_training_up")
        return Inconsistency("virtual.trainer", f"{engine} really trains; write keras, or {advice}")
    if network.outages and not traits.takes_nodes_down:
        return Inconsistency(
            "network.outages", f"{engine} cannot take nodes down; write {advise_engine('takes_nodes_down')}"
        )
    if output.records != "all" and not traits.leaves_records_out:
        advice = advise_engine("leaves_records_out")
        return Inconsistency("output.records", f"{engine} records everything; write all, or {advice}")
    if network.bandwidth_mbps is not None and not traits.limits_bandwidth:
        advice = advise_engine("limits_bandwidth")
        return Inconsistency("network.bandwidth_mbps", f"{engine} cannot slow a pipe down; write null, or {advice}")
    return None

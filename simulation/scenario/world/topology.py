"""Who is linked to whom."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import cast

import networkx as nx

from simulation.foundation import PluginError, derive_generator, derive_seed, locate
from simulation.scenario import MAX_LINKS, Network, PluginTopology


def build_edges(network: Network, labels: Sequence[str], seed: int) -> tuple[tuple[str, str], ...]:
    """Return the links between nodes, each pair once; every node can reach every other.

    Raises:
        PluginError: A topology of a plug-in is none.
    """
    count = len(labels)
    if isinstance(network.topology, PluginTopology):
        return _ask_plugin(network.topology, labels, seed)
    graph_seed = derive_seed(seed, "topology") % 2**32
    if network.topology == "edges":
        return tuple(sorted({(min(a, b), max(a, b)) for a, b in network.edges}))
    match network.topology:
        case "full_mesh":
            graph = nx.complete_graph(count)
        case "ring":
            graph = nx.path_graph(count) if count <= 2 else nx.cycle_graph(count)
        case "random_regular":
            graph = _find_connected_regular(network.degree, count, graph_seed)
        case "small_world":
            graph = nx.connected_watts_strogatz_graph(
                count, network.degree, network.rewiring, tries=1000, seed=graph_seed
            )
        case "two_level":
            graph = _build_two_level(network, count, seed)
    pairs = sorted((min(a, b), max(a, b)) for a, b in graph.edges)
    return tuple((labels[a], labels[b]) for a, b in pairs)


def _ask_plugin(topology: PluginTopology, labels: Sequence[str], seed: int) -> tuple[tuple[str, str], ...]:
    """Return the links that a plug-in names, once it is sure that they are a network."""
    function = topology.part.function
    returned = function(tuple(labels), derive_generator(seed, "topology", topology.name), **topology.own)
    fault = None
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(labels)
    known = set(labels)
    if not isinstance(returned, Iterable):
        fault = f"a {type(returned).__name__}; return pairs of labels"
        returned = ()
    for pair in islice(returned, MAX_LINKS + 1):
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            fault = f"{str(pair)[:80]!r} among its links; return pairs of labels"
        elif not known.issuperset(pair) or pair[0] == pair[1]:
            fault = f"a link from {pair[0]!r} to {pair[1]!r}; link two nodes of those given"
        if fault is not None:
            break
        graph.add_edge(*pair)
    if fault is None and graph.number_of_edges() > MAX_LINKS:
        fault = f"more than {MAX_LINKS:,} links"
    if fault is None and not nx.is_connected(graph):
        lost = next(label for label in labels if not nx.has_path(graph, labels[0], label))
        fault = f"no row of links from {labels[0]!r} to {lost!r}; every node must reach every other"
    if fault is not None:
        raise PluginError(f"{locate(function)}: the topology {topology.name!r} returned {fault}")
    return tuple(sorted((min(pair), max(pair)) for pair in graph.edges))


def _build_two_level(network: Network, count: int, seed: int) -> "nx.Graph[int]":
    """Return main nodes in a full mesh, and light peers that are linked to some of them only."""
    graph: nx.Graph[int] = nx.complete_graph(network.main_nodes)
    rng = derive_generator(seed, "topology", "two-level")
    for peer in range(network.main_nodes, count):
        graph.add_edges_from(
            (peer, int(main)) for main in rng.choice(network.main_nodes, network.degree, replace=False)
        )
    return graph


def _find_connected_regular(degree: int, count: int, seed: int) -> "nx.Graph[int]":
    """Return the first connected random regular graph of a row of seeds; nearly every one is connected."""
    attempt = 0
    while True:
        graph = nx.random_regular_graph(degree, count, seed=(seed + attempt) % 2**32)
        if nx.is_connected(graph):
            return cast("nx.Graph[int]", graph)
        attempt += 1


def draw_client_links(labels: Sequence[str], count: int, seed: int, client: str) -> tuple[str, ...]:
    """Return the nodes that a client is linked to, drawn without replacement; all of them where there are no more."""
    if count >= len(labels):
        return tuple(labels)
    chosen = derive_generator(seed, "client-links", client).choice(len(labels), count, replace=False)
    return tuple(labels[index] for index in sorted(chosen))

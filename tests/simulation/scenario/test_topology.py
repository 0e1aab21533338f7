from collections import Counter

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.scenario.network import Network
from simulation.scenario.world.building import build_world
from simulation.scenario.world.topology import build_edges, draw_client_links
from tests.support.scenarios import shipped


def labels(count: int) -> list[str]:
    return [f"node-{index}" for index in range(count)]


def connect(count: int, seed: int = 1, **network: object) -> tuple[tuple[str, str], ...]:
    edges = build_edges(Network.model_validate(network), labels(count), seed)
    graph = nx.Graph(edges)
    graph.add_nodes_from(labels(count))
    assert nx.is_connected(graph)
    assert len(set(map(frozenset, edges))) == len(edges)
    assert all(first != second for first, second in edges)
    return edges


def degrees(edges: tuple[tuple[str, str], ...]) -> list[int]:
    return sorted(Counter(label for edge in edges for label in edge).values())


@given(st.integers(2, 40))
def test_in_a_full_mesh_everybody_is_linked_with_everybody(count: int) -> None:
    assert degrees(connect(count, topology="full_mesh")) == [count - 1] * count


@given(st.integers(3, 80))
def test_in_a_ring_everybody_has_two_neighbours(count: int) -> None:
    assert degrees(connect(count, topology="ring")) == [2] * count


@pytest.mark.parametrize("topology", ["full_mesh", "ring"])
def test_one_and_two_nodes_are_a_network_too(topology: str) -> None:
    assert connect(1, topology=topology) == ()
    assert connect(2, topology=topology) == (("node-0", "node-1"),)


@given(st.integers(2, 8), st.integers(3, 60), st.integers(0, 2**60))
def test_in_a_random_regular_graph_everybody_has_the_same_number_of_neighbours(
    degree: int, count: int, seed: int
) -> None:
    if degree >= count or degree * count % 2:
        count = degree + 2 - degree % 2 + (count - count % 2)
    assert degrees(connect(count, seed, topology="random_regular", degree=degree)) == [degree] * count


@pytest.mark.parametrize("degree", [2, 4, 6])
def test_in_a_small_world_the_mean_number_of_neighbours_is_the_degree(degree: int) -> None:
    found = degrees(connect(30, topology="small_world", degree=degree, rewiring=0.1))
    assert sum(found) / 30 == pytest.approx(degree, abs=0.1)


def test_a_small_world_without_rewiring_is_a_ring_of_near_neighbours() -> None:
    edges = connect(12, topology="small_world", degree=4, rewiring=0.0)
    gaps = Counter(min(gap, 12 - gap) for gap in (int(b[5:]) - int(a[5:]) for a, b in edges))
    assert gaps == {1: 12, 2: 12}


def test_a_small_world_moves_about_its_share_of_links() -> None:
    ring = set(connect(200, topology="small_world", degree=6, rewiring=0.0))
    moved = len(set(connect(200, topology="small_world", degree=6, rewiring=0.3)) - ring) / len(ring)
    assert moved == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize(("count", "degree"), [(12, 2), (40, 2), (64, 4), (64, 6)])
def test_a_small_world_rewired_at_random_is_still_one_network(count: int, degree: int) -> None:
    connect(count, topology="small_world", degree=degree, rewiring=1.0)


@pytest.mark.parametrize("topology", ["random_regular", "small_world"])
def test_a_random_graph_follows_the_seed(topology: str) -> None:
    first, again, other = (connect(20, seed, topology=topology, degree=4, rewiring=0.5) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("topology", ["full_mesh", "ring", "random_regular", "small_world"])
def test_edges_come_in_one_order_that_depends_on_nothing_else(topology: str) -> None:
    edges = connect(20, topology=topology, degree=4)
    order = {label: index for index, label in enumerate(labels(20))}
    pairs = [(order[first], order[second]) for first, second in edges]
    assert pairs == sorted(pairs)
    assert all(first < second for first, second in pairs)


# ---- clients ----


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 2**60))
def test_a_client_is_linked_to_as_many_distinct_nodes_as_it_asks_for(nodes: int, count: int, seed: int) -> None:
    links = draw_client_links(labels(nodes), count, seed, "employer")
    assert len(set(links)) == len(links) == min(nodes, count)
    assert set(links) <= set(labels(nodes))
    assert links == draw_client_links(labels(nodes), count, seed, "employer")


def test_clients_and_seeds_draw_their_own_links() -> None:
    drawn = {draw_client_links(labels(60), 8, seed, who) for seed in (1, 2) for who in ("employer", "users")}
    assert len(drawn) == 4


def test_a_world_links_its_clients_and_relays_where_not_everybody_hears_everything() -> None:
    mesh = build_world(shipped("default"), "mnist", bytes(32)).network
    assert (len(mesh.edges), len(mesh.employer_links), len(mesh.user_links), mesh.is_relaying) == (55, 11, 11, False)
    few = build_world(shipped("default", "network.client_links=2"), "mnist", bytes(32)).network
    assert (len(few.employer_links), few.is_relaying) == (2, True)
    ring = build_world(shipped("default", "network.topology=ring"), "mnist", bytes(32)).network
    assert (len(ring.edges), ring.is_relaying) == (11, True)
    alone = build_world(shipped("default", "users={count: 0, transactions: 0}"), "mnist", bytes(32)).network
    assert (alone.user_links, alone.is_relaying) == ((), False)
    heard = build_world(
        shipped("default", "users={count: 0, transactions: 0}", "network.client_links=2"), "mnist", bytes(32)
    ).network
    assert (len(heard.employer_links), heard.is_relaying) == (2, True)  # for the employer's sake

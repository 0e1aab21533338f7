"""Builds the world of a scenario: its parties, their links, and the genesis they all start from."""

from collections.abc import Callable

from protocol.genesis import GenesisAccount
from protocol.mechanism import Mechanism
from simulation.attacks import Coalition
from simulation.foundation import derive_bytes, derive_seed, find_part, to_micro
from simulation.scenario import Scenario, put_plugins_in_force, resolve_corruptions
from simulation.scenario.world.key_pairs import make_keys
from simulation.scenario.world.topology import build_edges, draw_client_links
from simulation.scenario.world.world import EMPLOYER, USERS, Links, NodeSpec, UserSpec, World, label_keys
from simulation.training import MNIST_FORM, DataForm

BuildMechanism = Callable[[Scenario, tuple[GenesisAccount, ...], str, bytes, DataForm], Mechanism]
"""Makes a mechanism of a scenario, the opening accounts, and name, digest and form of the data: the part `genesis`."""


def build_world(scenario: Scenario, dataset: str, dataset_digest: bytes, form: DataForm = MNIST_FORM) -> World:
    """Return the parties of a scenario on a data set, which has no name where nothing is trained.

    Raises:
        ScenarioError: Its corruptions cannot be resolved, or it does not fit data of this form.
    """
    put_plugins_in_force(scenario.plugins)
    scenario = resolve_corruptions(scenario)
    nodes, users = _build_nodes(scenario), _build_users(scenario)
    accounts = [(node.key_seed, 0, node.stake) for node in nodes]
    accounts += [(user.key_seed, user.balance, 0) for user in users]
    lines = sorted(
        (
            GenesisAccount(account=make_keys(seed).public, balance=balance, stake=stake)
            for seed, balance, stake in accounts
        ),
        key=lambda line: line.account,
    )
    build: BuildMechanism = find_part(scenario.mechanism.name, "genesis")
    mechanism = build(scenario, tuple(lines), dataset, dataset_digest, form)
    if scenario.ledger.stamp_bits:
        mechanism = mechanism.ask_stamps(scenario.ledger.stamp_bits)
    return World(scenario, mechanism, nodes, users, _derive_employer(scenario), _build_network(scenario, nodes))


def name_keys(scenario: Scenario) -> dict[bytes, str]:
    """Return the label of every public key of a scenario, whatever its mechanism and data.

    Raises:
        ScenarioError: Its corruptions cannot be resolved.
    """
    scenario = resolve_corruptions(scenario)
    return label_keys(_build_nodes(scenario), _build_users(scenario), _derive_employer(scenario))


def _derive_employer(scenario: Scenario) -> bytes:
    return derive_bytes(scenario.seed, "key", EMPLOYER)


def _build_users(scenario: Scenario) -> tuple[UserSpec, ...]:
    return tuple(
        UserSpec(
            label=f"user-{index}",
            key_seed=derive_bytes(scenario.seed, "key", "user", index),
            balance=to_micro(scenario.users.balance),
        )
        for index in range(scenario.users.count)
    )


def _build_nodes(scenario: Scenario) -> tuple[NodeSpec, ...]:
    nodes: list[NodeSpec] = []
    coalitions = _build_coalitions(scenario)
    for population in scenario.populations:
        for label in population.list_labels():
            owner = population.name if population.colluding else label
            nodes.append(
                NodeSpec(
                    label=label,
                    population=population.name,
                    role=population.role,
                    key_seed=derive_bytes(scenario.seed, "key", "node", label),
                    stake=to_micro(population.node_stake),
                    poison=population.poison,
                    poison_seed=derive_seed(scenario.seed, "poison", owner),
                    behaviour_seed=derive_seed(scenario.seed, "behaviour", label),
                    behaviours=population.list_behaviours(),
                    coalition=coalitions[label],
                    arithmetic=population.arithmetic or scenario.job.arithmetic,
                    speed=population.speed,
                    identities=population.identities,
                )
            )
    return tuple(nodes)


def _build_coalitions(scenario: Scenario) -> dict[str, Coalition]:
    """Return the coalition of each node, by label; that of an honest node is itself alone."""
    groups: dict[str, list[str]] = {}
    for population in scenario.populations:
        for label in population.list_labels():
            name = label if population.role == "honest" else population.coalition or population.name
            groups.setdefault(name, []).append(label)
    coalitions: dict[str, Coalition] = {}
    for name, labels in groups.items():
        seeds = tuple(derive_bytes(scenario.seed, "key", "node", label) for label in labels)
        accounts = [make_keys(seed).public for seed in seeds]
        coalition = Coalition(name, tuple(zip(labels, accounts, strict=True)), seeds)
        coalitions |= dict.fromkeys(labels, coalition)
    return coalitions


def _build_network(scenario: Scenario, nodes: tuple[NodeSpec, ...]) -> Links:
    labels = [node.label for node in nodes]
    edges = build_edges(scenario.network, labels, scenario.seed)
    employer = draw_client_links(labels, scenario.network.client_links, scenario.seed, EMPLOYER)
    users = draw_client_links(labels, scenario.network.client_links, scenario.seed, USERS)
    # The employer is there without users too: of a block by a node that it is not linked to it would first hear by an
    # announcement of its head.
    is_relaying = scenario.network.topology != "full_mesh" or len(employer) < len(labels)
    return Links(edges, employer, users if scenario.users.count else (), is_relaying)

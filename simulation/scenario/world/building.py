"""Builds the world of a scenario: its parties, their links, and the genesis they all start from."""

from typing import Final

from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_training.job import (
    PARTS_PER_BILLION,
    Confidence,
    ProtocolParameters,
    RewardShares,
    TrainingGenesis,
    TrainingJob,
)
from protocol.types import PARTS_PER_MILLION
from simulation.attacks.coalition import Coalition
from simulation.foundation.randomness import derive_bytes, derive_seed
from simulation.foundation.units import to_micro, to_millionths
from simulation.scenario.corruptions import resolve_corruptions
from simulation.scenario.scenario import Scenario
from simulation.scenario.sections import TrainingJobKeys
from simulation.scenario.world.key_pairs import make_keys
from simulation.scenario.world.topology import build_edges, draw_client_links
from simulation.scenario.world.world import EMPLOYER, USERS, Links, NodeSpec, UserSpec, World
from simulation.training.profiles import CANONICAL, CANONICAL_PROFILE, compute_profile

LOSS: Final = "sparse_categorical_crossentropy"


def build_world(scenario: Scenario, dataset: str, dataset_digest: bytes) -> World:
    """Return the parties of a scenario on a data set.

    Raises:
        ScenarioError: Its corruptions cannot be resolved.
    """
    scenario = resolve_corruptions(scenario)
    nodes = _build_nodes(scenario)
    users = tuple(
        UserSpec(
            label=f"user-{index}",
            key_seed=derive_bytes(scenario.seed, "key", "user", index),
            balance=to_micro(scenario.users.balance),
        )
        for index in range(scenario.users.count)
    )
    accounts = [(node.key_seed, 0, node.stake) for node in nodes]
    accounts += [(user.key_seed, user.balance, 0) for user in users]
    lines = sorted(
        (
            GenesisAccount(account=make_keys(seed).public, balance=balance, stake=stake)
            for seed, balance, stake in accounts
        ),
        key=lambda line: line.account,
    )
    genesis = TrainingGenesis(
        parameters=_build_parameters(scenario),
        job=_build_job(scenario, dataset, dataset_digest),
        accounts=tuple(lines),
        seed=scenario.seed,
        tolerance=round(scenario.protocol.tolerance * PARTS_PER_BILLION),
    )
    return World(
        scenario, genesis, nodes, users, derive_bytes(scenario.seed, "key", EMPLOYER), _build_network(scenario, nodes)
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
        accounts = [make_keys(derive_bytes(scenario.seed, "key", "node", label)).public for label in labels]
        coalition = Coalition(name, tuple(zip(labels, accounts, strict=True)))
        coalitions |= dict.fromkeys(labels, coalition)
    return coalitions


def _build_network(scenario: Scenario, nodes: tuple[NodeSpec, ...]) -> Links:
    labels = [node.label for node in nodes]
    edges = build_edges(scenario.network, labels, scenario.seed)
    employer = draw_client_links(labels, scenario.network.client_links, scenario.seed, EMPLOYER)
    users = draw_client_links(labels, scenario.network.client_links, scenario.seed, USERS)
    is_relaying = scenario.network.topology != "full_mesh" or len(users) < len(labels)
    return Links(edges, employer, users if scenario.users.count else (), is_relaying)


def _build_parameters(scenario: Scenario) -> ProtocolParameters:
    rules = scenario.protocol
    if rules.confidence.count is not None:
        confidence = Confidence(rule="count", value=rules.confidence.count)
    else:
        confidence = Confidence(rule="stake_share", value=to_millionths(rules.confidence.stake_share or 0.0))
    proposer, declarers = to_millionths(rules.rewards.proposer), to_millionths(rules.rewards.declarers)
    return ProtocolParameters(
        confidence=confidence,
        stakeholders=rules.stakeholders,
        slot_ns=round(rules.slot_ms * 1_000_000),
        declarations_per_slot=to_millionths(rules.declarations_per_slot),
        headers_per_slot=to_millionths(rules.headers_per_slot),
        max_transactions=rules.max_transactions,
        rewards=RewardShares(
            proposer=proposer, declarers=declarers, stakeholders=PARTS_PER_MILLION - proposer - declarers
        ),
    )


def _build_job(scenario: Scenario, dataset: str, dataset_digest: bytes) -> TrainingJob:
    job = scenario.job
    return TrainingJob(
        layers=tuple(job.layers),
        activation=job.activation,
        optimizer=job.optimizer,
        learning_rate=job.learning_rate,
        loss=LOSS,
        dataset=dataset,
        dataset_digest=dataset_digest,
        weights_seed=derive_seed(scenario.seed, "job", "weights"),
        order_seed=derive_seed(scenario.seed, "job", "order"),
        batch_size=job.batch_size,
        steps_per_stage=job.steps_per_stage,
        stages=job.stages,
        profile=find_profile(job),
    )


def find_profile(job: TrainingJobKeys) -> str:
    """Return the arithmetic profile that a job asks for: this machine's own, or the canonical one."""
    return CANONICAL_PROFILE if job.arithmetic == CANONICAL else compute_profile(xla=job.xla)

"""From a scenario to the parties of a run: labels, keys, stakes, links, and the genesis they all start from."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from protocol.crypto import KeyPair
from protocol.job import Confidence, Genesis, GenesisAccount, ProtocolParameters, RewardShares, TrainingJob
from protocol.types import PARTS_PER_BILLION, PARTS_PER_MILLION
from simulation.attacks.coalition import Coalition
from simulation.foundation.randomness import derive_bytes, derive_seed
from simulation.foundation.units import to_micro, to_millionths
from simulation.scenario.corruptions import resolve_corruptions
from simulation.scenario.populations import BehaviourSection, Poison, Population
from simulation.scenario.scenario import Scenario
from simulation.scenario.sections import Job
from simulation.scenario.world.topology import build_edges, draw_client_links
from simulation.training.profiles import CANONICAL, CANONICAL_PROFILE, compute_profile

EMPLOYER: Final = "employer"
USERS: Final = "users"
LOSS: Final = "sparse_categorical_crossentropy"


@cache
def make_keys(seed: bytes) -> KeyPair:
    """Return the key pair of a seed; thousands of parties ask for theirs more than once."""
    return KeyPair(seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One node, before it starts."""

    label: str
    """Population name and number: `honest-3`."""
    population: str
    role: str
    key_seed: bytes
    """Secret; the node's key pair is made from it."""
    stake: int
    """Bonded micro-coins."""
    poison: Poison | None
    poison_seed: int
    """Equal for colluders, who share one poisoned data set."""
    behaviour_seed: int
    behaviours: tuple[BehaviourSection, ...]
    """In which ways it differs from an honest node, the innermost first."""
    coalition: Coalition
    """Whom it attacks with; of honest nodes, nobody but itself."""
    arithmetic: str
    """In which arithmetic it trains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpec:
    """One user, before it starts."""

    label: str
    key_seed: bytes
    balance: int
    """Micro-coins it starts with."""


@dataclass(frozen=True, slots=True)
class Network:
    """Links by label. A pair stands for both directions."""

    edges: tuple[tuple[str, str], ...]
    """Between nodes."""
    employer_links: tuple[str, ...]
    """Nodes the employer talks to."""
    user_links: tuple[str, ...]
    """Nodes that users hand their transfers to."""
    is_relaying: bool
    """Whether nodes pass accepted messages on."""


@dataclass(frozen=True, slots=True)
class World:
    """Everybody who takes part in a run, and what they agree on."""

    scenario: Scenario
    genesis: Genesis
    nodes: tuple[NodeSpec, ...]
    users: tuple[UserSpec, ...]
    employer_seed: bytes
    network: Network

    def get_labels(self) -> dict[bytes, str]:
        """Return the label of every public key, for the log."""
        seeds = [(node.label, node.key_seed) for node in self.nodes]
        seeds += [(user.label, user.key_seed) for user in self.users]
        seeds.append((EMPLOYER, self.employer_seed))
        return {make_keys(seed).public: label for label, seed in seeds}

    def get_trigger_class(self) -> int:
        """Return the class that the first backdoor aims at; 0 where there is none."""
        targets = (node.poison.target for node in self.nodes if node.poison)
        return next((target for target in targets if target is not None), 0)

    def get_honest(self) -> frozenset[str]:
        """Return the labels of the honest nodes."""
        return frozenset(node.label for node in self.nodes if node.role == "honest")


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
    genesis = Genesis(
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
                    behaviours=_list_behaviours(population),
                    coalition=coalitions[label],
                    arithmetic=population.arithmetic or scenario.job.arithmetic,
                )
            )
    return tuple(nodes)


def _list_behaviours(population: Population) -> tuple[BehaviourSection, ...]:
    if population.role in ("silent", "garbage"):  # short for an adversary with this one behaviour
        return (BehaviourSection.model_validate(population.role),)
    return tuple(population.behaviours)


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


def _build_network(scenario: Scenario, nodes: tuple[NodeSpec, ...]) -> Network:
    labels = [node.label for node in nodes]
    edges = build_edges(scenario.network, labels, scenario.seed)
    employer = draw_client_links(labels, scenario.network.client_links, scenario.seed, EMPLOYER)
    users = draw_client_links(labels, scenario.network.client_links, scenario.seed, USERS)
    is_relaying = scenario.network.topology != "full_mesh" or len(users) < len(labels)
    return Network(edges, employer, users if scenario.users.count else (), is_relaying)


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


def find_profile(job: Job) -> str:
    """Return the arithmetic profile that a job asks for: this machine's own, or the canonical one."""
    return CANONICAL_PROFILE if job.arithmetic == CANONICAL else compute_profile(xla=job.xla)

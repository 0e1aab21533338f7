"""What each party's process is given when it is started, and which pipes it gets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulation.engines import EngineSetup, NetworkModel, name_owners
from simulation.engines.processes.control import EmployerRole, NodeRole, Role, Setup, UsersRole
from simulation.foundation import compute_needed
from simulation.scenario.world import EMPLOYER, USERS, World, plan_transfers


def list_parties(world: World) -> list[str]:
    """Return the labels of all parties that have a process."""
    return [*(node.label for node in world.nodes), EMPLOYER, *([USERS] if world.users else [])]


def list_links(world: World) -> Iterator[tuple[str, str]]:
    """Yield the two ends of each link."""
    network = world.network
    yield from network.edges
    yield from ((EMPLOYER, node) for node in network.employer_links)
    yield from ((USERS, node) for node in network.user_links)


def count_descriptors(world: World) -> int:
    """Return the file descriptors that starting a world's parties may take at once."""
    return compute_needed(sum(1 for _ in list_links(world)), len(world.nodes) + 2)


@dataclass(slots=True)
class Casting:
    """Writes what each party is given."""

    setup: EngineSetup
    dataset_folder: Path
    """Where the images lie that all processes share."""
    labels: dict[bytes, str]
    network: NetworkModel

    def build_setup(self, label: str, broadcast_to: tuple[str, ...]) -> Setup:
        """Return what a party is given whatever its role."""
        world = self.setup.world
        return Setup(
            label=label,
            mechanism=world.mechanism,
            keys=world.scenario.mechanism,
            labels=self.labels,
            run_start=self.setup.started_at,
            is_relaying=world.network.is_relaying,
            broadcast_to=broadcast_to,
            network=None if self.network.is_trivial else self.network,
            scratch=self.setup.scratch,
            dataset_folder=self.dataset_folder,
            dataset_name=self.setup.images.name,
            xla=world.scenario.job.xla,
            trigger_class=world.get_trigger_class(),
            weights_folder=self.setup.weights_folder,
            journal_folder=self.setup.journal_folder,
        )

    def build_role(self, label: str) -> Role:
        """Return what a party is given because of its role."""
        world = self.setup.world
        if label == EMPLOYER:
            owners = name_owners(world, self.labels) if self.setup.on_holdings is not None else None
            return EmployerRole(key_seed=world.employer_seed, model_path=self.setup.model_path, owners=owners)
        if label == USERS:
            return UsersRole(plan=plan_transfers(world))
        spec = next(node for node in world.nodes if node.label == label)
        return NodeRole(spec=spec)

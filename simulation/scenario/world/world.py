"""The parties of a run before it starts: labels, keys, stakes, links, and the genesis they all start from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocol.genesis import Genesis
from protocol.mechanism import Mechanism
from simulation.attacks import Coalition
from simulation.scenario import BehaviourSection, Poison, Scenario
from simulation.scenario.world.key_pairs import make_keys

EMPLOYER: Final = "employer"
USERS: Final = "users"


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
    speed: float
    """How fast it works, as a multiple of what its mechanism takes for one."""
    identities: int = 1
    """Nodes that its owner speaks as: where power counts, it is split over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpec:
    """One user, before it starts."""

    label: str
    key_seed: bytes
    balance: int
    """Micro-coins it starts with."""


@dataclass(frozen=True, slots=True)
class Links:
    """Who is linked to whom, by label. A pair stands for both directions."""

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
    mechanism: Mechanism
    """How blocks are agreed on; it holds the genesis."""
    nodes: tuple[NodeSpec, ...]
    users: tuple[UserSpec, ...]
    employer_seed: bytes
    network: Links

    @property
    def genesis(self) -> Genesis:
        """What all parties agree on."""
        return self.mechanism.genesis

    def get_labels(self) -> dict[bytes, str]:
        """Return the label of every public key, for the log."""
        return label_keys(self.nodes, self.users, self.employer_seed)

    def get_trigger_class(self) -> int:
        """Return the class that the first backdoor aims at; 0 where there is none."""
        targets = (node.poison.target for node in self.nodes if node.poison)
        return next((target for target in targets if target is not None), 0)

    def get_honest(self) -> frozenset[str]:
        """Return the labels of the honest nodes."""
        return frozenset(node.label for node in self.nodes if node.role == "honest")


def label_keys(nodes: Iterable[NodeSpec], users: Iterable[UserSpec], employer_seed: bytes) -> dict[bytes, str]:
    """Return the label of every public key of some parties."""
    seeds = [(node.label, node.key_seed) for node in nodes]
    seeds += [(user.label, user.key_seed) for user in users]
    seeds.append((EMPLOYER, employer_seed))
    return {make_keys(seed).public: label for label, seed in seeds}

"""What a party's process and the process that started it tell each other.

This is the one trusted pipe of each party, so it may carry pickled objects. The last thing a party sends is always one
message: its final report, or how it failed.
"""

from dataclasses import dataclass
from pathlib import Path

from protocol.mechanism import Mechanism
from simulation.engines import Holdings, NetworkModel
from simulation.records import Record
from simulation.scenario import MechanismKeys
from simulation.scenario.world import NodeSpec, TransferPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every party is given when it starts, whatever its role."""

    label: str
    mechanism: Mechanism
    """How blocks are agreed on; it holds the genesis."""
    keys: MechanismKeys
    """What the scenario says of it, besides what all agreed on."""
    labels: dict[bytes, str]
    """Label of each public key, for records."""
    run_start: int
    """Reading of the monotonic clock, in nanoseconds, at which records count from zero."""
    is_relaying: bool
    broadcast_to: tuple[str, ...]
    """Peers that messages are for; a party may have links it only listens to."""
    network: NetworkModel | None
    """What links do to frames; None where they do nothing."""
    scratch: Path
    """Folder of the run alone; whoever is left when the starter has gone deletes it."""
    dataset_folder: Path
    dataset_name: str
    xla: bool
    """Whether training is compiled by XLA."""
    trigger_class: int
    """Class a backdoor would aim at."""
    weights_folder: Path
    journal_folder: Path | None
    """Where the party's journal goes; None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRole:
    """What a node is given."""

    spec: NodeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployerRole:
    """What the employer is given."""

    key_seed: bytes
    model_path: Path
    owners: dict[bytes, str] | None
    """Whose each account is, if the starter wants to know what they have; None where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersRole:
    """What the users' process is given."""

    plan: TransferPlan


Role = NodeRole | EmployerRole | UsersRole


# ---- to a party ----


@dataclass(frozen=True, slots=True)
class Go:
    """All parties are ready: the chain's clock starts."""

    genesis_at: int
    """Reading of the monotonic clock at the genesis, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Report and end."""


# ---- from a party ----


@dataclass(frozen=True, slots=True)
class Ready:
    """Set up, and waiting for the clock."""

    worker_pids: tuple[int, ...] = ()
    """Processes of its own that work for it."""


@dataclass(frozen=True, slots=True)
class Records:
    """What happened since the last time."""

    records: list[Record]


@dataclass(frozen=True, slots=True)
class Held:
    """What accounts have after the employer's head."""

    holdings: Holdings


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalReport:
    """A party's last word when it ends as it should."""

    blocks: tuple[bytes, ...] | None = None
    """Canonical bytes of the blocks of its chain, lowest first; None where it follows none."""


@dataclass(frozen=True, slots=True)
class PartyFailed:
    """A party's last word when its own code failed."""

    kind: str
    text: str
    trace: str | None
    """Where the exception was raised; None where it says all by itself."""
    blamed: str | None = None
    """What a plug-in has done wrong, with its file and line; None where the code is ours."""

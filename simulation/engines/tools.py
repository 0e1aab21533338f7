"""What a mechanism's parties need besides a core: workers for slow work, and the employer's desk.

A mechanism names its own as the parts `virtual_tools` and `party_tools`; one without slow work has these.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from protocol.events import BlockAppended, HeadMoved
from protocol.participant import Participant
from simulation.engines.worker import ChargingWorker, PromptWorker, Worker
from simulation.records import Sink
from simulation.scenario.world import NodeSpec

SetupT = TypeVar("SetupT")


class Desk(Protocol):
    """What the employer does besides following the chain."""

    def measure(self, action: BlockAppended | HeadMoved) -> None:
        """Look at a block that the employer has appended, or has as its head now."""

    def save_model(self, core: Participant, path: Path) -> None:
        """Write down what has been delivered, if there is anything."""


class VirtualTools(Generic[SetupT]):
    """The tools of all parties of a run in simulated time."""

    def __init__(self, setup: SetupT) -> None:
        """Take what the engine was given."""
        self.setup = setup

    def build_worker(self, spec: NodeSpec) -> ChargingWorker | None:
        """Return what does a node's slow work; None where there is none."""
        return None

    def build_desk(self, sink: Sink) -> Desk | None:
        """Return the employer's desk, whose facts go to a sink; None for an employer that only follows."""
        return None

    def close(self) -> None:
        """End what the tools have started."""


class PartyTools(Generic[SetupT]):
    """The tools of one party in its own process."""

    def __init__(self, setup: SetupT) -> None:
        """Take what the process was given."""
        self.setup = setup

    def build_workers(self, spec: NodeSpec) -> Mapping[type[Hashable], Worker]:
        """Return what does a node's slow work, by the kind of task."""
        return {}

    def build_prompt_workers(self, spec: NodeSpec) -> Mapping[type[Hashable], PromptWorker]:
        """Return what does such work of a node as leaves a core no rest, by the kind of task."""
        return {}

    def build_desk(self, sink: Sink) -> Desk | None:
        """Return the employer's desk, whose facts go to a sink; None for an employer that only follows."""
        return None

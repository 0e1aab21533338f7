"""What a mechanism adds to the check of a stored run: its part `verification`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.events import ChainRecord
from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.foundation import find_part
from simulation.records import Record
from simulation.scenario import Scenario
from simulation.scenario.world import World, build_world
from simulation.training import NO_DATA

Learn = Callable[[ChainRecord], object]
"""Returns what a judge knows by its own work on a parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as its folder has it."""

    folder: Path
    scenario: Scenario
    """What `scenario.yaml` says was run."""
    keys: Mapping[str, Any]
    """The same as it stands there."""
    rules: Rules
    """Those of the stored chain."""
    blocks: Sequence[AnyBlock]
    """The stored chain, lowest block first."""
    dataset_path: str | None = None
    """Where the data set is now; None for where the scenario says."""


class Verification:
    """Checks what only the mechanism knows about; one that leaves nothing but its chain behind has these."""

    def __init__(self, run: StoredRun, say: Callable[[str], None]) -> None:
        """Take a stored run, and who takes a line about each thing that was found right."""
        self.run = run
        self.say = say

    @property
    def mechanism(self) -> Mechanism:
        """How the chain's blocks were agreed on."""
        return self.run.rules.mechanism

    def find_dataset(self) -> tuple[str, bytes] | None:
        """Return name and digest of the data set that the run must have had; None where nothing but its log says."""
        has_data = find_part(self.mechanism.name, "data") is not None
        return None if has_data else (NO_DATA.name, NO_DATA.compute_digest())

    def build_world(self, dataset: str, dataset_digest: bytes) -> World:
        """Return who took part, and what they agreed on, by the scenario.

        Raises:
            ScenarioError: Its corruptions cannot be resolved.
        """
        return build_world(self.run.scenario, dataset, dataset_digest)

    def work_again(self, world: World) -> tuple[Learn | None, str | None]:
        """Return what doing the work again says on each parent, or why that says nothing.

        Where nothing trains there is nothing to do again, and that is said.

        Raises:
            DatasetError: It needs a data set that cannot be had.
        """
        self.say(f"training: {self.mechanism.name} trains nothing, so there is no training to repeat")
        return None, None

    def describe_work(self) -> str:
        """Return words for the work that was done again, to end a sentence about the chain."""
        return ""

    @staticmethod
    def list_kept_folders(scenario: Scenario) -> Iterable[str]:
        """Return the folders that a run keeps beside its chain, whose files `find_kept_fault` knows."""
        return ()

    def find_kept_fault(self) -> str | None:
        """Return what is wrong with what the run has kept beside its chain, or None."""
        return None

    def judge_record(self, record: Record, world: World) -> str | None:
        """Return what is wrong with a record of the log, by what the chain and work that was done again say, or None.

        It is asked about each record, in their order.
        """
        return None

    def list_facts(self, *, is_worked_again: bool) -> dict[str, dict[str, Any]]:
        """Return sections of a summary that follow from the chain or from doing the work again, by their source."""
        return {}

    def find_delivery_fault(self) -> str | None:
        """Return what is wrong with what the employer got, or None.

        It is asked only where ``model.keras`` has the digest that the summary lists, or neither is there.
        """
        return None

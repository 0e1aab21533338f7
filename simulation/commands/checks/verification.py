"""What a mechanism adds to the check of a stored run: its part `verification`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from protocol.events import ChainRecord
from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.scenario import Scenario

Learn = Callable[[ChainRecord], object]
"""Returns what a judge knows by its own work on a parent."""


class Verification:
    """Checks what only the mechanism knows about; one that leaves nothing but its chain behind has these."""

    def __init__(
        self,
        folder: Path,
        rules: Rules,
        blocks: Sequence[AnyBlock],
        scenario: Scenario,
        say: Callable[[str], None],
    ) -> None:
        """Take a stored run.

        Args:
            folder: The run's folder.
            rules: Those of the stored chain.
            blocks: The stored chain.
            scenario: What was run.
            say: Takes a line about each thing that was found right.
        """
        self.folder = folder
        self.rules = rules
        self.blocks = blocks
        self.scenario = scenario
        self.say = say

    @property
    def mechanism(self) -> Mechanism:
        """How the chain's blocks were agreed on."""
        return self.rules.mechanism

    def work_again(self) -> tuple[Learn | None, str | None]:
        """Return what doing the work again says on each parent, or why that says nothing.

        Raises:
            DatasetError: It needs a data set that cannot be had.
        """
        return None, None

    def describe_work(self) -> str:
        """Return words for the work that was done again, to end a sentence about the chain."""
        return ""

    def find_kept_fault(self) -> str | None:
        """Return what is wrong with what the run has kept beside its chain, or None."""
        return None

    def list_facts(self, *, is_worked_again: bool) -> dict[str, dict[str, Any]]:
        """Return sections of a summary that follow from the chain or from doing the work again, by their source."""
        return {}

    def find_delivery_fault(self) -> str | None:
        """Return what is wrong with what the employer got, or None."""
        return None

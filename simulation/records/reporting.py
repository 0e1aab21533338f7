"""How a mechanism puts its own business on record; a mechanism without words of its own has these."""

from collections.abc import Hashable, Mapping

from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from simulation.foundation import find_part
from simulation.records.fact import Fact
from simulation.records.message_facts import BlockPart, CountedPart


class Reporter:
    """Finds words for what only the mechanism knows about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return what the mechanism has to say of a block.

        Args:
            block: A block of its own type.
            labels: Label of each public key.
        """
        return BlockPart()

    def describe_noted(self, noted: object, labels: Mapping[bytes, str]) -> Fact:
        """Return the fact for what a proposer wants on record.

        Args:
            noted: What it is.
            labels: Label of each public key.
        """
        raise TypeError(f"no words for {noted!r}")

    def describe_task(self, task: Hashable) -> Fact | None:
        """Return the fact that slow work begins; None where that is not worth a word."""
        return None

    def count(self, fact: Fact, *, is_honest: bool) -> tuple[CountedPart, int] | None:
        """Return what a fact about slow work counts as in a run that only counts, and the amount that goes with it."""
        return None


def find_reporter_by_name(name: str) -> Reporter:
    """Return the reporter of a mechanism; that which says nothing of its own where it has none."""
    kind = find_part(name, "reporter")
    return Reporter() if kind is None else kind()


def find_reporter(mechanism: Mechanism) -> Reporter:
    """Return the reporter of a chain's mechanism."""
    return find_reporter_by_name(mechanism.name)

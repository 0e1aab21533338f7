"""What chain-based proof of stake has to say of a block."""

from typing import ClassVar

from simulation.records.fact import Count, register_parts
from simulation.records.message_facts import Appended, BlockPart


class LedBlock(BlockPart, frozen=True, kw_only=True):
    """A block by the leader of its slot."""

    leader: str
    """Label of the block's author, or its short key where that is of no party."""
    led_slot: Count
    """Slot that it was made in, counted from the genesis."""
    accused: str | None = None
    """Labels of those whose coins the block's evidence takes, with spaces between; left out where it has none."""

    mechanism: ClassVar[str | None] = "stake_chain"

    def describe_makers(self) -> str:
        """Return who has made it, as the leader of which slot."""
        return f"led by {self.leader} in slot {self.led_slot}"


register_parts(Appended, LedBlock)

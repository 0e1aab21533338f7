"""What chain-based proof of stake has to say of a block."""

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


register_parts(Appended, LedBlock)

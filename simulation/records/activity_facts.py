"""What may happen in a run by proof of activity, besides hashing: templates, and blocks that are made of them."""

from typing import ClassVar

from simulation.records.fact import BlockHeight, Count, Fact, register_facts, register_parts
from simulation.records.lines import DEBUG
from simulation.records.message_facts import Appended, BlockPart


class TemplateMade(Fact, frozen=True, kw_only=True):
    """The node has found a nonce for a template on its head, and sends it to those whom it draws."""

    event: ClassVar[str] = "template"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = "a node"

    height: BlockHeight
    """Height of the block that it may become."""
    parent: str
    """Short hash of the block that it builds on."""
    template: str
    """Short hash of the template."""
    hashes: Count
    """Tries that a template of its target takes on average."""


class ClosedBlock(BlockPart, frozen=True, kw_only=True):
    """What proof of activity has to say of a block."""

    miner: str
    """Label of who found its template, or the short key where that is of no party."""
    closer: str
    """Label of who closed it, or the short key where that is of no party."""
    signatures: Count
    """Owners that have signed its template, besides a closer who was drawn."""
    hashes: Count
    """Tries that a template of its target takes on average."""

    mechanism: ClassVar[str | None] = "proof_of_activity"

    def describe_makers(self) -> str:
        """Return who has found its template, and who has closed it."""
        return f"mined by {self.miner}, closed by {self.closer}"


register_facts(TemplateMade)
register_parts(Appended, ClosedBlock)

"""What may happen in a run by votes of stake: proposing, going on to another round, deciding, and contradictions."""

from typing import ClassVar, Final

from simulation.records.fact import BlockHeight, Count, Fact, register_facts, register_parts
from simulation.records.lines import DEBUG, INFO
from simulation.records.message_facts import Appended, BlockPart

_NODE: Final = "a node"


class Proposed(Fact, frozen=True, kw_only=True):
    """The node has proposed a block in a round that is its own."""

    event: ClassVar[str] = "proposed"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _NODE

    height: BlockHeight
    """Height of the block."""
    round: Count
    """Round, from 0."""
    block: str
    """Short hash of the block."""
    valid_round: Count | None = None
    """Earlier round in which two thirds of the stake have pre-voted the block; left out of a new block."""


class RoundBegun(Fact, frozen=True, kw_only=True):
    """The node has gone on to another round at the same height."""

    event: ClassVar[str] = "round"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    height: BlockHeight
    """Height that is voted on."""
    round: Count
    """The new round."""


class Decided(Fact, frozen=True, kw_only=True):
    """The node has seen pre-commits of more than two thirds of the stake for a block: the block is final."""

    event: ClassVar[str] = "decided"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    height: BlockHeight
    """Height of the block."""
    round: Count
    """Round of the pre-commits."""
    block: str
    """Short hash of the block."""
    votes: Count
    """Pre-commits that the node has for it."""


class Contradicted(Fact, frozen=True, kw_only=True):
    """The node has two signed messages of one author that contradict each other; told once for each step of a round."""

    event: ClassVar[str] = "contradicted"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _NODE

    author: str
    """Label of who has signed both, or its short key where that is of no party."""
    height: BlockHeight
    """Height that they are about."""
    round: Count
    """Round that they are about."""
    step: str
    """`proposal`, `prevote` or `precommit`."""
    first: str
    """Short hash of the block that the first one is for, or `nil`."""
    second: str
    """Short hash of the block that the second one is for, or `nil`."""


class VotedBlock(BlockPart, frozen=True, kw_only=True):
    """What a chain by votes of stake has to say of a block."""

    builder: str
    """Label of who built it, or its short key where that is of no party."""
    round: Count
    """Round it was built for; it may be decided in a later one."""

    mechanism: ClassVar[str | None] = "stake_bft"

    def describe_makers(self) -> str:
        """Return who has built it, and for which round."""
        return f"built by {self.builder} for round {self.round}"


register_facts(Proposed, RoundBegun, Decided, Contradicted)
register_parts(Appended, VotedBlock)

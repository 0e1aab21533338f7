"""What may happen to messages and blocks, whatever the consensus mechanism."""

from typing import ClassVar, Final

from simulation.records.fact import BlockHeight, Bytes, Count, Fact, Height, Part, register_facts, register_parts
from simulation.records.lines import DEBUG, INFO

_PARTY: Final = "a node or the employer"

# ---- messages ----


class Sent(Fact, frozen=True, kw_only=True):
    """The party sent a message of its own."""

    event: ClassVar[str] = "sent"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = "a node, the employer or a user"

    kind: str
    """Type of the message; of bytes that are none, what an attacker means them to be."""
    blocks: Count | None = None
    """Blocks in a response; left out for other messages."""
    height: Height | None = None
    """Height that the message is about; left out where it is about none."""
    nonce: Count | None = None
    """Number of a user's transfer among those of its account; left out for other messages."""
    header: str | None = None
    """Short hash of the header that the message is about; left out where it is about none."""
    to: str
    """The neighbour it is for, or `all`."""
    copies: Count
    """Links it went over."""
    bytes: Bytes
    """Its size, times the copies."""


class Relayed(Fact, frozen=True, kw_only=True):
    """The party passed on somebody else's message."""

    event: ClassVar[str] = "relayed"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _PARTY

    copies: Count
    """Links it went over."""
    bytes: Bytes
    """Its size, times the copies."""


class _AboutMessage(Fact, frozen=True, kw_only=True):
    """What the party thinks of a message that it got."""

    kind: str
    """Type of the message; `frame` where the bytes are no message."""
    height: Height | None = None
    """Height that the message is about; left out where it is about none."""
    author: str | None = None
    """Label of the author, or its short key where that is of no party; left out where there is none."""
    header: str | None = None
    """Short hash of the header that the message is about; left out where it is about none."""
    block: str | None = None
    """Short hash of a block; left out for other messages."""
    peer: str
    """The neighbour it came from; empty where it is the party's own."""


class Accepted(_AboutMessage, frozen=True, kw_only=True):
    """The party found a message to be right."""

    event: ClassVar[str] = "accepted"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY


class Rejected(_AboutMessage, frozen=True, kw_only=True):
    """The party found a message to be wrong, which no honest party makes."""

    event: ClassVar[str] = "rejected"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY

    reason: str
    """Why, in a word; docs/protocol.md lists them."""


class Waiting(_AboutMessage, frozen=True, kw_only=True):
    """The party put a message aside until it can judge it."""

    event: ClassVar[str] = "waiting"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _PARTY

    missing: str
    """What it lacks to judge it, in a word."""


class Ignored(Fact, frozen=True, kw_only=True):
    """The party dropped messages that blame nobody; counted, and told with each block and at the end."""

    event: ClassVar[str] = "ignored"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _PARTY

    kind: str
    """Type of the messages; `frame` where they were not looked into."""
    reason: str
    """Why, in a word; docs/protocol.md lists them."""
    count: Count
    """How many since the last time."""


# ---- blocks ----


class BlockPart(Part, frozen=True):
    """What a consensus mechanism has to say of a block."""

    mechanism: ClassVar[str | None] = None
    """The mechanism that says this of its blocks; None where nobody can tell by it."""

    def describe_makers(self) -> str | None:
        """Return who has made the block, and by what; None where nothing is said of it."""
        return None


class Appended(Fact, frozen=True, kw_only=True):
    """The party found a block to be valid and stored it."""

    event: ClassVar[str] = "appended"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY

    height: BlockHeight
    """Height of the block; the genesis, which nobody appends, has 0."""
    block: str
    """Short hash of the block."""
    parent: str
    """Short hash of the block before it."""
    part: BlockPart
    """What the consensus mechanism has to say of it."""
    transactions: Count
    """Transfers in the block."""
    head: bool
    """Whether it is the party's new head."""
    reorg: Height
    """Blocks given up for it."""


class Moved(Fact, frozen=True, kw_only=True):
    """The party's head has moved to a block it had before, because owners of more than half of all stake work on it."""

    event: ClassVar[str] = "moved"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY

    height: BlockHeight
    """Height of the new head."""
    head: str
    """Short hash of the new head."""
    reorg: Height
    """Blocks given up for it."""


class UsedTwice(Fact, frozen=True, kw_only=True):
    """The party has two blocks of one right: neither counts before another is built on it, or most stake backs it."""

    event: ClassVar[str] = "used_twice"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY

    height: BlockHeight
    """Height of the second block."""
    author: str
    """Label of who signed both."""
    first: str
    """Short hash of the block that came first."""
    second: str
    """Short hash of the other one."""
    head: str
    """Short hash of the party's head from now on."""
    head_height: Height
    """Its height."""


# ---- counts in place of records ----


class CountedPart(Part, frozen=True):
    """What was counted."""


class Counted(Fact, frozen=True, kw_only=True):
    """How often something happened to all parties together; with `output.records: essential`, told at the end."""

    event: ClassVar[str] = "counted"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = "`run`"

    part: CountedPart
    """What was counted."""
    count: Count
    """How often it happened; of messages sent, copies."""
    amount: Count
    """Bytes of messages sent, micro-seconds of processor time, nonces tried, signatures; 0 for anything else."""


class SentCount(CountedPart, frozen=True, tag_field="what", tag="sent"):
    """Messages sent."""

    kind: str
    """Type of the messages; `relayed` for those of others."""


class AcceptedCount(CountedPart, frozen=True, tag_field="what", tag="accepted"):
    """Messages found to be right."""

    kind: str
    """Type of the messages."""
    author: str
    """Population of the authors."""
    honest: bool
    """Whether honest nodes judged."""


class RejectedCount(CountedPart, frozen=True, tag_field="what", tag="rejected"):
    """Messages found to be wrong."""

    kind: str
    """Type of the messages."""
    reason: str
    """Why, in a word."""
    author: str
    """Population of the authors."""
    honest: bool
    """Whether honest nodes judged."""


class IgnoredCount(CountedPart, frozen=True, tag_field="what", tag="ignored"):
    """Messages dropped without blame."""

    kind: str
    """Type of the messages; `frame` where they were not looked into."""
    reason: str
    """Why, in a word."""


class SpentCount(CountedPart, frozen=True, tag_field="what", tag="spent"):
    """What nodes have spent since the genesis."""

    kind: str
    """`cpu`, processor time of their slow work; `signed`, signatures made; or `checked`, signatures checked."""


register_facts(Sent, Relayed, Accepted, Rejected, Waiting, Ignored, Appended, Moved, UsedTwice, Counted)
register_parts(Appended, BlockPart)
register_parts(Counted, SentCount, AcceptedCount, RejectedCount, IgnoredCount, SpentCount)

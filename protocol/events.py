"""Everything that goes into a participant, and everything that comes out."""

from collections.abc import Hashable
from enum import Enum
from typing import TypeAlias

import msgspec

from protocol.chain import BlockRecord, HeadChange
from protocol.ledger import LedgerState
from protocol.messages import AnyBlock, Message
from protocol.types import AccountId, Hash32, Nanoseconds, PeerId
from protocol.verdicts import Verdict

ChainRecord: TypeAlias = BlockRecord[AnyBlock, LedgerState]
"""A block of a chain, of whatever mechanism, with the ledger after it."""


class TimerKind(Enum):
    """What a timer is for; a mechanism adds its own."""


class ChainTimer(TimerKind):
    """Timers of every participant."""

    ANNOUNCE = "announce"


class Timer(msgspec.Struct, frozen=True):
    """A wake-up call; one that has lost its purpose when it rings is harmless."""

    kind: TimerKind
    slot: int
    """Slot it rings in."""
    parent: Hash32 = b""
    """Head it was set for; empty where that does not matter."""


# ---- events ----


class Started(msgspec.Struct, frozen=True):
    """The clock runs and the links are up."""


class MessageReceived(msgspec.Struct, frozen=True):
    """A frame came in over a link."""

    peer: PeerId
    frame: bytes


class TimerFired(msgspec.Struct, frozen=True):
    """A timer rings."""

    timer: Timer


class WorkFinished(msgspec.Struct, frozen=True):
    """Slow work is done, as `StartWork` asked."""

    task: Hashable
    result: object


Event = Started | MessageReceived | TimerFired | WorkFinished


# ---- commands: what the driver must do ----


class Broadcast(msgspec.Struct, frozen=True):
    """Send a message of this participant's own to every neighbour."""

    message: Message


class Send(msgspec.Struct, frozen=True):
    """Send a message to one neighbour."""

    peer: PeerId
    message: Message


class Relay(msgspec.Struct, frozen=True):
    """Pass an accepted frame on, unchanged, to every neighbour but the one it came from."""

    frame: bytes
    source: PeerId


class SetTimer(msgspec.Struct, frozen=True):
    """Ring at a time; a time that has passed means now."""

    timer: Timer
    at: Nanoseconds


class StartWork(msgspec.Struct, frozen=True):
    """Do something slow and report its result with `WorkFinished`; which tasks there are is for the mechanism."""

    task: Hashable


# ---- commands: what the driver should record ----


class Judged(msgspec.Struct, frozen=True):
    """A message was accepted, ignored, rejected or put aside."""

    peer: PeerId
    verdict: Verdict
    kind: str
    """Type of the message; ``frame`` where the bytes are no message."""
    height: int | None = None
    author: AccountId | None = None
    proposal: Hash32 | None = None
    """Proposal of a block that the message is about."""
    block: Hash32 | None = None
    """Hash of a block."""


class BlockAppended(msgspec.Struct, frozen=True):
    """A block was found valid and stored."""

    record: ChainRecord
    change: HeadChange[AnyBlock, LedgerState] | None
    """How the head moved; None when the block lies on a branch that is not the heaviest."""


class HeadMoved(msgspec.Struct, frozen=True):
    """The head has moved to a block that was known before, because owners of more than half of all stake work on it."""

    record: ChainRecord
    """The head now."""
    change: HeadChange[AnyBlock, LedgerState]


class RightUsedTwice(msgspec.Struct, frozen=True):
    """Two valid blocks were made with a right that is good for one; `BlockAppended` has told of the second."""

    author: AccountId
    """Who signed both."""
    height: int
    first: Hash32
    """The block that this party has had before."""
    second: Hash32
    head: Hash32
    """The party's head now: that of both which others have built on, or the best block that nobody doubts."""
    head_height: int


class Noted(msgspec.Struct, frozen=True):
    """Something the mechanism's half of a node wants on record; its own business until it speaks."""

    fact: object


Command = Broadcast | Send | Relay | SetTimer | StartWork | Judged | BlockAppended | HeadMoved | RightUsedTwice | Noted

"""What a behaviour is: it stands between a node's inputs and its core, and follows the core's answers, or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from protocol.chain import BlockTree
from protocol.crypto import KeyPair
from protocol.events import Broadcast, Command, Event, Relay, Send
from protocol.ledger import LedgerState
from protocol.messages import AnyBlock
from protocol.rules import Rules
from protocol.types import Nanoseconds


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send bytes of an attacker's own making to every neighbour."""

    frame: bytes
    label: str
    """What the bytes are meant to be, for the log."""


@dataclass(frozen=True, slots=True)
class SendFragment:
    """Send a part of a frame to every neighbour as the last thing that goes over its link.

    Where links are pipes the bytes are written as they are. Where they are simulated their receiver does what it would
    do about such bytes, and says so: it gives the link up where the length is beyond what a link carries, or where the
    sender closes it in the middle; else it hears no more over it.
    """

    announced: int
    """Length that the frame is said to have."""
    carried: bytes
    """What comes of it."""
    is_closing: bool
    """Whether the sender then closes its links."""
    label: str
    """What the bytes are meant to be, for the log."""

    def __post_init__(self) -> None:
        """Refuse a frame that is whole.

        Raises:
            ValueError: All that is announced is carried.
        """
        if len(self.carried) >= self.announced:
            raise ValueError(f"{len(self.carried)} bytes are no mere part of a frame of {self.announced}")


Action = Command | SendBytes | SendFragment

SAYINGS: Final = (Broadcast, Send, Relay, SendBytes, SendFragment)
"""Actions by which something comes to others."""


class Core(Protocol):
    """What a behaviour sees of the node it stands in front of."""

    @property
    def rules(self) -> Rules:
        """The chain's rules."""

    @property
    def keys(self) -> KeyPair:
        """The node's own keys."""

    @property
    def tree(self) -> BlockTree[AnyBlock, LedgerState]:
        """The blocks the node knows."""

    def handle(self, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return what the node decides."""


class Behaviour(Protocol):
    """Stands between a node's inputs and its core."""

    def react(self, core: Core, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return what should happen because of an event."""


class Honest:
    """Does what the core decides."""

    def react(self, core: Core, event: Event, now: Nanoseconds) -> Sequence[Action]:
        """Return the core's commands."""
        return core.handle(event, now)

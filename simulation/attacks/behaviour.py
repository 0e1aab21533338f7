"""What a behaviour is: it stands between a node's inputs and its core, and follows the core's answers, or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from protocol.chain import BlockTree
from protocol.crypto import KeyPair
from protocol.events import Command, Event
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


Action = Command | SendBytes


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

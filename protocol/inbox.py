"""Messages that cannot be judged yet. Bounded, and no part of a node's judged state."""

from collections import Counter
from typing import Final

import msgspec

from protocol.messages import BlockRequest, BlockResponse, HeadAnnouncement, Message, WrappedBlock
from protocol.types import PeerId
from protocol.verdicts import Wait

MAX_WAITING: Final = 4_096
"""Messages kept at most."""

MAX_WAITING_PER_PEER: Final = 1_024
"""Messages of one link kept at most, so that one peer cannot take all the room."""


_BETWEEN_TWO: Final = frozenset((HeadAnnouncement, BlockRequest, BlockResponse))


class Delivery(msgspec.Struct, frozen=True):
    """A message and where it came from."""

    peer: PeerId
    """Link it came over; the node's own name for what it sent itself."""
    message: Message
    frame: bytes
    """The bytes it came in, to relay them as they are; empty for a block that came inside a response."""

    @property
    def is_gossip(self) -> bool:
        """Whether it is for everybody; a word between two neighbours is not passed on, and may come twice."""
        return bool(self.frame) and type(self.message) not in _BETWEEN_TWO


class Inbox:
    """Deliveries by what they wait for, in order of arrival."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: dict[Wait, list[Delivery]] = {}
        self._per_peer: Counter[PeerId] = Counter()

    def __len__(self) -> int:
        """Return the number of waiting messages."""
        return self._per_peer.total()

    def has_room(self, peer: PeerId) -> bool:
        """Return whether one more message of this link can be kept."""
        return len(self) < MAX_WAITING and self._per_peer[peer] < MAX_WAITING_PER_PEER

    def put(self, wait: Wait, delivery: Delivery) -> None:
        """Keep a message."""
        self._waiting.setdefault(wait, []).append(delivery)
        self._per_peer[delivery.peer] += 1

    def holds(self, wait: Wait, delivery: Delivery) -> bool:
        """Return whether the same message already waits."""
        return any(item.message == delivery.message for item in self._waiting.get(wait, ()))

    def drop_settled(self, height: int) -> None:
        """Forget what can only be stale: messages other than blocks about heights the chain has reached."""
        for wait, waiting in list(self._waiting.items()):
            kept = [item for item in waiting if isinstance(item.message, WrappedBlock) or _height(item) > height]
            self._per_peer.subtract(item.peer for item in waiting if item not in kept)
            if kept:
                self._waiting[wait] = kept
            else:
                del self._waiting[wait]

    def take(self, wait: Wait) -> list[Delivery]:
        """Return and forget what waited for this."""
        taken = self._waiting.pop(wait, [])
        for delivery in taken:
            self._per_peer[delivery.peer] -= 1
        return taken


def _height(delivery: Delivery) -> int:
    return int(getattr(delivery.message, "height", 0))

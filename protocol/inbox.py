"""Messages that cannot be judged yet. Bounded, and no part of a node's judged state."""

from collections import Counter
from typing import Final

import msgspec

from protocol.messages import BLOCK_KIND, NEIGHBOURLY, Message
from protocol.types import PeerId
from protocol.verdicts import Wait

MAX_WAITING: Final = 1_024
"""Messages of one link kept at most; no peer can take another's room."""

MAX_WAITING_BYTES: Final = 16 << 20
"""Bytes of one link's messages kept at most."""


class Delivery(msgspec.Struct, frozen=True):
    """A message and where it came from."""

    peer: PeerId
    """Link it came over; the node's own name for what it sent itself."""
    message: Message
    frame: bytes
    """The bytes it came in, to relay them as they are; empty for a block that came inside a response."""
    key: bytes
    """What it is recognised by when it comes again: a hash of all its bytes."""
    size: int
    """Its bytes."""

    @property
    def is_gossip(self) -> bool:
        """Whether it is for everybody; a word between two neighbours is not passed on, and may come twice."""
        return bool(self.frame) and type(self.message) not in NEIGHBOURLY


class Inbox:
    """Deliveries by what they wait for, in order of arrival."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: dict[Wait, dict[bytes, Delivery]] = {}
        self._per_peer: Counter[PeerId] = Counter()
        self._bytes_per_peer: Counter[PeerId] = Counter()

    def __len__(self) -> int:
        """Return the number of waiting messages."""
        return self._per_peer.total()

    def has_room(self, delivery: Delivery) -> bool:
        """Return whether one more message of its link can be kept."""
        peer = delivery.peer
        return self._per_peer[peer] < MAX_WAITING and self._bytes_per_peer[peer] + delivery.size <= MAX_WAITING_BYTES

    def put(self, wait: Wait, delivery: Delivery) -> None:
        """Keep a message that does not wait yet."""
        self._waiting.setdefault(wait, {})[delivery.key] = delivery
        self._per_peer[delivery.peer] += 1
        self._bytes_per_peer[delivery.peer] += delivery.size

    def holds(self, wait: Wait, delivery: Delivery) -> bool:
        """Return whether the same message already waits."""
        return delivery.key in self._waiting.get(wait, {})

    def drop_settled(self, height: int) -> None:
        """Forget what can only be stale: messages other than blocks about heights the chain has reached."""
        for wait, waiting in list(self._waiting.items()):
            for key in [key for key, item in waiting.items() if _is_settled(item, height)]:
                self._forget(waiting.pop(key))
            if not waiting:
                del self._waiting[wait]

    def take(self, wait: Wait) -> list[Delivery]:
        """Return and forget what waited for this."""
        taken = list(self._waiting.pop(wait, {}).values())
        for delivery in taken:
            self._forget(delivery)
        return taken

    def _forget(self, delivery: Delivery) -> None:
        self._per_peer[delivery.peer] -= 1
        self._bytes_per_peer[delivery.peer] -= delivery.size


def _is_settled(delivery: Delivery, height: int) -> bool:
    message = delivery.message
    return message.kind != BLOCK_KIND and int(getattr(message, "height", 0)) <= height

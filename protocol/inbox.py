"""Messages that cannot be judged yet. Bounded, and no part of a node's judged state.

What waits has been found to be its author's own, who has a bond. An author has so much room in all, a link has so much,
and where a link is full the author that takes most of it makes room for others. So nobody takes another link's room,
and what an honest neighbour passes on from an attacker does not take the room of an honest author's message.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from protocol.messages import BLOCK_KIND, NEIGHBOURLY, Message
from protocol.types import AccountId, PeerId
from protocol.verdicts import Wait

MAX_WAITING: Final = 1_024
"""Messages of one link kept at most."""

MAX_WAITING_BYTES: Final = 16 << 20
"""Bytes of one link's messages kept at most."""

MAX_OF_AUTHOR: Final = 256
"""Messages of one author kept at most, over all links, but for blocks that were asked for: what an author says besides
does not keep out its blocks that others have built on."""

MAX_OF_AUTHOR_BYTES: Final = 4 << 20
"""Bytes of one author's messages kept at most, over all links."""


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
    def is_answer(self) -> bool:
        """Whether this party has asked for it: a block that came inside a response."""
        return not self.frame

    @property
    def is_gossip(self) -> bool:
        """Whether it is for everybody; a word between two neighbours is not passed on, and may come twice."""
        return bool(self.frame) and type(self.message) not in NEIGHBOURLY


@dataclass(slots=True)
class Taken:
    """How much room something takes."""

    count: int = 0
    size: int = 0

    def add(self, delivery: Delivery, times: int = 1) -> None:
        """Count a message in, or out with -1."""
        self.count += times
        self.size += times * delivery.size


class Share(Taken):
    """What one author takes of one link's room, in order of arrival."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.places: dict[tuple[Wait, bytes], None] = {}


class Inbox:
    """Deliveries by what they wait for, in order of arrival."""

    def __init__(self) -> None:
        """Start empty."""
        self._waiting: dict[Wait, dict[bytes, Delivery]] = {}
        self._of_author: dict[AccountId, Taken] = {}
        self._of_link: dict[PeerId, Taken] = {}
        self._shares: dict[PeerId, dict[AccountId, Share]] = {}

    def __len__(self) -> int:
        """Return the number of waiting messages."""
        return sum(taken.count for taken in self._of_link.values())

    def list_waits(self) -> list[tuple[Wait, Message]]:
        """Return all that is waited for, each with the message that has waited for it longest."""
        return [(wait, next(iter(waiting.values())).message) for wait, waiting in self._waiting.items()]

    def has_room(self, delivery: Delivery) -> bool:
        """Return whether one more message can be kept, perhaps in the place of others."""
        author = self._of_author.get(delivery.message.author, Taken())
        is_full = author.count >= MAX_OF_AUTHOR or author.size + delivery.size > MAX_OF_AUTHOR_BYTES
        if is_full and not delivery.is_answer:
            return False
        link = self._of_link.get(delivery.peer, Taken())
        shares = self._shares.get(delivery.peer, {})
        own = shares.get(delivery.message.author, Taken())
        lacking = Taken(link.count + 1 - MAX_WAITING, link.size + delivery.size - MAX_WAITING_BYTES)
        if lacking.count > 0:
            most = max(share.count for share in shares.values())
            if most - lacking.count < own.count + 1:
                return False
        if lacking.size > 0:
            largest = max((share.size for share in shares.values()), default=0)
            return largest - lacking.size >= own.size + delivery.size
        return True

    def put(self, wait: Wait, delivery: Delivery) -> None:
        """Keep a message that does not wait yet and for which there is room."""
        author, peer = delivery.message.author, delivery.peer
        self._make_room(delivery)
        self._waiting.setdefault(wait, {})[delivery.key] = delivery
        share = self._shares.setdefault(peer, {}).setdefault(author, Share())
        share.places[wait, delivery.key] = None
        share.add(delivery)
        self._of_link.setdefault(peer, Taken()).add(delivery)
        if not delivery.is_answer:
            self._of_author.setdefault(author, Taken()).add(delivery)

    def _make_room(self, delivery: Delivery) -> None:
        """Drop the latest messages of whoever takes most of a full link."""
        link = self._of_link.get(delivery.peer, Taken())
        shares = self._shares.get(delivery.peer, {})
        while shares and link.count >= MAX_WAITING:
            self._drop_last(max(shares.values(), key=lambda share: share.count))
        while shares and link.size + delivery.size > MAX_WAITING_BYTES:
            self._drop_last(max(shares.values(), key=lambda share: share.size))

    def _drop_last(self, share: Share) -> None:
        wait, key = next(reversed(share.places))
        waiting = self._waiting[wait]
        self._forget(wait, waiting.pop(key))
        if not waiting:
            del self._waiting[wait]

    def get_waiting(self, wait: Wait) -> tuple[Message, ...]:
        """Return what waits for something."""
        return tuple(delivery.message for delivery in self._waiting.get(wait, {}).values())

    def has_waiting(self, wait: Wait) -> bool:
        """Return whether anything waits for this."""
        return wait in self._waiting

    def holds(self, wait: Wait, delivery: Delivery) -> bool:
        """Return whether the same message already waits."""
        return delivery.key in self._waiting.get(wait, {})

    def drop_settled(self, height: int) -> None:
        """Forget what can only be stale: messages other than blocks about heights the chain has reached."""
        for wait, waiting in list(self._waiting.items()):
            for key in [key for key, item in waiting.items() if _is_settled(item, height)]:
                self._forget(wait, waiting.pop(key))
            if not waiting:
                del self._waiting[wait]

    def take(self, wait: Wait) -> list[Delivery]:
        """Return and forget what waited for this."""
        taken = list(self._waiting.pop(wait, {}).values())
        for delivery in taken:
            self._forget(wait, delivery)
        return taken

    def _forget(self, wait: Wait, delivery: Delivery) -> None:
        author, peer = delivery.message.author, delivery.peer
        share = self._shares[peer][author]
        del share.places[wait, delivery.key]
        share.add(delivery, -1)
        self._of_link[peer].add(delivery, -1)
        if not share.count:
            del self._shares[peer][author]
        if delivery.is_answer:
            return
        self._of_author[author].add(delivery, -1)
        if not self._of_author[author].count:
            del self._of_author[author]


def _is_settled(delivery: Delivery, height: int) -> bool:
    message = delivery.message
    return message.kind != BLOCK_KIND and int(getattr(message, "height", 0)) <= height

"""What honest parties have said in a run, and the values that stood in it: what hostile frames are made of."""

from collections import defaultdict, deque
from collections.abc import Sequence
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from protocol.codec import DecodeError
from protocol.messages import Message
from protocol.rules import Rules

KEPT: Final = 128
"""Examples kept of each kind at most; a younger one takes the place of any."""

LATEST: Final = 16
"""Frames that count as the latest ones."""

MessageT = TypeVar("MessageT", bound=Message)


class Seen:
    """A collection of messages, values of their fields, and hashes that others may refer to."""

    def __init__(self, rng: Random, rules: Rules, named: tuple[type[Message], ...]) -> None:
        """Start with nothing.

        Args:
            rng: Owner of all draws.
            rules: The chain's rules.
            named: Types of messages that others refer to by their hash.
        """
        self.height = 1
        """Height that the victim works on; most messages are taken from there."""
        self.messages: Final[dict[type[Message], list[Message]]] = {}
        self.values: Final[defaultdict[tuple[type, str], list[object]]] = defaultdict(list)
        """What stood in each field of each type."""
        self.places: Final[list[tuple[bytes, int]]] = [(rules.chain_id, 0)]
        """Hashes and heights of blocks."""
        self.hashes: Final[list[bytes]] = [rules.chain_id]
        self.descendants: Final[list[Message]] = []
        """Changed messages, to be changed again."""
        self._rng = rng
        self._rules = rules
        self._named = named
        self._known: dict[bytes, Message] = {}
        self._latest: deque[Message] = deque(maxlen=LATEST)

    def learn(self, frame: bytes) -> None:
        """Add a frame that a node or a user has sent."""
        message = self._known.get(frame)
        if message is None:
            try:
                message = self._known[frame] = self._rules.decode(frame)
            except DecodeError:
                return  # a broken node may pass on anything
            self.messages.setdefault(type(message), []).append(message)
            self._collect(message)
        self._latest.append(message)

    def _collect(self, record: msgspec.Struct) -> None:
        """Keep the values of every field, however deep, and the hashes that others may refer to."""
        if isinstance(record, self._named):
            record_hash = self._rules.hash_message(record)
            self.keep(self.hashes, record_hash)
            if isinstance(record, self._rules.mechanism.block):
                self.keep(self.places, (record_hash, record.height))
        for name in record.__struct_fields__:
            value = getattr(record, name)
            self.keep(self.values[type(record), name], value)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, msgspec.Struct):
                    self._collect(item)

    def add_descendant(self, changed: Message) -> None:
        """Keep a changed message, and now and then its hash."""
        self.keep(self.descendants, changed)
        is_named = isinstance(changed, self._named) and isinstance(changed.naming, Message)
        if is_named and self._rng.random() < 0.5:
            self.keep(self.hashes, self._rules.hash_message(changed))

    def keep(self, bucket: list[Any], value: object) -> None:
        """Add a value to a bucket, in the place of another one where that is full."""
        if len(bucket) < KEPT:
            bucket.append(value)
        else:
            bucket[self._rng.randrange(KEPT)] = value

    def pick(self) -> Message:
        """Return a message, most often an honest one of the height the victim works on."""
        draw = self._rng.random()
        if self.descendants and draw < 0.1:
            return self._rng.choice(self.descendants)
        if draw < 0.3:
            return self._rng.choice(self._latest)
        kinds = list(self.messages)
        choices = self.messages[self._rng.choices(kinds, [3 if hasattr(kind, "parent") else 1 for kind in kinds])[0]]
        message = self._rng.choice(choices)
        for _ in range(4):
            if getattr(message, "height", self.height) == self.height:
                break
            message = self._rng.choice(choices)
        return message

    def pick_on_parent(self) -> Message:
        """Return an honest message that names a parent, if there is one."""
        kinds = [kind for kind in self.messages if hasattr(kind, "parent")] or list(self.messages)
        return self._rng.choice(self.messages[self._rng.choice(kinds)])

    def find(self, kind: type[MessageT]) -> Sequence[MessageT]:
        """Return the honest messages of a type, or of one that is made of it."""
        return [item for known in self.messages.values() for item in known if isinstance(item, kind)]

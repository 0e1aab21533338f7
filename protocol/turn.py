"""One call of a participant, and what it remembers from one call to the next within bounds."""

from typing import Final, TypeVar

from protocol.events import Command
from protocol.inbox import Delivery
from protocol.types import Nanoseconds, PeerId

SELF: Final[PeerId] = ""
"""Link name of what a participant sent itself."""

MAX_REMEMBERED: Final = 16_384
"""Frames and refusals remembered at most; older ones are judged again."""

KeyT = TypeVar("KeyT")


class RecentSet(dict[KeyT, None]):
    """A set that forgets its oldest member when it is full."""

    def remember(self, key: KeyT) -> None:
        """Add a member."""
        self[key] = None
        if len(self) > MAX_REMEMBERED:
            del self[next(iter(self))]


class Turn:
    """One call of `handle`: the time, the commands so far and the messages still to be judged in it."""

    __slots__ = ("add", "commands", "now", "pending")

    def __init__(self, now: Nanoseconds) -> None:
        """Begin with nothing to do."""
        self.now = now
        self.commands: list[Command] = []
        self.add = self.commands.append
        """Adds a command to the answer."""
        self.pending: list[Delivery] = []

"""What a node does with its core's answers: follow them, or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from protocol.codec import MAX_FRAME_BYTES, encode_frame
from protocol.crypto import KeyPair
from protocol.events import Broadcast, Command, Event, MessageReceived, Relay, Send
from protocol.messages import UNSIGNED, Message, Transaction
from protocol.types import Nanoseconds
from protocol.validation import Rules


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send bytes of an attacker's own making to every neighbour."""

    frame: bytes
    label: str
    """What the bytes are meant to be, for the log."""


Action = Command | SendBytes


class Core(Protocol):
    """What a behaviour sees of the node it stands in front of."""

    rules: Rules
    keys: KeyPair

    def handle(self, event: Event, now: Nanoseconds) -> list[Command]:
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


class Silent:
    """Goal: hold up the network by never answering.

    It knows what any node knows. It trains and keeps its chain, but sends nothing, so its declarations are missing and
    headers that drew it as a stakeholder die. Expected: blocks take more slots; no wrong block appears.
    """

    def react(self, core: Core, event: Event, now: Nanoseconds) -> list[Action]:
        """Return the core's commands without those that send."""
        return [command for command in core.handle(event, now) if not isinstance(command, Broadcast | Send | Relay)]


class Garbage:
    """Goal: crash or confuse others with bytes no honest node sends.

    It knows what any node knows. It runs an honest core and, after each message of its own, sends one bad frame in
    turn: random bytes, a truncated frame, an oversized one, a wrong signature, a frame heard before. Expected: each is
    refused with its reason and counted against it; nobody's state changes.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        """Take the generator that the random bytes come from."""
        self._rng = generator
        self._heard: bytes = b""
        self._turn = 0
        self._makers: Final[tuple[Callable[[Core, bytes], SendBytes], ...]] = (
            self._make_random,
            self._make_truncated,
            self._make_unsigned,
            self._make_replay,
            self._make_oversized,
        )

    def react(self, core: Core, event: Event, now: Nanoseconds) -> list[Action]:
        """Return the core's commands and a bad frame for each message among them."""
        if isinstance(event, MessageReceived):
            self._heard = event.frame
        actions: list[Action] = []
        for command in core.handle(event, now):
            actions.append(command)
            if isinstance(command, Broadcast):
                frame = encode_frame(core.rules.chain_id, command.message)
                actions.append(self._makers[self._turn % len(self._makers)](core, frame))
                self._turn += 1
        return actions

    def _make_random(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(self._rng.bytes(int(self._rng.integers(1, 200))), "random")

    def _make_truncated(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(frame[: int(self._rng.integers(1, len(frame)))], "truncated")

    def _make_unsigned(self, core: Core, frame: bytes) -> SendBytes:
        message: Message = Transaction(
            author=core.keys.public, nonce=0, recipient=core.keys.public, amount=1, fee=0, signature=UNSIGNED
        )
        return SendBytes(encode_frame(core.rules.chain_id, message), "unsigned")

    def _make_replay(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(self._heard or frame, "replayed")

    def _make_oversized(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(bytes(MAX_FRAME_BYTES + 1), "oversized")


def build_behaviour(role: str, generator: np.random.Generator) -> Behaviour:
    """Return the behaviour of a population's role; a data injector is an honest node with other data."""
    if role == "silent":
        return Silent()
    return Garbage(generator) if role == "garbage" else Honest()

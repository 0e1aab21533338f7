"""Adversaries that say nothing, too much, or nonsense."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from protocol.codec import MAX_FRAME_BYTES, encode_frame
from protocol.events import Broadcast, Event, MessageReceived, Relay, Send
from protocol.messages import UNSIGNED, BlockResponse, LateBlock, Message, Transaction
from protocol.types import AccountId, Nanoseconds
from simulation.attacks.behaviour import SAYINGS, Action, Core, SendBytes
from simulation.attacks.coalition import Coalition
from simulation.attacks.junk import MakeJunk, make_idle_block
from simulation.attacks.layers import Adversary, list_victims, read_message
from simulation.attacks.traits import Parameters, Traits
from simulation.foundation import find_part

MAX_HEARD: Final = 200
"""Frames that a replayer keeps, and transfers that a forger remembers."""


class Silent(Adversary):
    """Goal: hold up the network by never answering.

    It knows what any node knows. It trains and keeps its chain, but sends nothing, so its declarations are missing and
    headers that drew it as a stakeholder die. Expected: blocks take more slots; no wrong block appears.
    """

    kind = "silent"
    does = "sends nothing"
    expected = "headers that drew it die; blocks take more slots"
    traits = Traits(passes_on=False, does_its_part=False, may_jam=False, is_mute=True, is_role=True)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Drop what would be sent."""
        return () if isinstance(action, SAYINGS) else (action,)


class Garbage(Adversary):
    """Goal: crash or confuse others with bytes no honest node sends.

    It knows what any node knows. It runs an honest core and, after each message of its own, sends one bad frame in
    turn: random bytes, a truncated frame, an oversized one, a wrong signature, a frame heard before. Expected: each is
    refused with its reason and counted against it; nobody's state changes.
    """

    kind = "garbage"
    does = "sends random, truncated, unsigned, replayed and oversized frames besides"
    expected = "each is refused with its reason"
    traits = Traits(passes_on=True, does_its_part=True, is_role=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with random bytes."""
        super().__init__(generator, coalition)
        self._heard = b""
        self._turn = 0
        self._makers: Final[tuple[Callable[[Core, bytes], SendBytes], ...]] = (
            self._make_random,
            self._make_truncated,
            self._make_unsigned,
            self._make_replay,
            self._make_oversized,
        )

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Keep the last frame heard."""
        if isinstance(event, MessageReceived):
            self._heard = event.frame
        return (event,)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add a bad frame to each message."""
        yield action
        if isinstance(action, Broadcast):
            frame = encode_frame(core.rules.chain_id, action.message)
            yield self._makers[self._turn % len(self._makers)](core, frame)
            self._turn += 1

    def _make_random(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(self.rng.bytes(int(self.rng.integers(1, 200))), "random")

    def _make_truncated(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(frame[: int(self.rng.integers(1, len(frame)))], "truncated")

    def _make_unsigned(self, core: Core, frame: bytes) -> SendBytes:
        message: Message = Transaction(
            author=core.keys.public, nonce=0, recipient=core.keys.public, amount=1, fee=0, signature=UNSIGNED
        )
        return SendBytes(encode_frame(core.rules.chain_id, message), "unsigned")

    def _make_replay(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(self._heard or frame, "replayed")

    def _make_oversized(self, core: Core, frame: bytes) -> SendBytes:
        return SendBytes(bytes(MAX_FRAME_BYTES + 1), "oversized")


class Replayer(Adversary):
    """Goal: have old messages counted again.

    It knows what any node knows. After each message of its own it sends a frame again that it heard before, from any
    round. Expected: duplicates are dropped unread, and what belongs to rounds gone by is stale; nothing changes.
    """

    kind = "replayer"
    does = "sends old frames again"
    expected = "dropped as duplicates, or stale"
    traits = Traits(passes_on=True, does_its_part=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing heard."""
        super().__init__(generator, coalition)
        self._heard: deque[bytes] = deque(maxlen=MAX_HEARD)

    def hear(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Event]:
        """Keep what is heard."""
        if isinstance(event, MessageReceived):
            self._heard.append(event.frame)
        return (event,)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add an old frame to each message."""
        yield action
        if isinstance(action, Broadcast) and self._heard:
            yield SendBytes(self._heard[int(self.rng.integers(len(self._heard)))], "replayed")


class FlooderParameters(Parameters, frozen=True, kw_only=True):
    """What a flooder is told."""

    rate: Annotated[
        int, Meta(ge=1, le=10_000, description="junk for each message of its own", extra={"unit": "frames"})
    ] = 10


class Flooder(Adversary):
    """Goal: keep others busy, and their inboxes full.

    It knows what any node knows. With each message of its own it sends many well-signed ones that say something random:
    what its mechanism has for that, such as declarations, or blocks on the head that prove nothing. Expected: each is
    refused at its first check that fails, most often what gives a right to speak (`lottery-lost`, `bad-work`); who
    cannot judge one yet keeps so many of a link and no more (`inbox-full`), and blocks go on.
    """

    kind = "flooder"
    does = "sends many well-signed messages that say nothing: declarations, or blocks that prove nothing"
    expected = "each is refused at its first failing check"
    traits = Traits(passes_on=True, does_its_part=True)
    parameters = FlooderParameters
    drawn = (FlooderParameters(rate=3),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, rate: int) -> None:
        """Take how many frames go with each message of its own."""
        super().__init__(generator, coalition)
        self._rate = rate

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add junk to each message."""
        yield action
        if isinstance(action, Broadcast):
            for _ in range(self._rate):
                junk = self._make_junk(core, now)
                if junk is not None:
                    signed = core.keys.sign(core.rules.chain_id, junk)
                    yield SendBytes(encode_frame(core.rules.chain_id, signed), "flood")

    def _make_junk(self, core: Core, now: Nanoseconds) -> Message | None:
        make: MakeJunk = find_part(core.rules.mechanism.name, "junk") or make_idle_block
        return make(core, self.rng, now)


class Forger(Adversary):
    """Goal: speak in another's name, and have others' payments for itself.

    It knows what any node knows. Each message of its own it sends again as if another owner of a bond, or whoever else
    takes part where there are none, had written it, and each transfer it hears with itself as the recipient. Expected:
    `bad-signature`, charged to the link it came over.
    """

    kind = "forger"
    does = "sends its messages again under others' names, and users' transfers with itself as the recipient"
    expected = "`bad-signature`, charged to the link"
    traits = Traits(passes_on=True, does_its_part=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with no transfer heard."""
        super().__init__(generator, coalition)
        self._redirected: deque[tuple[AccountId, int]] = deque(maxlen=MAX_HEARD)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add each message under another's name."""
        yield action
        if isinstance(action, Broadcast):
            others = list_victims(core)
            if others:
                victim = others[int(self.rng.integers(len(others)))]
                forged = msgspec.structs.replace(action.message, author=victim)
                yield SendBytes(encode_frame(core.rules.chain_id, forged), "forged")

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Send another's transfer again, with itself as the recipient; what another forger has made is of no use."""
        message = read_message(core, event)
        if not isinstance(message, Transaction) or (message.author, message.nonce) in self._redirected:
            return
        if not core.rules.is_signed(message):
            return
        self._redirected.append((message.author, message.nonce))
        forged = msgspec.structs.replace(message, recipient=core.keys.public)
        yield SendBytes(encode_frame(core.rules.chain_id, forged), "forged")


class Partitioner(Adversary):
    """Goal: cut the network where it is the only way.

    It knows what any node knows. It passes nothing on and answers no request for blocks. Expected: no effect where any
    honest path is left; where it is the only path, the two sides grow apart until another path opens.
    """

    kind = "partitioner"
    does = "passes nothing on, answers no request"
    expected = "none while another path is left"
    traits = Traits(passes_on=False, does_its_part=False)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Drop what others would hear through it."""
        if isinstance(action, Relay):
            return ()
        message = action.message if isinstance(action, Broadcast | Send) else None
        carries_others = isinstance(message, BlockResponse | LateBlock)
        is_own = message is None or message.author == core.keys.public
        return (action,) if is_own and not carries_others else ()

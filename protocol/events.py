"""Everything that goes into a participant, and everything that comes out."""

from enum import Enum

import msgspec

from protocol.chain import HeadChange
from protocol.ledger import LedgerState
from protocol.messages import Message, WrappedBlock
from protocol.phases import Phase
from protocol.training import TrainingResult
from protocol.types import AccountId, Hash32, Nanoseconds, PeerId
from protocol.validation import PoTRecord
from protocol.verdicts import Verdict


class TimerKind(Enum):
    """What a timer is for."""

    DECLARE = "declare"
    PROPOSE = "propose"
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


class TrainingFinished(msgspec.Struct, frozen=True):
    """The trainer has finished a stage."""

    result: TrainingResult
    base: bytes = b""
    """The base that `StartTraining` named."""


class WeightsCompared(msgspec.Struct, frozen=True):
    """Two sets of weights have been held against each other, as `CompareWeights` asked."""

    own: Hash32
    other: Hash32
    distance: int | None
    """Largest absolute difference of two weights in the same place, in parts per billion, rounded up; None where there
    is none: the other weights are not to be had, have not the shapes of one's own, or are not all finite numbers."""


Event = Started | MessageReceived | TimerFired | TrainingFinished | WeightsCompared


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


class StartTraining(msgspec.Struct, frozen=True):
    """Train a stage, starting from the weights after the stage before it."""

    stage: int
    base: bytes = b""
    """Digest of the weights to start from; empty for the trainer's own, or the public initial ones."""


class CompareWeights(msgspec.Struct, frozen=True):
    """Find out how far others' weights lie from one's own, and report it with `WeightsCompared`."""

    own: Hash32
    other: Hash32


# ---- commands: what the driver should record ----


class Judged(msgspec.Struct, frozen=True):
    """A message was accepted, ignored, rejected or put aside."""

    peer: PeerId
    verdict: Verdict
    kind: str
    """Type of the message; ``frame`` where the bytes are no message."""
    height: int | None = None
    author: AccountId | None = None
    header: Hash32 | None = None
    """Header that a header, a stakeholder's signature or a block is about."""
    block: Hash32 | None = None
    """Hash of a block."""


class BlockAppended(msgspec.Struct, frozen=True):
    """A block was found valid and stored."""

    record: PoTRecord
    change: HeadChange[WrappedBlock, LedgerState] | None
    """How the head moved; None when the block lies on a branch that is not the heaviest."""


class PhaseChanged(msgspec.Struct, frozen=True):
    """The node has entered a phase of the round on its head."""

    phase: Phase
    height: int


class LotteryWon(msgspec.Struct, frozen=True):
    """The node has won the right to declare or propose in a slot. Its own business until it speaks."""

    role: TimerKind
    height: int
    slot: int


class SecretKnown(msgspec.Struct, frozen=True):
    """The node has worked out its training secret on a parent. Its own business until the header shows it."""

    height: int
    parent: Hash32
    secret: Hash32
    weights_digest: Hash32


Command = (
    Broadcast
    | Send
    | Relay
    | SetTimer
    | StartTraining
    | CompareWeights
    | Judged
    | BlockAppended
    | PhaseChanged
    | LotteryWon
    | SecretKnown
)

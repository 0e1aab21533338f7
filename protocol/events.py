"""Everything that goes into a participant, and everything that comes out."""

from dataclasses import dataclass
from enum import Enum

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


@dataclass(frozen=True, slots=True)
class Timer:
    """A wake-up call; one that has lost its purpose when it rings is harmless."""

    kind: TimerKind
    slot: int
    """Slot it rings in."""
    parent: Hash32 = b""
    """Head it was set for; empty where that does not matter."""


# ---- events ----


@dataclass(frozen=True, slots=True)
class Started:
    """The clock runs and the links are up."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A frame came in over a link."""

    peer: PeerId
    frame: bytes


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer rings."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class TrainingFinished:
    """The trainer has finished a stage."""

    result: TrainingResult


Event = Started | MessageReceived | TimerFired | TrainingFinished


# ---- commands: what the driver must do ----


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send a message of this participant's own to every neighbour."""

    message: Message


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one neighbour."""

    peer: PeerId
    message: Message


@dataclass(frozen=True, slots=True)
class Relay:
    """Pass an accepted frame on, unchanged, to every neighbour but the one it came from."""

    frame: bytes
    source: PeerId


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ring at a time; a time that has passed means now."""

    timer: Timer
    at: Nanoseconds


@dataclass(frozen=True, slots=True)
class StartTraining:
    """Train a stage, starting from the weights after the stage before it."""

    stage: int


# ---- commands: what the driver should record ----


@dataclass(frozen=True, slots=True)
class Judged:
    """A message was accepted, ignored, rejected or put aside."""

    peer: PeerId
    verdict: Verdict
    kind: str
    """Type of the message; ``frame`` where the bytes are no message."""
    height: int | None = None
    author: AccountId | None = None


@dataclass(frozen=True, slots=True)
class BlockAppended:
    """A block was found valid and stored."""

    record: PoTRecord
    change: HeadChange[WrappedBlock, LedgerState] | None
    """How the head moved; None when the block lies on a branch that is not the heaviest."""


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The node has entered a phase of the round on its head."""

    phase: Phase
    height: int


@dataclass(frozen=True, slots=True)
class LotteryWon:
    """The node has won the right to declare or propose in a slot. Its own business until it speaks."""

    role: TimerKind
    height: int
    slot: int


@dataclass(frozen=True, slots=True)
class SecretKnown:
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
    | Judged
    | BlockAppended
    | PhaseChanged
    | LotteryWon
    | SecretKnown
)

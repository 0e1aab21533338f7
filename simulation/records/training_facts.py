"""What may happen in a run by proof of training: training, comparing, the round, the employer's measurements."""

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from simulation.records.fact import Count, CpuSeconds, Fact, Height, Number, Share, register_facts, register_parts
from simulation.records.lines import DEBUG, INFO, WARNING
from simulation.records.message_facts import Appended, BlockPart, Counted, CountedPart

_NODE: Final = "a node"
_EMPLOYER: Final = "the employer"

NoNumber = Annotated[str, Meta(pattern=r"\A(nan|-?inf)\Z")]
_SHARE: Final = r"\d(\.\d+)?"
Recalls = Annotated[str, Meta(pattern=rf"\A({_SHARE}( {_SHARE})*)?\Z", extra={"unit": "shares"})]

# ---- training ----


class Unpoisoned(Fact, frozen=True):
    """The node's poison has left all its data as they were: what it trains on is clean, whatever its role says."""

    event: ClassVar[str] = "unpoisoned"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _NODE

    poison: str
    """Kind of the poison."""


class TrainingBegun(Fact, frozen=True, kw_only=True):
    """The node begins to train a stage."""

    event: ClassVar[str] = "training"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    stage: Count
    """Number of the stage, from 0."""
    base: str | None = None
    """Short digest of the weights it starts from; left out where they are the node's own after the stage before."""


class Trained(Fact, frozen=True, kw_only=True):
    """The node has trained a stage."""

    event: ClassVar[str] = "trained"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    stage: Count
    """Number of the stage, from 0."""
    weights: str
    """Short digest of the weights it got."""
    steps: Count
    """Steps of the optimizer."""
    loss: Number | NoNumber
    """Mean over the steps; `nan`, `inf` or `-inf` as text where training went wrong."""
    losses: str
    """Some steps' losses, evenly spaced, with spaces between them."""
    data: str
    """`clean`, or `poisoned` where the node trains on altered data or does not train as agreed."""
    cpu_s: CpuSeconds
    """Processor time it took; simulated with the virtual engine."""


class Compared(Fact, frozen=True, kw_only=True):
    """The node held others' weights against its own; only where the chain has a tolerance."""

    event: ClassVar[str] = "compared"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    weights: str
    """Short digest of the others' weights."""
    own: str
    """Short digest of its own."""
    distance: Number | None
    """Largest difference between two weights in the same place; null where the weights do not fit."""
    within: bool
    """Whether it lies within the tolerance."""


# ---- the round ----


class PhaseEntered(Fact, frozen=True, kw_only=True):
    """The node has entered a phase of the round on its head."""

    event: ClassVar[str] = "phase"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    phase: str
    """`training`, `declaring` or another phase of docs/protocol.md."""
    height: Height
    """Height of the block that the round is about."""


class RightWon(Fact, frozen=True, kw_only=True):
    """The node has won a right in the lottery."""

    event: ClassVar[str] = "won"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    right: str
    """`declare` or `propose`."""
    height: Height
    """Height of the block that the right is about."""
    slot: Count
    """Slot of the right."""


class SecretFound(Fact, frozen=True, kw_only=True):
    """The node has worked out its training secret."""

    event: ClassVar[str] = "secret"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _NODE

    height: Height
    """Height of the block that the secret is for."""
    parent: str
    """Short hash of the block before it."""
    secret: str
    """The whole secret, in hex."""
    weights: str
    """Short digest of the weights it stands for."""


# ---- the employer ----


class Evaluated(Fact, frozen=True, kw_only=True):
    """The employer measured the model of a block."""

    event: ClassVar[str] = "evaluated"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _EMPLOYER

    height: Height
    """Height of the block."""
    block: str
    """Short hash of the block."""
    accuracy: Share
    """Share of the test images that the model gets right."""
    trigger_success: Share
    """Share of the test images with a backdoor's trigger that the model takes for the trigger's class."""
    recalls: Recalls
    """Share that the model gets right of each class, with spaces between them."""

    def list_recalls(self) -> list[float]:
        """Return the share of each class."""
        return [float(part) for part in self.recalls.split()]


class Unevaluated(Fact, frozen=True, kw_only=True):
    """The employer could not measure the model of a block."""

    event: ClassVar[str] = "unevaluated"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _EMPLOYER

    height: Height
    """Height of the block."""
    why: str
    """Why, in words."""


class Diverged(Fact, frozen=True, kw_only=True):
    """The model of a block is not finite, and that of the block before it was: training has gone wrong."""

    event: ClassVar[str] = "diverged"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _EMPLOYER

    stage: Count
    """Number of the stage that gave it, from 0."""
    height: Height
    """Height of the block."""
    block: str
    """Short hash of the block."""


class Unsaved(Fact, frozen=True):
    """The employer could not write its model."""

    event: ClassVar[str] = "unsaved"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _EMPLOYER

    why: str
    """Why, in words."""


# ---- parts of core facts ----


class TrainingBlock(BlockPart, frozen=True, kw_only=True):
    """What proof of training has to say of a block."""

    weights: str
    """Short digest of the weights that the block attests."""
    proposer: str
    """Label of the header's author, or its short key where that is of no party."""
    wrapper: str
    """Label of the block's author, or its short key where that is of no party."""
    declarations: Count
    """Declarations in the header."""

    mechanism: ClassVar[str | None] = "proof_of_training"

    def describe_makers(self) -> str:
        """Return who has proposed it, and who has wrapped it."""
        return f"proposed by {self.proposer}, wrapped by {self.wrapper}"


class ComparedCount(CountedPart, frozen=True, tag_field="what", tag="compared"):
    """Comparisons of weights."""

    within: bool
    """Whether the distance lay within the tolerance."""
    honest: bool
    """Whether honest nodes compared."""


class TrainedCount(CountedPart, frozen=True, tag_field="what", tag="trained"):
    """Trained stages."""

    weights: str
    """Short digest of the weights they gave."""
    data: str
    """`clean` or `poisoned`, as of one trained stage."""


register_facts(Unpoisoned, TrainingBegun, Trained, Compared, PhaseEntered, RightWon, SecretFound)
register_facts(Evaluated, Unevaluated, Diverged, Unsaved)
register_parts(Appended, TrainingBlock)
register_parts(Counted, ComparedCount, TrainedCount)

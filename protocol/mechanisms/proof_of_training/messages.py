"""The messages of proof of training: declarations, headers, stakeholders' signatures and whole blocks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    LateBlock,
    Message,
    Payout,
    Transaction,
)
from protocol.types import AccountId, Hash32, Height, Signature, Slot


class TrainingDeclaration(Message, frozen=True, kw_only=True, tag="declaration"):
    """Commitment to a finished training stage, sent before the secret is shown."""

    kind: ClassVar[str] = "declaration"

    height: Height
    """Height of the block this training is for; it is stage ``height - 1``."""
    parent: Hash32
    """Block whose agreed weights the training started from."""
    slot: Slot
    """Slot in which the author won the right to declare."""
    author: AccountId
    """Node that trained."""
    weights_digest: Hash32
    """Digest of the weights after the stage."""
    profile: str
    """Arithmetic profile the author trained under; equal results need equal profiles."""
    commitment: Signature
    """Author's signature over the training secret, under its own domain."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class BlockHeader(Message, frozen=True, kw_only=True, tag="header"):
    """Proposal of a block: reveals the training secret that the declarations committed to."""

    kind: ClassVar[str] = "header"

    height: Height
    """Height of the proposed block."""
    parent: Hash32
    """Block it builds on."""
    slot: Slot
    """Slot in which the author won the right to propose."""
    author: AccountId
    """Node that proposes."""
    weights_digest: Hash32
    """Digest of the weights after the stage."""
    training_secret: Hash32
    """The secret that every included declaration committed to."""
    declarations: tuple[TrainingDeclaration, ...]
    """Declarations that agree with the author's own training, by ascending author."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class StakeholderSignature(Message, frozen=True, kw_only=True, tag="stakeholder"):
    """One chosen stakeholder's word that a header agrees with its own training."""

    kind: ClassVar[str] = "stakeholder"

    height: Height
    """Height of the header."""
    parent: Hash32
    """Parent of the header."""
    header: Hash32
    """Hash of the header that is signed."""
    author: AccountId
    """Stakeholder that signs."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class WrappedBlock(AnyBlock, frozen=True, kw_only=True, tag="block"):
    """A header with its stakeholders' signatures, the transactions and the coinbase: a whole block."""

    kind: ClassVar[str] = BLOCK_KIND

    header: BlockHeader
    """The proposal."""
    signatures: tuple[StakeholderSignature, ...]
    """Signatures of the first K-1 chosen stakeholders, in the order of the draw."""
    transactions: tuple[Transaction, ...]
    """Transfers, in the order they are applied."""
    coinbase: tuple[Payout, ...]
    """Subsidy and fees, by ascending account."""
    author: AccountId
    """The K-th chosen stakeholder, who wraps the block."""
    signature: Signature = UNSIGNED
    """Author's signature."""

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.header.height

    @property
    def parent(self) -> bytes:
        """Hash of the block below."""
        return self.header.parent

    @property
    def slot(self) -> int:
        """Slot of the header."""
        return self.header.slot


class TrainedHeader(BlockHeader, frozen=True, kw_only=True, tag="header"):
    """A proposal under version 2 of the rules: it commits to the transfers, so that nothing is left to choose after it.

    Its hash is the name of the block that is made of it.
    """

    detached: ClassVar[Mapping[str, object]] = MappingProxyType({"transactions": ()})

    body: Hash32
    """Digest of the transfers."""
    transactions: tuple[Transaction, ...] = ()
    """Transfers, in the order they are applied; none in the header of a block, which has them itself."""


class TrainedSignature(StakeholderSignature, frozen=True, kw_only=True, tag="stakeholder"):
    """A stakeholder's word under version 2 of the rules: it shows that the stakeholder has trained."""

    training_secret: Hash32
    """The author's own secret on the parent; zeros where secrets are shared."""


class TrainedBlock(WrappedBlock, frozen=True, kw_only=True, tag="block"):
    """A block under version 2 of the rules: those who sign it and who wraps it show that they have trained.

    It is named by its header, whoever signs and wraps it how often. Its wrapper does not sign the transfers, to which
    the header commits, so the proof can be shown without them.
    """

    detached: ClassVar[Mapping[str, object]] = MappingProxyType({"transactions": ()})

    header: TrainedHeader
    """The proposal, without the transfers."""
    signatures: tuple[TrainedSignature, ...]
    """Signatures of the first K-1 chosen stakeholders, in the order of the draw."""
    training_secret: Hash32
    """The wrapper's own secret on the parent; zeros where secrets are shared."""

    @property
    def naming(self) -> TrainedHeader:
        """The header: its hash is the block's."""
        return self.header


MESSAGES: Final = (
    Transaction,
    TrainingDeclaration,
    BlockHeader,
    StakeholderSignature,
    WrappedBlock,
    HeadAnnouncement,
    BlockRequest,
    BlockResponse[WrappedBlock],
)
"""Types of all messages of a chain of version 1 of the rules."""

TRAINED_MESSAGES: Final = (
    Transaction,
    TrainingDeclaration,
    TrainedHeader,
    TrainedSignature,
    TrainedBlock,
    HeadAnnouncement,
    BlockRequest,
    BlockResponse[TrainedBlock],
    LateBlock[TrainedBlock],
)
"""Types of all messages of a chain of version 2 of the rules."""

MESSAGE_KINDS: Final = tuple(message.kind for message in MESSAGES)
"""Names of the message types, as logs and summaries show them."""

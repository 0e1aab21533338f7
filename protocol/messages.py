"""Everything that travels between parties, as frozen records whose fields explain themselves.

A message is data: it has no behaviour, no clock and no reference to a live object. Its last field is always the
sender's signature over the canonical bytes of the same message with that field zeroed (`protocol.crypto`).
"""

from typing import ClassVar, Final

import msgspec

from protocol.types import SIGNATURE_BYTES, AccountId, Hash32, Height, MicroCoins, Nonce, Signature, Slot

UNSIGNED: Final = bytes(SIGNATURE_BYTES)
"""Stands in a message's signature field while the signature is made."""


class _Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A struct whose canonical bytes are one array of its fields in order."""


class Transaction(_Record, frozen=True, kw_only=True, tag="transaction"):
    """A transfer of liquid coins between two accounts."""

    kind: ClassVar[str] = "transaction"

    author: AccountId
    """Account that pays, and signs."""
    nonce: Nonce
    """Transfers the author made before this one; each number is used once, in order."""
    recipient: AccountId
    """Account that is paid."""
    amount: MicroCoins
    """Micro-coins moved to the recipient."""
    fee: MicroCoins
    """Micro-coins paid to whoever wraps the transaction into a block."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class TrainingDeclaration(_Record, frozen=True, kw_only=True, tag="declaration"):
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


class BlockHeader(_Record, frozen=True, kw_only=True, tag="header"):
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


class StakeholderSignature(_Record, frozen=True, kw_only=True, tag="stakeholder"):
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


class Payout(_Record, frozen=True, kw_only=True):
    """One line of a coinbase."""

    account: AccountId
    """Account that is paid."""
    amount: MicroCoins
    """Micro-coins it gets."""


class WrappedBlock(_Record, frozen=True, kw_only=True, tag="block"):
    """A header with its stakeholders' signatures, the transactions and the coinbase: a whole block."""

    kind: ClassVar[str] = "block"

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


class HeadAnnouncement(_Record, frozen=True, kw_only=True, tag="head"):
    """A node's word about its own head; lets a neighbour notice that it misses blocks."""

    kind: ClassVar[str] = "head"

    height: Height
    """Height of the sender's head."""
    head: Hash32
    """Hash of the sender's head."""
    author: AccountId
    """Node that speaks."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class BlockRequest(_Record, frozen=True, kw_only=True, tag="request"):
    """Asks one neighbour for the blocks after the last one both have."""

    kind: ClassVar[str] = "request"

    locator: tuple[Hash32, ...]
    """Hashes of the sender's own chain from its head down, ever sparser, ending with the genesis."""
    author: AccountId
    """Party that asks."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class BlockResponse(_Record, frozen=True, kw_only=True, tag="response"):
    """Answers a request with consecutive blocks of the answering node's chain."""

    kind: ClassVar[str] = "response"

    blocks: tuple[WrappedBlock, ...]
    """Blocks after the last common one, lowest first; as many as fit, perhaps none."""
    author: AccountId
    """Node that answers."""
    signature: Signature = UNSIGNED
    """Author's signature."""


Message = (
    Transaction
    | TrainingDeclaration
    | BlockHeader
    | StakeholderSignature
    | WrappedBlock
    | HeadAnnouncement
    | BlockRequest
    | BlockResponse
)
"""Any message; the decoder tells them apart by their tag."""

MESSAGE_KINDS: Final = tuple(
    message.kind
    for message in (
        Transaction,
        TrainingDeclaration,
        BlockHeader,
        StakeholderSignature,
        WrappedBlock,
        HeadAnnouncement,
        BlockRequest,
        BlockResponse,
    )
)
"""Names of the message types, as logs and summaries show them."""

"""What travels between parties on every chain, as frozen records whose fields explain themselves.

A message is data: it has no behaviour, no clock and no reference to a live object. Its last field is always the
sender's signature over the canonical bytes of the same message with that field zeroed (`protocol.crypto`). A mechanism
adds its own messages, one of which is its block.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

import msgspec

from protocol.types import SIGNATURE_BYTES, AccountId, Hash32, Height, MicroCoins, Nonce, SealedSignature, Signature

UNSIGNED: Final = bytes(SIGNATURE_BYTES)
"""Stands in a message's signature field while the signature is made."""

BLOCK_KIND: Final = "block"
"""Kind of the block of every mechanism."""


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A struct whose canonical bytes are one array of its fields in order."""


class Message(Record, frozen=True):
    """Any message; the decoder tells them apart by their tag."""

    kind: ClassVar[str]
    """Name of its type, as logs and summaries show it."""
    detached: ClassVar[Mapping[str, object]] = MappingProxyType({})
    """Fields that its hash leaves out because another field commits to them, and what stands for them."""

    @property
    def naming(self) -> "Message":
        """What its hash is the hash of: itself, but for a block that is named by its proposal alone."""
        return self

    if TYPE_CHECKING:  # each type has these fields at a place of its own, so that they cannot stand here

        @property
        def author(self) -> AccountId:
            """Who speaks, and signs."""

        @property
        def signature(self) -> Signature:
            """The author's signature; UNSIGNED while it is made."""


class Transaction(Message, frozen=True, kw_only=True, tag="transaction"):
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
    """Micro-coins paid to whoever puts the transaction into a block."""
    signature: SealedSignature = UNSIGNED
    """Author's signature, and its stamp on a chain that asks for one."""


class Payout(Record, frozen=True, kw_only=True):
    """One line of a coinbase."""

    account: AccountId
    """Account that is paid."""
    amount: MicroCoins
    """Micro-coins it gets."""


class AnyBlock(Message, frozen=True):
    """What the core reads of a block; a mechanism's own block has its proof besides, and `BLOCK_KIND` as its kind."""

    if TYPE_CHECKING:

        @property
        def height(self) -> int:
            """Number of blocks below it."""

        @property
        def parent(self) -> Hash32:
            """Hash of the block below."""

        @property
        def slot(self) -> int:
            """Slot it was proposed in."""

        @property
        def transactions(self) -> tuple[Transaction, ...]:
            """Transfers, in the order they are applied."""

        @property
        def coinbase(self) -> tuple[Payout, ...]:
            """Subsidy and fees, by ascending account."""


BlockT = TypeVar("BlockT")


class HeadAnnouncement(Message, frozen=True, kw_only=True, tag="head"):
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


class BlockRequest(Message, frozen=True, kw_only=True, tag="request"):
    """Asks one neighbour for the blocks after the last one both have."""

    kind: ClassVar[str] = "request"

    locator: tuple[Hash32, ...]
    """Hashes of the sender's own chain from its head down, ever sparser, ending with the genesis."""
    author: AccountId
    """Party that asks."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class BlockResponse(Message, Generic[BlockT], frozen=True, kw_only=True, tag="response"):
    """Answers a request with consecutive blocks of the answering node's chain."""

    kind: ClassVar[str] = "response"

    blocks: tuple[BlockT, ...]
    """Blocks after the last common one, lowest first; as many as fit, perhaps none."""
    author: AccountId
    """Node that answers."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class Sighting(Record, frozen=True, kw_only=True):
    """A witness's word that it had a block in time."""

    witness: AccountId
    """Who says so."""
    signature: Signature
    """Its signature; `protocol.settling` says over what."""


class LateBlock(Message, Generic[BlockT], frozen=True, kw_only=True, tag="late"):
    """A competitor of the last block, with the words of those who had it in time."""

    kind: ClassVar[str] = "late"

    block: BlockT
    """The block."""
    sightings: tuple[Sighting, ...]
    """Words of witnesses, by ascending witness."""
    author: AccountId
    """Party that passes it on."""
    signature: Signature = UNSIGNED
    """Author's signature."""


def list_carried(message: Message) -> tuple[AnyBlock, ...]:
    """Return the blocks inside a message that brings blocks that others have made."""
    match message:
        case BlockResponse():
            return tuple(message.blocks)
        case LateBlock():
            return (message.block,)
    return ()


NEIGHBOURLY: Final[frozenset[type]] = frozenset((HeadAnnouncement, BlockRequest, BlockResponse, LateBlock))
"""Types of messages that are for one neighbour: they are not passed on, and may come twice."""

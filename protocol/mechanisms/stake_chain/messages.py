"""The block of a chain by stake, and evidence that somebody has signed two of them for one slot."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from protocol.codec import encode
from protocol.crypto import Domain, compute_hash
from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    Payout,
    Record,
    Transaction,
)
from protocol.types import HASH_BYTES, AccountId, Hash32, Height, Signature, Slot

BODY: Final = Domain(b"pot/stake/body/1")

NO_REVEAL: Final[Hash32] = bytes(HASH_BYTES)
"""Stands in a block of a chain whose leaders are drawn by the hash of the parent."""


class SignedHeader(Record, frozen=True, kw_only=True):
    """What of a block its author has signed: all but what `body` stands for."""

    height: Height
    """Number of blocks below it."""
    parent: Hash32
    """Hash of the block below."""
    slot: Slot
    """Slot it was made in."""
    body: Hash32
    """Digest of its transfers and its evidence."""
    reveal: Hash32
    """What it opens."""
    author: AccountId
    """Who has signed it."""
    coinbase: tuple[Payout, ...]
    """What it pays."""
    signature: Signature
    """Author's signature."""


class Evidence(Record, frozen=True, kw_only=True):
    """Two headers of one author and one slot. Nobody but the author can make them, wherever their parents are."""

    first: SignedHeader
    """That with the lower hash."""
    second: SignedHeader
    """The other one."""


class StakedBlock(AnyBlock, frozen=True, kw_only=True, tag="staked"):
    """A block by the leader of its slot.

    Its hash leaves transfers and evidence out: `body` stands for them.
    """

    kind: ClassVar[str] = BLOCK_KIND
    detached: ClassVar[Mapping[str, object]] = MappingProxyType({"transactions": (), "evidence": ()})

    height: Height
    """Number of blocks below it."""
    parent: Hash32
    """Hash of the block below."""
    slot: Slot
    """Slot it was made in."""
    body: Hash32
    """Digest of its transfers and its evidence."""
    reveal: Hash32
    """Opens what its author's last block on this branch committed to, and commits to what its next one will open."""
    author: AccountId
    """The leader of the slot, who is paid."""
    transactions: tuple[Transaction, ...]
    """Transfers, in the order they are applied."""
    evidence: tuple[Evidence, ...]
    """Shows whose coins it takes."""
    coinbase: tuple[Payout, ...]
    """What the author gets."""
    signature: Signature = UNSIGNED
    """Author's signature."""


MESSAGES: Final = (Transaction, StakedBlock, HeadAnnouncement, BlockRequest, BlockResponse[StakedBlock])
"""Types of all messages of a chain by stake."""


def compute_body_digest(transactions: tuple[Transaction, ...], evidence: tuple[Evidence, ...]) -> Hash32:
    """Return what a header holds in place of its transfers and its evidence."""
    return compute_hash(BODY, encode(transactions), encode(evidence))


def get_header(block: StakedBlock) -> SignedHeader:
    """Return what of a block its author has signed."""
    return SignedHeader(**{name: getattr(block, name) for name in SignedHeader.__struct_fields__})


def restore_block(header: SignedHeader) -> StakedBlock:
    """Return a block with a header's hash and signature."""
    fields = {name: getattr(header, name) for name in SignedHeader.__struct_fields__}
    return StakedBlock(transactions=(), evidence=(), **fields)

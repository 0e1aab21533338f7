"""The block of a chain by work."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from protocol.mechanisms.proof_of_work.genesis import Target
from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    Payout,
    Transaction,
)
from protocol.types import AccountId, Hash32, Height, Signature, Slot

WorkNonce = Annotated[int, Meta(ge=0, lt=2**62)]
"""What a miner varies until the guess is low enough."""


class WorkedBlock(AnyBlock, frozen=True, kw_only=True, tag="worked"):
    """A header that was worked for, and the transfers it commits to.

    Its hash leaves the transfers out: `body` stands for them.
    """

    kind: ClassVar[str] = BLOCK_KIND
    detached: ClassVar[Mapping[str, object]] = MappingProxyType({"transactions": ()})

    height: Height
    """Number of blocks below it."""
    parent: Hash32
    """Hash of the block below."""
    slot: Slot
    """Slot in which its miner began to look for this nonce."""
    body: Hash32
    """Digest of the transfers."""
    target: Target
    """What the guess must be below."""
    window_start: Slot
    """Slot of the block that the window of this target began with, so that the parent alone says the next target."""
    author: AccountId
    """The miner, who is paid."""
    nonce: WorkNonce
    """Shows the work."""
    transactions: tuple[Transaction, ...]
    """Transfers, in the order they are applied."""
    coinbase: tuple[Payout, ...]
    """What the miner gets."""
    signature: Signature = UNSIGNED
    """Author's signature."""


MESSAGES: Final = (Transaction, WorkedBlock, HeadAnnouncement, BlockRequest, BlockResponse[WorkedBlock])
"""Types of all messages of a chain by work."""

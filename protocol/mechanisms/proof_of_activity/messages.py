"""The messages of proof of activity: templates, the signatures of those who are drawn, and whole blocks."""

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from protocol.mechanisms.proof_of_work.genesis import Target
from protocol.mechanisms.proof_of_work.messages import WorkNonce
from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    Message,
    Payout,
    Transaction,
)
from protocol.types import AccountId, Hash32, Height, Signature, Slot


class Template(Message, frozen=True, kw_only=True, tag="template"):
    """What is worked for: an empty block, with a miner to be paid and no room for a transfer."""

    kind: ClassVar[str] = "template"

    height: Height
    """Height of the block that it is to become."""
    parent: Hash32
    """Block it builds on."""
    slot: Slot
    """Slot in which its miner began to look for this nonce."""
    target: Target
    """What the guess must be below."""
    window_start: Slot
    """Slot of the block that the window of this target began with."""
    author: AccountId
    """The miner, who is paid where it becomes a block."""
    serial: Annotated[int, Meta(ge=0, lt=2**31)]
    """Templates that its miner has found on this parent before, so that it can find several in one slot."""
    nonce: WorkNonce
    """Shows the work."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class Cosignature(Message, frozen=True, kw_only=True, tag="cosignature"):
    """The word of an owner that was drawn that it is there, and takes the template for right."""

    kind: ClassVar[str] = "cosignature"

    height: Height
    """Height of the template."""
    parent: Hash32
    """Parent of the template."""
    template: Hash32
    """Hash of the template that is signed."""
    author: AccountId
    """Owner that signs."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class ActivityBlock(AnyBlock, frozen=True, kw_only=True, tag="activity"):
    """A template with the signatures of those it drew, and the transfers that its closer has added.

    Its hash is over all of that but the closer's own signature, so nobody but the closer can give it another name.
    """

    kind: ClassVar[str] = BLOCK_KIND

    template: Template
    """What was worked for."""
    signatures: tuple[Cosignature, ...]
    """Those of owners that were drawn, but for the closer's, each once and in the order of the draw."""
    transactions: tuple[Transaction, ...]
    """Transfers, in the order they are applied."""
    coinbase: tuple[Payout, ...]
    """What miner, signers and closer get, by ascending account."""
    author: AccountId
    """The closer."""
    signature: Signature = UNSIGNED
    """Author's signature."""

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.template.height

    @property
    def parent(self) -> bytes:
        """Hash of the block below."""
        return self.template.parent

    @property
    def slot(self) -> int:
        """Slot of the template."""
        return self.template.slot


MESSAGES: Final = (
    Transaction,
    Template,
    Cosignature,
    ActivityBlock,
    HeadAnnouncement,
    BlockRequest,
    BlockResponse[ActivityBlock],
)
"""Types of all messages of a chain by activity."""

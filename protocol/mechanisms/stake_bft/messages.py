"""The messages of a chain by votes: proposals, two kinds of votes, and blocks that carry their certificate."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from protocol.messages import (
    BLOCK_KIND,
    UNSIGNED,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    Message,
    Payout,
    Record,
    Transaction,
)
from protocol.types import HASH_BYTES, AccountId, Hash32, Height, Signature, Slot

Round = Annotated[int, Meta(ge=0, lt=2**31)]
"""Attempts at one height are numbered from 0."""

ValidRound = Annotated[int, Meta(ge=-1, lt=2**31)]

NO_ROUND: Final = -1
"""In place of a round: there was none."""

NIL: Final = bytes(HASH_BYTES)
"""What a vote names that is for no block of its round."""


class VoteSignature(Record, frozen=True, kw_only=True):
    """A vote without what all votes of a certificate have in common."""

    author: AccountId
    """Who voted."""
    signature: Signature
    """Its signature of the vote."""


class Certificate(Record, frozen=True, kw_only=True):
    """Votes of one round for one block, of owners of more than two thirds of all stake."""

    round: Round
    """Round of the votes."""
    signatures: tuple[VoteSignature, ...]
    """By ascending author, each once."""


NO_CERTIFICATE: Final = Certificate(round=0, signatures=())
"""Stands in a block that has yet to be voted on."""


class CertifiedBlock(AnyBlock, frozen=True, kw_only=True, tag="certified"):
    """A block and the pre-commits that make it final.

    Its hash leaves out the certificate, so that two right certificates make one block, and the transfers, for which
    `body` stands.
    """

    kind: ClassVar[str] = BLOCK_KIND
    detached: ClassVar[Mapping[str, object]] = MappingProxyType({"transactions": (), "certificate": NO_CERTIFICATE})

    height: Height
    """Number of blocks below it."""
    parent: Hash32
    """Hash of the block below."""
    slot: Slot
    """Slot in which it was built."""
    round: Round
    """Round that it was built for; it may be decided in a later one."""
    body: Hash32
    """Digest of the transfers."""
    author: AccountId
    """Proposer of its round, who built it."""
    transactions: tuple[Transaction, ...]
    """Transfers, in the order they are applied."""
    coinbase: tuple[Payout, ...]
    """Subsidy and fees, by ascending account."""
    certificate: Certificate
    """The pre-commits."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class Proposal(Message, frozen=True, kw_only=True, tag="proposal"):
    """The block that a round is to agree on, from the one owner who may propose in it."""

    kind: ClassVar[str] = "proposal"

    round: Round
    """The round."""
    valid_round: ValidRound
    """Earlier round in which two thirds have pre-voted this block; -1: it is a new one."""
    prevotes: tuple[VoteSignature, ...]
    """These pre-votes, by ascending author; none for a new block."""
    block: CertifiedBlock
    """The block, signed by who built it, without a certificate."""
    author: AccountId
    """Proposer of the round."""
    signature: Signature = UNSIGNED
    """Author's signature."""

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.block.height

    @property
    def parent(self) -> bytes:
        """Parent of the block."""
        return self.block.parent

    @property
    def slot(self) -> int:
        """Slot of the block."""
        return self.block.slot


class Vote(Message, frozen=True, kw_only=True):
    """An owner's word in one step of a round; it says one thing in each, once."""

    height: Height
    """Height that is voted on."""
    parent: Hash32
    """Block below it."""
    round: Round
    """The round."""
    block: Hash32
    """Hash of the block that it is for; zeros for none."""
    author: AccountId
    """Who votes."""
    signature: Signature = UNSIGNED
    """Author's signature."""


class Prevote(Vote, frozen=True, kw_only=True, tag="prevote"):
    """First step: I would have this block."""

    kind: ClassVar[str] = "prevote"


class Precommit(Vote, frozen=True, kw_only=True, tag="precommit"):
    """Second step: two thirds would have this block, and I hold on to it."""

    kind: ClassVar[str] = "precommit"


MESSAGES: Final = (
    Transaction,
    Proposal,
    Prevote,
    Precommit,
    CertifiedBlock,
    HeadAnnouncement,
    BlockRequest,
    BlockResponse[CertifiedBlock],
)
"""Types of all messages of a chain by votes."""

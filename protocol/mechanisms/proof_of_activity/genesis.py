"""What all parties of a chain by activity agree on before the first block."""

from typing import Annotated, Final

from msgspec import Meta

from protocol.genesis import Agreed
from protocol.mechanisms.proof_of_work.genesis import WorkGenesis
from protocol.types import PARTS_PER_MILLION, Millionths

MAX_DRAWN: Final = 256
"""Places of a template at most, so that all signatures fit into a block."""

Places = Annotated[int, Meta(ge=1, le=MAX_DRAWN)]
"""Coins that are drawn, each of which gives its owner a place."""


class ActivityShares(Agreed, frozen=True, kw_only=True):
    """How what a block pays is shared out, in millionths; together they are the whole."""

    miner: Millionths
    """For who found the template."""
    signers: Millionths
    """For all places together, each as much as the other."""
    closer: Millionths
    """For who chose the transfers and closed the block, besides what does not divide."""

    def __post_init__(self) -> None:
        """Refuse shares that are not the whole.

        Raises:
            ValueError: They are more, or less.
        """
        if self.miner + self.signers + self.closer != PARTS_PER_MILLION:
            raise ValueError("shares of miner, signers and closer must be the whole together")


class ActivityGenesis(WorkGenesis, frozen=True, kw_only=True):
    """Everything that the chain id of a chain by activity stands for: that of a chain by work, and more."""

    drawn: Places
    """Coins that the hash of a template draws."""
    needed: Places
    """Places whose owners have to sign; where it is fewer than are drawn, the miner closes the block."""
    shares: ActivityShares

    @property
    def agreed(self) -> "ActivityGenesis":
        """What its canonical bytes are made of: all of it."""
        return self

    def __post_init__(self) -> None:
        """Refuse a genesis by which no block could ever be made.

        Raises:
            ValueError: More are needed than are drawn.
        """
        if self.needed > self.drawn:
            raise ValueError(f"{self.needed} of {self.drawn} places can never sign")

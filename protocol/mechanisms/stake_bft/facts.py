"""What a validator notes for the record."""

import msgspec

from protocol.types import AccountId, Hash32


class Proposed(msgspec.Struct, frozen=True):
    """It has proposed a block."""

    height: int
    round: int
    block: Hash32
    valid_round: int


class RoundBegun(msgspec.Struct, frozen=True):
    """It has gone on to another round at the same height."""

    height: int
    round: int


class Decided(msgspec.Struct, frozen=True):
    """It has seen enough pre-commits for a block: the block is final."""

    height: int
    round: int
    block: Hash32
    votes: int


class Equivocated(msgspec.Struct, frozen=True):
    """An owner has signed two different things in one step of a round; both are known, so this proves it."""

    author: AccountId
    height: int
    round: int
    step: str
    """Kind of the two messages: proposal, prevote or precommit."""
    first: Hash32
    """Block that the first one is for; zeros for none."""
    second: Hash32

"""Owners of stake that are drawn to sign a proposal, and the signatures they have given.

Follow-the-coin (Bentov et al., "Proof of Activity", 2014) draws bonded coins by a hash of the proposal and follows each
to its owner.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, Generic, TypeVar

from protocol.crypto import Domain, compute_hash
from protocol.messages import Message
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32

FOLLOW_THE_COIN: Final = Domain(b"pot/follow-the-coin/1")

SignatureT = TypeVar("SignatureT", bound=Message)


def draw_owners(proposal: Hash32, stakes: StakeTable) -> Iterator[AccountId]:
    """Yield the owner of one coin after the other, drawn by the hash of a proposal from all that is bonded."""
    draw = 0
    while True:
        digest = compute_hash(FOLLOW_THE_COIN, proposal, draw.to_bytes(4, "big"))
        yield stakes.get_owner(int.from_bytes(digest, "big") % stakes.total)
        draw += 1


def draw_places(proposal: Hash32, stakes: StakeTable, count: int) -> tuple[AccountId, ...]:
    """Return the owners of the first coins that are drawn by the hash of a proposal, in order of the draw.

    An owner has a place for each of its coins that is drawn, perhaps several: so each place goes by stake alone, and it
    makes no difference over how many accounts somebody spreads its coins.

    Raises:
        ValueError: Nobody has a bond.
    """
    if not stakes.owners:
        raise ValueError("no coins are bonded that could be drawn")
    return tuple(islice(draw_owners(proposal, stakes), count))


def follow_the_coin(proposal: Hash32, stakes: StakeTable, count: int) -> tuple[AccountId, ...]:
    """Return the cosigners of a proposal: owners of coins drawn by its hash, each owner once, in order of the draw.

    A coin whose owner is already drawn is drawn again, which is drawing owners without replacement with odds
    proportional to stake.

    Raises:
        ValueError: Fewer than ``count`` owners have a bond.
    """
    if count > len(stakes.owners):
        raise ValueError(f"cannot draw {count} cosigners from {len(stakes.owners)} owners")
    chosen: dict[AccountId, None] = {}
    owners = draw_owners(proposal, stakes)
    while len(chosen) < count:
        chosen.setdefault(next(owners))
    return tuple(chosen)


class SignatureBook(Generic[SignatureT]):
    """Signatures of a proposal's first K-1 cosigners; everyone else is not counted."""

    def __init__(self, cosigners: tuple[AccountId, ...]) -> None:
        """Take all K cosigners of the proposal, in order of the draw; the last one completes the block."""
        self.signers = cosigners[:-1]
        self.wrapper = cosigners[-1]
        self._by_signer: dict[AccountId, SignatureT] = {}

    def __contains__(self, signer: AccountId) -> bool:
        """Return whether this signer's signature is here."""
        return signer in self._by_signer

    def add(self, signature: SignatureT) -> None:
        """Keep a judged signature; only the first of each chosen signer counts."""
        if signature.author in self.signers:
            self._by_signer.setdefault(signature.author, signature)

    @property
    def is_complete(self) -> bool:
        """Whether every signer has signed."""
        return len(self._by_signer) == len(self.signers)

    def get_signatures(self) -> tuple[SignatureT, ...]:
        """Return the signatures in the order of the draw; they are all here once the book is complete."""
        return tuple(self._by_signer[signer] for signer in self.signers if signer in self._by_signer)

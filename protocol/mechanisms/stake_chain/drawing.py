"""Who leads a slot: drawn from bonded coins by a seed that nobody can choose.

Slots are counted in epochs. The seed of an epoch mixes all that had been opened when the epoch before the last one was
over, and coins count as they were bonded one epoch before that: so whoever bonds coins, or makes up keys, does so
before anybody knows the seed. What stays to whoever leads one of the last slots of an epoch is to be silent, which
gives it two seeds to choose from for each such slot in a row: Alpturer and Weinberg, "Optimal RANDAO Manipulation in
Ethereum" (2024), compute how little that is worth.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from protocol.crypto import Domain, compute_hash
from protocol.events import ChainRecord
from protocol.mechanisms.stake_chain.secrets import compute_step
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32

SEED: Final = Domain(b"pot/stake/seed/1")
MIX: Final = Domain(b"pot/stake/mix/1")
LEADER: Final = Domain(b"pot/stake/leader/1")

SEED_LAG: Final = 2
"""Epochs from the last one whose secrets count for a seed to that which it is for."""

TABLE_LAG: Final = 3
"""The same of bonds."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What is known of an epoch at its last block so far."""

    epoch: int
    block: Hash32
    """Hash of that block; it stands for the rest."""
    mix: Hash32
    """Of all that has been opened."""
    stakes: StakeTable
    """Coins as they are bonded after it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an author's last block on a branch has shown."""

    value: Hash32
    since: int
    """Epoch in which it showed the first; the author chose all of its secrets in it."""
    made: int
    """Blocks it has made on the branch."""


@dataclass(frozen=True, slots=True)
class Books:
    """What a chain by stake keeps from block to block, beside the money."""

    closings: tuple[Closing, ...]
    """Those that draws may still need, the oldest first; the last one is of the epoch of the last block."""
    marks: Mapping[AccountId, Mark] = field(default_factory=lambda: MappingProxyType({}))
    """Of everybody who has made a block."""
    punished: frozenset[tuple[int, AccountId]] = frozenset()
    """Slots and authors for which coins have been taken."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What the leaders of an epoch follow from."""

    seed: Hash32
    stakes: StakeTable
    key: tuple[Hash32, Hash32, int]
    """Blocks and epoch that it stands for; draws of one chain with one key are equal."""

    def find_leader(self, slot: int) -> AccountId | None:
        """Return who leads a slot of the epoch; None where nothing is bonded."""
        if not self.stakes.total:
            return None
        drawn = compute_hash(LEADER, self.seed, slot.to_bytes(8, "big"))
        return self.stakes.get_owner(int.from_bytes(drawn, "big") % self.stakes.total)


def open_books(origin: ChainRecord) -> Books:
    """Return the books before the first block."""
    mix = compute_hash(MIX, origin.hash)
    return Books((Closing(-TABLE_LAG, origin.hash, mix, origin.state.stakes),))


def is_opening(books: Books, author: AccountId, reveal: Hash32) -> bool:
    """Return whether a block shows what its author has committed to; a first one may show anything."""
    mark = books.marks.get(author)
    return mark is None or compute_step(reveal) == mark.value


def mix_in(books: Books, author: AccountId, reveal: Hash32, epoch: int) -> tuple[Books, Hash32]:
    """Return the books in which a block's secret is noted, and the mix with it.

    One that was chosen in the same epoch is no part of the mix: its author may have known the others.
    """
    mark, mix = books.marks.get(author), books.closings[-1].mix
    if mark is not None and mark.since < epoch:
        mix = compute_hash(MIX, mix, reveal)
    after = Mark(reveal, epoch, 1) if mark is None else replace(mark, value=reveal, made=mark.made + 1)
    return replace(books, marks=MappingProxyType({**books.marks, author: after})), mix


def close(books: Books, closing: Closing) -> Books:
    """Return the books after a block, without what no draw needs any more."""
    before = books.closings[:-1] if books.closings[-1].epoch == closing.epoch else books.closings
    closings = (*before, closing)
    while len(closings) > 1 and closings[1].epoch <= closing.epoch - TABLE_LAG:
        closings = closings[1:]
    return replace(books, closings=closings)


def draw_from(books: Books, epoch: int) -> Draw:
    """Return what the leaders of an epoch follow from, for a block on top of those that the books are about."""
    epochs = [closing.epoch for closing in books.closings]
    seeding = books.closings[bisect_right(epochs, epoch - SEED_LAG) - 1]
    bonded = books.closings[bisect_right(epochs, epoch - TABLE_LAG) - 1]
    seed = compute_hash(SEED, seeding.mix, epoch.to_bytes(8, "big"))
    return Draw(seed, bonded.stakes, (seeding.block, bonded.block, epoch))


def draw_by_parent(parent: ChainRecord, epoch: int) -> Draw:
    """Return the same where the block below is the seed: its author can try as many as it likes."""
    return Draw(compute_hash(SEED, parent.hash), parent.state.stakes, (parent.hash, parent.hash, epoch))

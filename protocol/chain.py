"""The tree of known blocks and the rule that picks one branch.

It knows neither what is in a block nor how it was agreed.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from protocol.types import Hash32

BlockT = TypeVar("BlockT")
StateT = TypeVar("StateT")

LOCATOR_DENSE: Final = 10
"""Hashes of a locator that are consecutive, before the gaps double."""


@dataclass(frozen=True, slots=True)
class BlockRecord(Generic[BlockT, StateT]):
    """A block that was found valid, with the ledger after it."""

    hash: Hash32
    parent: Hash32
    height: int
    slot: int
    """Slot the block was proposed in; 0 for the genesis."""
    block: BlockT | None
    """None for the genesis alone."""
    state: StateT
    weight: int
    """What its branch counts in the choice of a branch: the sum over its blocks."""
    rank: bytes
    """Of two branches of one weight, that whose last block has the lower one wins."""
    right: Hashable = None
    """What its author was entitled to it by; None where a right is good for any number of blocks."""


@dataclass(frozen=True, slots=True)
class HeadChange(Generic[BlockT, StateT]):
    """How the head moved."""

    abandoned: tuple[BlockRecord[BlockT, StateT], ...]
    """Blocks left, highest first; more than none is a reorganisation of that depth."""
    adopted: tuple[BlockRecord[BlockT, StateT], ...]
    """Blocks entered, lowest first."""


class UnknownBlockError(KeyError):
    """A block that must be known by now is not: a bug of ours, because judging comes first."""


class BlockTree(Generic[BlockT, StateT]):
    """All valid blocks by hash, and the head: the heaviest branch, then a backed one, then the lowest rank.

    A block is *backed* when owners of more than half of all stake are known to work on it. Where a right is good for
    one block, two blocks of one right are two *versions*. While nothing is built on a version and it is not backed it
    counts nothing, so that whoever has seen both goes on from the block below, whichever came first.
    """

    def __init__(
        self,
        genesis: BlockRecord[BlockT, StateT],
        *,
        last_height: int | None = None,
        settled_after: int | None = None,
        final_depth: int | None = None,
        keeps_first: bool = False,
    ) -> None:
        """Start with the genesis as head.

        Args:
            genesis: The first block.
            last_height: Height that no block exceeds, if there is one.
            settled_after: Slots after which a head of this height stays for ever; None: it may always change.
            final_depth: Blocks on top of a block of the head's branch after which it is never left; None: it may be.
            keeps_first: Whether of two branches of one weight the one that came first wins, and not that with the lower
                rank. Of two last blocks it is that one all the same, since nothing is built on them that could decide.
        """
        self.genesis: Final = genesis
        self.head = genesis
        self.final = genesis
        """The highest block that is never left, whatever comes."""
        self._final_depth = final_depth
        self._records = {genesis.hash: genesis}
        self._last_height = last_height
        self._settled_after = settled_after
        self._keeps_first = keeps_first
        self._last_blocks: dict[Hash32, int] = {}
        """Blocks of the last height, and the slots in which they came."""
        self._has_settled = False
        self._versions: dict[Hashable, list[BlockRecord[BlockT, StateT]]] = {}
        """Blocks by the right they were made with."""
        self._doubled: list[Hashable] = []
        """Rights that more than one block was made with."""
        self._built_on: set[Hash32] = set()
        """Hashes of blocks that another block is built on."""
        self._backed: set[Hash32] = set()
        """Hashes of blocks that owners of more than half of all stake work on."""

    def __contains__(self, block_hash: Hash32) -> bool:
        """Return whether a block is known."""
        return block_hash in self._records

    def __len__(self) -> int:
        """Return the number of known blocks, the genesis among them."""
        return len(self._records)

    def get(self, block_hash: Hash32) -> BlockRecord[BlockT, StateT] | None:
        """Return a block, or None if it is not known."""
        return self._records.get(block_hash)

    def require(self, block_hash: Hash32) -> BlockRecord[BlockT, StateT]:
        """Return a block that must be known.

        Raises:
            UnknownBlockError: It is not.
        """
        try:
            return self._records[block_hash]
        except KeyError:
            raise UnknownBlockError(block_hash.hex()) from None

    def get_records(self) -> tuple[BlockRecord[BlockT, StateT], ...]:
        """Return every known block, in order of arrival."""
        return tuple(self._records.values())

    def get_versions(self, right: Hashable) -> tuple[BlockRecord[BlockT, StateT], ...]:
        """Return the known blocks that were made with a right, in order of arrival."""
        return tuple(self._versions.get(right, ()))

    def get_doubled(self) -> tuple[tuple[BlockRecord[BlockT, StateT], BlockRecord[BlockT, StateT]], ...]:
        """Return the first two blocks of each right that more than one was made with, in order of arrival."""
        return tuple((self._versions[right][0], self._versions[right][1]) for right in self._doubled)

    def is_better(self, candidate: BlockRecord[BlockT, StateT]) -> bool:
        """Return whether a block would take the head's place, if the head may change."""
        return self._rate(candidate) < self._rate(self.head)

    @property
    def is_whole(self) -> bool:
        """Whether the head is the last block there can be."""
        return self.head.height == self._last_height

    @property
    def whole_since(self) -> int:
        """Slot in which the first last block came that counts; 0 if there is none.

        It follows from which blocks are known, not from their order: so parties that know the same have nearly the
        same clock, whatever their heads have been in between.
        """
        return min((slot for last, slot in self._last_blocks.items() if self._counts(last)), default=0)

    def _counts(self, block_hash: Hash32) -> bool:
        return not self.is_doubtful(self._records[block_hash])

    def is_contested_by(self, parent: BlockRecord[BlockT, StateT], adds: int, rank: bytes, right: Hashable) -> bool:
        """Return whether a block that is not in the tree would take the place of a head that is the last block.

        What would make another last block count nothing contests it as well: the clock would start anew.

        Args:
            parent: The block it builds on.
            adds: What it adds to the weight of the branch.
            rank: Its rank.
            right: The right it was made with.
        """
        if not self.is_whole:
            return False
        versions = self._versions.get(right, ()) if right is not None else ()
        if versions:
            return any(record.hash in self._last_blocks and self._counts(record.hash) for record in versions)
        return (-parent.weight - adds, False, True, rank, b"") < self._rate(self.head)

    def is_settled(self, slot: int) -> bool:
        """Return whether the head is a last block, and there has been one for so long that it stays."""
        if self._has_settled:
            return True
        return self.is_whole and self._settled_after is not None and slot > self.whole_since + self._settled_after

    def add(self, record: BlockRecord[BlockT, StateT], slot: int) -> HeadChange[BlockT, StateT] | None:
        """Store a judged block; return how the head moved, or None if it stayed.

        Args:
            record: The block.
            slot: The slot it is now.

        Raises:
            UnknownBlockError: The parent is not in the tree.
        """
        self.require(record.parent)
        self._has_settled = self.is_settled(slot)
        self._records[record.hash] = record
        if record.height == self._last_height:
            self._last_blocks[record.hash] = slot
        self._built_on.add(record.parent)
        if record.right is not None:
            versions = self._versions.setdefault(record.right, [])
            versions.append(record)
            if len(versions) == 2:
                self._doubled.append(record.right)
        if self._has_settled:
            return None
        best = record if self.is_better(record) and self.keeps_final(record) else self.head
        if self.is_doubtful(best):
            best = min(filter(self.keeps_final, self._records.values()), key=self._rate)
        return self._move(best)

    def keeps_final(self, record: BlockRecord[BlockT, StateT]) -> bool:
        """Return whether a branch has the highest final block, so that it may be followed."""
        if self.final is self.genesis:
            return True  # everything is built on it, and the way there is long
        while record.height > self.final.height:
            record = self._records[record.parent]
        return record.hash == self.final.hash

    def back(self, block_hash: Hash32, slot: int) -> HeadChange[BlockT, StateT] | None:
        """Note that owners of more than half of all stake work on a block; return how the head moved, or None.

        Raises:
            UnknownBlockError: The block is not in the tree.
        """
        record = self.require(block_hash)
        if block_hash in self._backed:
            return None
        self._backed.add(block_hash)
        may_move = not self.is_settled(slot) and self.keeps_final(record)
        return self._move(record) if may_move and self.is_better(record) else None

    def is_backed(self, block_hash: Hash32) -> bool:
        """Return whether owners of more than half of all stake are known to work on a block."""
        return block_hash in self._backed

    def _move(self, best: BlockRecord[BlockT, StateT]) -> HeadChange[BlockT, StateT] | None:
        if best is self.head:
            return None
        change = self._find_change(self.head, best)
        self.head = best
        if self._final_depth is not None:
            final = best
            for _ in range(self._final_depth):
                final = self._records.get(final.parent, self.genesis)
            if final.height > self.final.height:
                self.final = final
        return change

    def is_doubtful(self, record: BlockRecord[BlockT, StateT]) -> bool:
        """Return whether there is another version of a block that nothing is built on and that is not backed."""
        is_used = record.hash in self._built_on or record.hash in self._backed
        return not is_used and len(self._versions.get(record.right, ())) > 1

    def _rate(self, record: BlockRecord[BlockT, StateT]) -> tuple[int, bool, bool, bytes, Hash32]:
        """Return what orders blocks, the best first: a doubtful one stands behind the block below it."""
        if self.is_doubtful(record):
            return (-self._records[record.parent].weight, True, True, record.rank, record.hash)
        if self._keeps_first and record.height != self._last_height:
            return (-record.weight, False, record.hash not in self._backed, b"", b"")
        return (-record.weight, False, record.hash not in self._backed, record.rank, record.hash)

    def get_chain(self) -> tuple[BlockRecord[BlockT, StateT], ...]:
        """Return the head's branch, genesis first."""
        return tuple(reversed(list(self._walk(self.head))))

    def get_competitors(self) -> tuple[BlockRecord[BlockT, StateT], ...]:
        """Return what decides which last block is the head, each behind those below it that have rivals.

        These are all last blocks, and what was made with their rights elsewhere; of one right two at most, since more
        change nothing.
        """
        records = self._records.values()
        known = Counter(record.height for record in records)
        found: dict[Hash32, BlockRecord[BlockT, StateT]] = {}
        for last in [record for record in records if record.height == self._last_height]:
            for record in (self.get_versions(last.right) or (last,))[:2]:
                branch = reversed(self._walk(record))
                found.update((item.hash, item) for item in branch if known[item.height] > 1 or item is record)
        return tuple(found.values())

    def get_locator(self, tip: Hash32 | None = None) -> tuple[Hash32, ...]:
        """Return hashes of a branch from the top down, ever sparser, the genesis last; of the head's if none is named.

        Raises:
            UnknownBlockError: The block that the branch ends with is not in the tree.
        """
        chain = self._walk(self.head if tip is None else self.require(tip))[::-1]
        hashes: list[Hash32] = []
        position, step = len(chain) - 1, 1
        while position > 0:
            hashes.append(chain[position].hash)
            step = step * 2 if len(hashes) >= LOCATOR_DENSE else 1
            position -= step
        return (*hashes, self.genesis.hash)

    def get_blocks_after(self, locator: tuple[Hash32, ...], limit: int) -> tuple[BlockT, ...]:
        """Return blocks of our branch after the first hash of the locator that is on it, lowest first."""
        chain = self.get_chain()
        heights = {record.hash: record.height for record in chain}
        common = next((heights[item] for item in locator if item in heights), None)
        if common is None:
            return ()
        return tuple(record.block for record in chain[common + 1 : common + 1 + limit] if record.block is not None)

    def _walk(self, record: BlockRecord[BlockT, StateT]) -> "list[BlockRecord[BlockT, StateT]]":
        branch = [record]
        while branch[-1].hash != self.genesis.hash:
            branch.append(self._records[branch[-1].parent])
        return branch

    def _find_change(
        self, old: BlockRecord[BlockT, StateT], new: BlockRecord[BlockT, StateT]
    ) -> HeadChange[BlockT, StateT]:
        abandoned: list[BlockRecord[BlockT, StateT]] = []
        adopted: list[BlockRecord[BlockT, StateT]] = []
        while new.hash != old.hash:
            if new.height >= old.height:
                adopted.append(new)
                new = self._records[new.parent]
            else:
                abandoned.append(old)
                old = self._records[old.parent]
        return HeadChange(tuple(abandoned), tuple(reversed(adopted)))

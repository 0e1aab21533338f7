"""The tree of known blocks and the rule that picks one branch.

It knows neither what is in a block nor how it was agreed.
"""

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
    """All valid blocks by hash, and the head: the heaviest branch, then the lowest hash."""

    def __init__(self, genesis: BlockRecord[BlockT, StateT]) -> None:
        """Start with the genesis as head."""
        self.genesis: Final = genesis
        self.head = genesis
        self._records = {genesis.hash: genesis}

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

    def is_heavier(self, candidate: BlockRecord[BlockT, StateT]) -> bool:
        """Return whether a block would take the head's place."""
        return (-candidate.weight, candidate.hash) < (-self.head.weight, self.head.hash)

    def add(self, record: BlockRecord[BlockT, StateT]) -> HeadChange[BlockT, StateT] | None:
        """Store a judged block; return how the head moved, or None if it stayed.

        Raises:
            UnknownBlockError: The parent is not in the tree.
        """
        self.require(record.parent)
        self._records[record.hash] = record
        if not self.is_heavier(record):
            return None
        change = self._find_change(self.head, record)
        self.head = record
        return change

    def get_chain(self) -> tuple[BlockRecord[BlockT, StateT], ...]:
        """Return the head's branch, genesis first."""
        return tuple(reversed(list(self._walk(self.head))))

    def get_locator(self) -> tuple[Hash32, ...]:
        """Return hashes of the head's branch from the top down, ever sparser, the genesis last."""
        chain = self.get_chain()
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

"""What a mechanism adds to the readable half of a stored chain: its part `chain_lines`."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.types import AccountId
from simulation.foundation import find_part


class Deed(NamedTuple):
    """What somebody did for a block."""

    account: AccountId
    did: str
    """In words that a name can stand before: `mined the block`."""
    slot: int | None = None
    """When, where the block says so; None for the slot of the block."""


class ChainLines:
    """Finds the facts of a genesis and of blocks; a mechanism without words of its own has these."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return the facts of a genesis: the mechanism's name, and how long the chain is."""
        return {"mechanism": mechanism.name, "length": mechanism.genesis.chain.length}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return the facts of a block."""
        return {"author": block.author.hex()}

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who did what for a block, in the order in which it was done.

        Only what the block itself shows counts. An account may have done several things, and the same words stand
        for the same thing in every block.
        """
        return (Deed(block.author, "made the block"),)

    def describe_product(self, mechanism: Mechanism, last: AnyBlock | None) -> Mapping[str, Any]:
        """Return what a chain's work is about and what has come of it, by genesis and last block, if it is anything."""
        return {}


def find_lines(name: str) -> ChainLines:
    """Return what a mechanism adds to a stored chain."""
    kind: type[ChainLines] = find_part(name, "chain_lines") or ChainLines
    return kind()

"""What a mechanism adds to the readable half of a stored chain: its part `chain_lines`."""

from typing import Any

from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from simulation.foundation import find_part


class ChainLines:
    """Finds the facts of a genesis and of blocks; a mechanism without words of its own has these."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return the facts of a genesis: the mechanism's name, and how long the chain is."""
        return {"mechanism": mechanism.name, "length": mechanism.genesis.chain.length}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return the facts of a block."""
        return {"author": block.author.hex()}


def find_lines(name: str) -> ChainLines:
    """Return what a mechanism adds to a stored chain."""
    kind: type[ChainLines] = find_part(name, "chain_lines") or ChainLines
    return kind()

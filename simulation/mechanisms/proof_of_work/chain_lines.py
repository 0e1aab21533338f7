"""What a reader looks for in a stored chain by work."""

from collections.abc import Iterable
from typing import Any

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.mechanisms.proof_of_work.mechanism import as_work
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.messages import AnyBlock
from simulation.runs import ChainLines, Deed


class WorkLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the chain is, and what its blocks must show; stand-ins show no work."""
        genesis = as_work(mechanism).genesis
        told = {"proof": genesis.proof, "hash_name": genesis.hash_name, "reward": genesis.reward}
        return {**super().describe_genesis(mechanism), **told, "first_target": genesis.difficulty.first_target}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who mined a block, and what it shows."""
        if not isinstance(block, WorkedBlock):
            raise TypeError(f"no block of proof of work: {block!r}")
        target, nonce = block.target, block.nonce
        return {"miner": block.author.hex(), "target": target, "hashes": count_expected(target), "nonce": nonce}

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who mined a block."""
        return (Deed(block.author, "mined the block"),)

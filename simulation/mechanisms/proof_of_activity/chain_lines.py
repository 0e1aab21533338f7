"""What a reader looks for in a stored chain by activity."""

from collections.abc import Iterable
from typing import Any

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_activity.mechanism import as_activity
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock
from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.messages import AnyBlock
from simulation.runs import ChainLines, Deed


class ActivityLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the chain is, what templates must show, and who has to sign them."""
        genesis = as_activity(mechanism).genesis
        told = {"proof": genesis.proof, "hash_name": genesis.hash_name, "reward": genesis.reward}
        group = {"drawn": genesis.drawn, "needed": genesis.needed}
        target = {"first_target": genesis.difficulty.first_target}
        return {**super().describe_genesis(mechanism), **told, **target, **group}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who mined, signed and closed a block, and what its template shows."""
        if not isinstance(block, ActivityBlock):
            raise TypeError(f"no block of proof of activity: {block!r}")
        template = block.template
        return {
            "miner": template.author.hex(),
            "target": template.target,
            "hashes": count_expected(template.target),
            "nonce": template.nonce,
            "signers": [signature.author.hex() for signature in block.signatures],
            "closer": block.author.hex(),
        }

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who mined, signed and closed a block."""
        if not isinstance(block, ActivityBlock):
            raise TypeError(f"no block of proof of activity: {block!r}")
        yield Deed(block.template.author, "mined the template", block.template.slot)
        yield from (Deed(item.author, "signed the template") for item in block.signatures)
        yield Deed(block.author, "closed the block")

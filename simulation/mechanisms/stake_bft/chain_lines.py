"""What a reader looks for in a stored chain by votes."""

from collections.abc import Iterable
from typing import Any

import msgspec

from protocol.mechanism import Mechanism
from protocol.mechanisms.stake_bft.mechanism import as_bft
from protocol.mechanisms.stake_bft.messages import CertifiedBlock
from protocol.messages import AnyBlock
from simulation.runs import ChainLines, Deed


class BftLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the chain is, how long nodes wait, in slots, and who is paid."""
        genesis = as_bft(mechanism).genesis
        pace = msgspec.structs.asdict(genesis.pace)
        return {**super().describe_genesis(mechanism), "reward": genesis.reward, "pace_slots": pace}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who built a block, for which round, and what makes it final."""
        if not isinstance(block, CertifiedBlock):
            raise TypeError(f"no block by votes of stake: {block!r}")
        certificate = block.certificate
        decided = {"decided_in_round": certificate.round, "precommits": len(certificate.signatures)}
        return {"builder": block.author.hex(), "round": block.round, **decided}

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who built a block, and whose votes make it final."""
        if not isinstance(block, CertifiedBlock):
            raise TypeError(f"no block by votes of stake: {block!r}")
        yield Deed(block.author, "proposed the block")
        yield from (Deed(item.author, "pre-committed to the block") for item in block.certificate.signatures)

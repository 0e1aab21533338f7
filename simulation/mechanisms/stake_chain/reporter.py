"""The words of chain-based proof of stake in records: blocks, and whom they accuse."""

from collections.abc import Mapping

from protocol.mechanisms.stake_chain.messages import StakedBlock
from protocol.messages import AnyBlock
from simulation.records import BlockPart, LedBlock, Reporter, short_hash


class StakeReporter(Reporter):
    """Finds words for what only a chain by stake knows about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return who made a block, in which slot, and whose coins it takes."""
        if not isinstance(block, StakedBlock):
            raise TypeError(f"no block of a chain by stake: {block!r}")
        accused = [item.first.author for item in block.evidence]
        names = [labels.get(owner, short_hash(owner)) for owner in (block.author, *accused)]
        return LedBlock(leader=names[0], led_slot=block.slot, accused=" ".join(names[1:]) or None)

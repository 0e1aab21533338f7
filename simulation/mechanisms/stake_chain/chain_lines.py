"""What a reader looks for in a stored chain by stake."""

from collections.abc import Iterable
from typing import Any

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.mechanism import Mechanism
from protocol.mechanisms.stake_chain.mechanism import as_stake_chain
from protocol.mechanisms.stake_chain.messages import StakedBlock
from protocol.messages import AnyBlock
from protocol.types import MICRO_COINS_PER_COIN
from simulation.runs import ChainLines, Deed


class StakeLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the chain is, how leaders are drawn, and how coins are bonded."""
        genesis = as_stake_chain(mechanism).genesis
        told = {"drawn_by": genesis.drawn_by, "epoch_slots": genesis.epoch_slots, "reward": genesis.reward}
        bonding = {
            "least_stake": genesis.bonding.least_stake / MICRO_COINS_PER_COIN,
            "unbonding_blocks": genesis.bonding.unbonding_blocks,
            "slashed_millionths": genesis.slashed,
        }
        return {**super().describe_genesis(mechanism), **told, **bonding}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who led a slot, what was bonded and unbonded, and who is accused."""
        if not isinstance(block, StakedBlock):
            raise TypeError(f"no block of a chain by stake: {block!r}")
        return {
            "leader": block.author.hex(),
            "deposits": sum(item.recipient == DEPOSITS for item in block.transactions),
            "withdrawals": sum(item.recipient == WITHDRAWALS for item in block.transactions),
            "accused": [item.first.author.hex() for item in block.evidence],
        }

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who led a slot, who accused whom, and who has signed two blocks of one slot."""
        if not isinstance(block, StakedBlock):
            raise TypeError(f"no block of a chain by stake: {block!r}")
        yield Deed(block.author, "led the slot")
        for item in block.evidence:
            yield Deed(item.first.author, "signed two blocks of one slot", item.first.slot)
            yield Deed(block.author, "showed evidence")

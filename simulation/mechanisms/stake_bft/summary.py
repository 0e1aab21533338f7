"""What votes of stake add to a run's summary."""

from collections.abc import Sequence
from typing import Any

from protocol.mechanisms.stake_bft.messages import CertifiedBlock
from protocol.mechanisms.stake_bft.quorum import sum_stake
from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.records import Tally
from simulation.scenario.world import World


def summarise_votes(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return the least share of all stake that has signed a block of the employer's chain."""
    stakes = Rules(world.mechanism).origin.state.stakes
    certificates = [block.certificate for block in blocks if isinstance(block, CertifiedBlock)]
    signed = [sum_stake(stakes, (item.author for item in found.signatures)) for found in certificates]
    return {"least_signed": min(signed) / stakes.total if signed else None}

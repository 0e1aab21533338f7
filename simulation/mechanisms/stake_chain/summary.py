"""What chain-based proof of stake adds to a run's summary."""

from collections.abc import Sequence
from typing import Any

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.messages import AnyBlock
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis import find_last_state
from simulation.records import Tally
from simulation.scenario.world import World


def summarise_stake(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return what of the coins is at stake at the end of the employer's chain, and what was bonded on the way."""
    state = find_last_state(world.mechanism, blocks)
    moved = [item for block in blocks for item in block.transactions]
    locked = {world.get_labels().get(owner, owner.hex()): account for owner, account in state.accounts.items()}
    return {
        "deposits": sum(item.recipient == DEPOSITS for item in moved),
        "withdrawals": sum(item.recipient == WITHDRAWALS for item in moved),
        "coins_bonded": state.stakes.total / MICRO_COINS_PER_COIN,
        "coins_unbonding": sum(account.bond.leaving for account in locked.values()) / MICRO_COINS_PER_COIN,
        "coins_burnt": state.burnt / MICRO_COINS_PER_COIN,
        "stakes": {
            label: locked[label].bond.stake / MICRO_COINS_PER_COIN
            for label in sorted(locked)
            if locked[label].bond.locked
        },
    }

"""Deposits and withdrawals that a scenario plans: signed by their nodes, and handed over with users' transfers."""

from collections import Counter
from collections.abc import Iterator

from protocol.bonding import DEPOSITS, WITHDRAWALS
from protocol.messages import Transaction
from simulation.foundation import NANOSECONDS, to_micro
from simulation.mechanisms.stake_chain.keys import as_stake_keys
from simulation.scenario.world import PlannedTransfer, World, make_keys


def plan_bonding(world: World, chain_id: bytes) -> Iterator[PlannedTransfer]:
    """Yield what nodes bond and unbond, in order of time."""
    seeds = {node.label: node.key_seed for node in world.nodes}
    made: Counter[str] = Counter()
    for where, item in as_stake_keys(world.scenario.mechanism).list_bonding():
        pair = make_keys(seeds[item.node])
        transaction = Transaction(
            author=pair.public,
            nonce=made[item.node],
            recipient=DEPOSITS if where.startswith("deposits") else WITHDRAWALS,
            amount=to_micro(item.coins),
            fee=to_micro(world.scenario.users.fee),
        )
        made[item.node] += 1
        yield PlannedTransfer(round(item.at_s * NANOSECONDS), item.node, pair.sign(chain_id, transaction))

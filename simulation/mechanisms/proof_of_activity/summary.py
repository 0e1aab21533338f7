"""What proof of activity adds to a run's summary."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from protocol.mechanisms.proof_of_activity.mechanism import as_activity
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock
from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.messages import AnyBlock
from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION
from simulation.records import Tally
from simulation.scenario.world import World, make_keys


def summarise_activity(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return what the employer's chain shows: its work, and who got which part of its blocks and coins.

    `coins` are what all blocks pay for work (the miners' shares) and for stake (those of signers and closers);
    `shares` are each population's, None where there are no blocks.
    """
    genesis = as_activity(world.mechanism).genesis
    closed = [block for block in blocks if isinstance(block, ActivityBlock)]
    hashes = [count_expected(block.template.target) for block in closed]
    paid = [sum(payout.amount for payout in block.coinbase) for block in closed]
    by_work = sum(amount * genesis.shares.miner // PARTS_PER_MILLION for amount in paid)
    return {
        "proof": genesis.proof,
        "hashes_expected": sum(hashes),
        "hashes_last": hashes[-1] if hashes else None,
        "coins": {"by_work": by_work / MICRO_COINS_PER_COIN, "by_stake": (sum(paid) - by_work) / MICRO_COINS_PER_COIN},
        "shares": _measure_shares(world, closed),
    }


def _measure_shares(world: World, blocks: Sequence[ActivityBlock]) -> dict[str, dict[str, float | None]]:
    """Return each population's share of the blocks by who mined and by who closed them, and of the coins they pay."""
    populations = {make_keys(node.key_seed).public: node.population for node in world.nodes}
    mined, closed, paid = Counter[str](), Counter[str](), Counter[str]()
    for block in blocks:
        mined[populations.get(block.template.author, "")] += 1
        closed[populations.get(block.author, "")] += 1
        for payout in block.coinbase:
            paid[populations.get(payout.account, "")] += payout.amount
    counted = {"blocks": mined, "closed": closed, "coins": paid}
    names = sorted(set(populations.values()))
    return {name: {what: _divide(counts, name) for what, counts in counted.items()} for name in names}


def _divide(counts: Counter[str], name: str) -> float | None:
    return counts[name] / counts.total() if counts.total() else None

"""What training adds to a run's summary."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import AnyBlock
from simulation.records import Tally
from simulation.scenario.world import World, make_keys
from simulation.training import compute_coverage


def summarise_training(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return the share of the data set that clean stages have trained on, the digest of the final weights, and shares.

    These are each population's shares of the employer's chain: of its blocks, those that it proposed, and of the coins
    that the blocks pay, those that it got; None where there are none. Where the model is not finite, there is the stage
    since which it is not, too.
    """
    clean = tally.employer.height - tally.count_poisoned_employer()
    last = blocks[-1] if blocks else None
    divergence = tally.find_divergence()
    return {
        **({"not_finite_since_stage": divergence} if divergence is not None else {}),
        "coverage": compute_coverage(as_training(world.mechanism).genesis.job, clean, sample_count),
        "weights_digest": last.header.weights_digest.hex() if isinstance(last, WrappedBlock) else None,
        "shares": _measure_shares(world, blocks),
    }


def _measure_shares(world: World, blocks: Sequence[AnyBlock]) -> dict[str, dict[str, float | None]]:
    populations = {make_keys(node.key_seed).public: node.population for node in world.nodes}
    proposed, paid = Counter[str](), Counter[str]()
    for block in blocks:
        if isinstance(block, WrappedBlock):
            proposed[populations.get(block.header.author, "")] += 1
        for payout in block.coinbase:
            paid[populations.get(payout.account, "")] += payout.amount
    names = sorted(set(populations.values()))
    return {name: {"blocks": _divide(proposed, name), "coins": _divide(paid, name)} for name in names}


def _divide(counts: Counter[str], name: str) -> float | None:
    return counts[name] / counts.total() if counts else None

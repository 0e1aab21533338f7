"""What training adds to a run's summary."""

from collections.abc import Sequence
from typing import Any

from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import AnyBlock
from simulation.records import Tally
from simulation.scenario.world import World
from simulation.training import compute_coverage


def summarise_training(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return the share of the data set that clean stages have trained on, and the digest of the final weights.

    Where the model is not finite, there is the stage since which it is not, too.
    """
    clean = tally.employer.height - tally.count_poisoned_employer()
    last = blocks[-1] if blocks else None
    divergence = tally.find_divergence()
    return {
        **({"not_finite_since_stage": divergence} if divergence is not None else {}),
        "coverage": compute_coverage(as_training(world.mechanism).genesis.job, clean, sample_count),
        "weights_digest": last.header.weights_digest.hex() if isinstance(last, WrappedBlock) else None,
    }

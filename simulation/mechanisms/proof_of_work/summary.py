"""What proof of work adds to a run's summary."""

from collections.abc import Sequence
from typing import Any

from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.mechanisms.proof_of_work.mechanism import as_work
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.messages import AnyBlock
from simulation.records import Tally
from simulation.scenario.world import World


def summarise_work(world: World, tally: Tally, blocks: Sequence[AnyBlock], sample_count: int) -> dict[str, Any]:
    """Return what the employer's chain shows: hashes, or stand-ins for them; its work, and how hard it has become."""
    hashes = [count_expected(block.target) for block in blocks if isinstance(block, WorkedBlock)]
    genesis = as_work(world.mechanism).genesis
    return {"proof": genesis.proof, "hashes_expected": sum(hashes), "hashes_last": hashes[-1] if hashes else None}

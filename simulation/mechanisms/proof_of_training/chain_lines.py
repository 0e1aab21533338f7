"""What a reader looks for in a stored training chain."""

from typing import Any

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import AnyBlock
from simulation.runs import ChainLines


class TrainingLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the job is, and what it trains on."""
        job = as_training(mechanism).genesis.job
        return {"stages": job.stages, "dataset": job.dataset, "profile": job.profile}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who made a block, and what it attests."""
        if not isinstance(block, WrappedBlock):
            raise TypeError(f"no block of proof of training: {block!r}")
        header = block.header
        return {
            "proposer": header.author.hex(),
            "wrapper": block.author.hex(),
            "weights_digest": header.weights_digest.hex(),
            "training_secret": header.training_secret.hex(),
            "declarations": len(header.declarations),
        }

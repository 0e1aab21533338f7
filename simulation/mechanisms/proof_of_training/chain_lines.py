"""What a reader looks for in a stored training chain."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from protocol.codec import encode
from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.job import Setting, TrainingJob, pack_job
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import AnyBlock
from simulation.runs import ChainLines, Deed
from simulation.training import DENSE_NAME, find_form


class TrainingLines(ChainLines):
    """Finds the facts of a genesis and of blocks."""

    def describe_genesis(self, mechanism: Mechanism) -> dict[str, Any]:
        """Return how long the job is, and what it trains on."""
        job = as_training(mechanism).genesis.job
        return {"stages": job.stages, "dataset": job.dataset, "profile": job.profile}

    def describe_block(self, block: AnyBlock) -> dict[str, Any]:
        """Return who made a block, and what it attests."""
        header = _as_wrapped(block).header
        return {
            "proposer": header.author.hex(),
            "wrapper": block.author.hex(),
            "weights_digest": header.weights_digest.hex(),
            "training_secret": header.training_secret.hex(),
            "declarations": len(header.declarations),
        }

    def list_deeds(self, block: AnyBlock) -> Iterable[Deed]:
        """Return who declared, proposed, signed and wrapped a block."""
        wrapped = _as_wrapped(block)
        yield from (Deed(item.author, "declared the stage", item.slot) for item in wrapped.header.declarations)
        yield Deed(wrapped.header.author, "proposed the block", wrapped.header.slot)
        yield from (Deed(item.author, "signed the block") for item in wrapped.signatures)
        yield Deed(wrapped.author, "wrapped the block")

    def describe_product(self, mechanism: Mechanism, last: AnyBlock | None) -> Mapping[str, Any]:
        """Return of which data, by which network and from which first weights the model has come, and its digest."""
        job = as_training(mechanism).genesis.job
        network = _describe_network(job)
        optimizer = " ".join([job.optimizer, *_describe_settings(job.optimizer_settings)])
        return {
            "dataset": job.dataset,
            "dataset_digest": job.dataset_digest.hex(),
            "model": f"{network}; {optimizer}, learning rate {job.learning_rate:g}, {job.loss}",
            "model_digest": _digest_model(job).hex(),
            "weights_seed": job.weights_seed,
            "order_seed": job.order_seed,
            "arithmetic": job.profile,
            "stages_done": last.height if last is not None else 0,
            "stages": job.stages,
            "weights_digest": _as_wrapped(last).header.weights_digest.hex() if last is not None else None,
        }


def _describe_network(job: TrainingJob) -> str:
    """Return words for the model, by the keys that a scenario has for it."""
    dense, model = f"hidden layers {list(job.layers)}, {job.activation}", job.model
    if model is None:
        return dense
    keys = [dense] if model.name == DENSE_NAME else _describe_settings(model.settings)
    return ", ".join([model.name, *keys, f"for {find_form(job).describe()}"])


def _describe_settings(settings: Iterable[tuple[str, Setting]]) -> list[str]:
    return [f"{key} {list(value) if isinstance(value, tuple) else value}" for key, value in settings]


def _digest_model(job: TrainingJob) -> bytes:
    """Return the SHA-256 digest of all of a job but its data: whoever asks for the same has the same."""
    return hashlib.sha256(encode(pack_job(msgspec.structs.replace(job, dataset="", dataset_digest=b"")))).digest()


def _as_wrapped(block: AnyBlock) -> WrappedBlock:
    if not isinstance(block, WrappedBlock):
        raise TypeError(f"no block of proof of training: {block!r}")
    return block

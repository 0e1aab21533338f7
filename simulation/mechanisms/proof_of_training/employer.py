"""The employer's desk: measures each block it follows, and keeps the model."""

from pathlib import Path

import numpy as np

from protocol.events import BlockAppended, ChainRecord, HeadMoved
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.participant import Participant
from simulation.records import WEIGHTS_FOLDER, Diverged, Evaluated, Sink, Unevaluated, Unsaved, short_hash
from simulation.training import Evaluation, Evaluator, WeightsError, WeightStore


class EmployerDesk:
    """What the employer does besides following the chain."""

    def __init__(self, evaluator: Evaluator, store: WeightStore, sink: Sink) -> None:
        """Take the tools."""
        self._evaluator = evaluator
        self._store = store
        self._sink = sink
        self._measured: set[bytes] = set()
        """Hashes of the blocks measured so far."""
        self._diverged: set[bytes] = set()
        """Hashes of those whose models are not finite."""

    def measure(self, action: BlockAppended | HeadMoved) -> None:
        """Record how the models of blocks do, on whatever branch, each once."""
        for record in action.change.adopted if action.change else (action.record,):
            if not isinstance(record.block, WrappedBlock) or record.hash in self._measured:
                continue
            self._measured.add(record.hash)
            try:
                weights = self._store.get(record.block.header.weights_digest)
                measured = self._evaluator.evaluate(weights)
            except WeightsError as error:
                self._sink(Unevaluated(height=record.height, why=str(error)))
                continue
            self._sink(describe_evaluation(record.height, short_hash(record.hash), measured))
            if not all(np.isfinite(array).all() for array in weights):
                self._note_divergence(record)

    def _note_divergence(self, record: ChainRecord) -> None:
        """Record that a model is not finite, once for each branch."""
        self._diverged.add(record.hash)
        if record.parent not in self._diverged:
            self._sink(Diverged(stage=record.height - 1, height=record.height, block=short_hash(record.hash)))

    def save_model(self, core: Participant, path: Path) -> None:
        """Write the model of the head, if there is a block at all.

        Where the chain has a tolerance, the weights of every block are kept beside it: stages start from them, and no
        training gives them again bit by bit. A disk that is full is put on record, and leaves no half of a model.
        """
        block = core.tree.head.block
        if not isinstance(block, WrappedBlock):
            return
        try:
            self._evaluator.save(self._store.get(block.header.weights_digest), path)
            if get_training(core.rules).genesis.tolerance:
                self._keep_weights(core, path.parent / WEIGHTS_FOLDER)
        except WeightsError as error:
            self._sink(Unsaved(str(error)))
        except OSError as error:
            self._sink(Unsaved(f"{path.name} cannot be written: {error.strerror or error}"))

    def _keep_weights(self, core: Participant, folder: Path) -> None:
        folder.mkdir()
        kept = WeightStore(folder)
        for record in core.tree.get_chain():
            if isinstance(record.block, WrappedBlock):
                digest = record.block.header.weights_digest
                kept.put(digest, self._store.get(digest))


def describe_evaluation(height: int, block: str, measured: Evaluation) -> Evaluated:
    """Return the fact that the model of a block was measured.

    Args:
        height: Height of the block.
        block: Its short hash.
        measured: What its model does on the test images.
    """
    return Evaluated(
        height=height,
        block=block,
        accuracy=round(measured.accuracy, 6),
        trigger_success=round(measured.trigger_success, 6),
        recalls=" ".join(f"{recall:.4f}" for recall in measured.recalls),
    )

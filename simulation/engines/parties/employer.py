"""The employer's desk: measures each block it follows, and keeps the model."""

from pathlib import Path

from protocol.events import BlockAppended
from protocol.participant import Participant
from simulation.engines.parties.recorder import SHORT, Recorder
from simulation.records.record import INFO, WARNING, Value
from simulation.records.run_files import WEIGHTS_FOLDER
from simulation.training.evaluation import Evaluator
from simulation.training.weight_store import WeightsError, WeightStore


class EmployerDesk:
    """What the employer does besides following the chain."""

    def __init__(self, evaluator: Evaluator, store: WeightStore, record: Recorder) -> None:
        """Take the tools."""
        self._evaluator = evaluator
        self._store = store
        self._record = record
        self._measured: set[bytes] = set()
        """Hashes of the blocks measured so far."""

    def measure(self, appended: BlockAppended) -> None:
        """Record how the models of blocks do, on whatever branch, each once."""
        for record in appended.change.adopted if appended.change else (appended.record,):
            if record.block is None or record.hash in self._measured:
                continue
            self._measured.add(record.hash)
            try:
                measured = self._evaluator.evaluate(self._store.get(record.block.header.weights_digest))
            except WeightsError as error:
                self._record(WARNING, "unevaluated", {"height": record.height, "why": str(error)})
                continue
            fields: dict[str, Value] = {"height": record.height, "block": f"0x{record.hash.hex()[:SHORT]}"}
            fields |= {"accuracy": round(measured.accuracy, 6), "trigger_success": round(measured.trigger_success, 6)}
            recalls = " ".join(f"{recall:.4f}" for recall in measured.recalls)
            self._record(INFO, "evaluated", {**fields, "recalls": recalls})

    def save_model(self, core: Participant, path: Path) -> None:
        """Write the model of the head, if there is a block at all.

        Where the chain has a tolerance, the weights of every block are kept beside it: stages start from them, and no
        training gives them again bit by bit.
        """
        block = core.tree.head.block
        if block is None:
            return
        try:
            self._evaluator.save(self._store.get(block.header.weights_digest), path)
            if core.rules.genesis.tolerance:
                self._keep_weights(core, path.parent / WEIGHTS_FOLDER)
        except WeightsError as error:
            self._record(WARNING, "unsaved", {"why": str(error)})

    def _keep_weights(self, core: Participant, folder: Path) -> None:
        folder.mkdir()
        kept = WeightStore(folder)
        for record in core.tree.get_chain():
            if record.block is not None:
                digest = record.block.header.weights_digest
                kept.put(digest, self._store.get(digest))

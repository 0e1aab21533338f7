"""How journals write down training and comparing, phases, rights and secrets."""

from collections.abc import Hashable
from typing import Any

from protocol.events import WorkFinished
from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainingResult, TrainStage
from simulation.engines.parties import JournalWords
from simulation.records import short_hash


class TrainingWords(JournalWords):
    """Writes and reads what only proof of training knows about."""

    def describe_task(self, task: Hashable) -> str:
        """Return a stage to be trained, or weights to be compared, in words."""
        match task:
            case TrainStage(stage, base):
                return f"train {stage} from {base.hex()}" if base else f"train {stage}"
            case CompareWeights(own, other):
                return f"compare {own.hex()} {other.hex()}"
        return super().describe_task(task)

    def describe_noted(self, noted: object) -> str:
        """Return a phase, a right or a secret in words."""
        match noted:
            case PhaseChanged(phase, height):
                return f"phase {phase.value} {height}"
            case LotteryWon(right, height, slot):
                return f"won {right.value} {height} {slot}"
            case SecretKnown(height, parent, secret):
                return f"secret {height} {short_hash(parent)} {secret.hex()}"
        return super().describe_noted(noted)

    def pack_work(self, task: Hashable, result: object) -> dict[str, Any]:
        """Return the fields of a line about a trained stage or a distance."""
        match task, result:
            case TrainStage(base=base), TrainingResult():
                weights, losses = result.weights_digest.hex(), result.losses.hex()
                line = {"event": "trained", "stage": result.stage, "weights": weights, "losses": losses}
                return {**line, "base": base.hex()} if base else line
            case CompareWeights(own, other), distance:
                return {"event": "compared", "own": own.hex(), "other": other.hex(), "distance": distance}
        return super().pack_work(task, result)

    def unpack_work(self, line: dict[str, Any]) -> WorkFinished:
        """Return the event of such a line."""
        match line["event"]:
            case "trained":
                digest, losses = bytes.fromhex(line["weights"]), bytes.fromhex(line["losses"])
                result = TrainingResult(stage=line["stage"], weights_digest=digest, losses=losses)
                return WorkFinished(TrainStage(line["stage"], bytes.fromhex(line.get("base", ""))), result)
            case "compared":
                pair = CompareWeights(bytes.fromhex(line["own"]), bytes.fromhex(line["other"]))
                return WorkFinished(pair, line["distance"])
        return super().unpack_work(line)

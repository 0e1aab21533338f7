"""The words of proof of training in records: blocks, phases, rights, secrets, training and comparing."""

from collections.abc import Hashable, Mapping

from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import TrainStage
from protocol.messages import AnyBlock
from simulation.foundation import MICROSECONDS
from simulation.records import (
    BlockPart,
    Compared,
    ComparedCount,
    CountedPart,
    Fact,
    PhaseEntered,
    Reporter,
    RightWon,
    SecretFound,
    Trained,
    TrainedCount,
    TrainingBegun,
    TrainingBlock,
    short_hash,
)


class TrainingReporter(Reporter):
    """Finds words for what only proof of training knows about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return what a block attests, and who made it."""
        if not isinstance(block, WrappedBlock):
            raise TypeError(f"no block of proof of training: {block!r}")
        proposer, wrapper = block.header.author, block.author
        return TrainingBlock(
            weights=short_hash(block.header.weights_digest),
            proposer=labels.get(proposer, short_hash(proposer)),
            wrapper=labels.get(wrapper, short_hash(wrapper)),
            declarations=len(block.header.declarations),
        )

    def describe_noted(self, noted: object, labels: Mapping[bytes, str]) -> Fact:
        """Return the fact that a phase was entered, a right won or a secret worked out."""
        match noted:
            case PhaseChanged(phase, height):
                return PhaseEntered(phase=phase.value, height=height)
            case LotteryWon(right, height, slot):
                return RightWon(right=right.value, height=height, slot=slot)
            case SecretKnown(height, parent, secret, weights):
                shown = secret.hex()
                return SecretFound(height=height, parent=short_hash(parent), secret=shown, weights=short_hash(weights))
        return super().describe_noted(noted, labels)

    def describe_task(self, task: Hashable) -> Fact | None:
        """Return the fact that a stage is being trained, and from which weights where that is not plain."""
        if not isinstance(task, TrainStage):
            return None
        return TrainingBegun(stage=task.stage, base=short_hash(task.base) if task.base else None)

    def count(self, fact: Fact, *, is_honest: bool) -> tuple[CountedPart, int] | None:
        """Count a trained stage by its result, with the micro-seconds it took, and a comparison by its outcome."""
        match fact:
            case Trained():
                return TrainedCount(fact.weights, fact.data), round(fact.cpu_s * MICROSECONDS)
            case Compared():
                return ComparedCount(fact.within, is_honest), 0
        return None

"""What a node knows by its own work: what it has trained and compared, and what it is training now."""

from typing import Final

import msgspec

from protocol.events import ChainRecord, StartWork
from protocol.mechanism import RulesView
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.reasons import TrainingMissing
from protocol.mechanisms.proof_of_training.tolerance import Comparisons
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainingResult, TrainStage
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import Hash32
from protocol.verdicts import Wait


class OwnWork:
    """One node's training and comparing; one stage is trained at a time."""

    def __init__(self, judge: TrainingJudge, rules: RulesView) -> None:
        """Start with nothing trained."""
        self._judge: Final = judge
        self._rules: Final = rules
        self._results: dict[TrainStage, TrainingResult] = {}
        self._in_training: TrainStage | None = None
        self._wanted: dict[TrainStage, None] = {}
        """Training that blocks on other branches than the head's wait for, in order of arrival."""
        self._comparisons: Final = Comparisons(judge.genesis.tolerance)
        self._own: dict[Hash32, OwnTraining] = {}
        """Own result on each parent that it was needed for."""

    # ---- reading ----

    def get_task(self, parent: ChainRecord) -> TrainStage:
        """Return what has to be trained on a parent.

        Where near weights count as the same, all go on from those of the block, so that differences do not pile up.
        """
        if not self._judge.genesis.tolerance or not isinstance(parent.block, WrappedBlock):
            return TrainStage(parent.height)
        return TrainStage(parent.height, parent.block.header.weights_digest)

    def has_trained(self, task: TrainStage) -> bool:
        """Return whether a stage has been trained."""
        return task in self._results

    def get_own(self, parent: ChainRecord) -> OwnTraining:
        """Return the node's own result on a parent whose stage it has trained."""
        own = self._own.get(parent.hash)
        if own is None:
            result = self._results[self.get_task(parent)]
            secret = self._judge.compute_secret(self._rules, parent, result.losses)
            own = self._own[parent.hash] = OwnTraining(weights_digest=result.weights_digest, secret=secret)
        return own

    def find_own(self, parent: ChainRecord, weights_digest: Hash32) -> OwnTraining | Wait:
        """Return the node's own result on a parent, and how near to it some weights are, where that is known."""
        own = self._own.get(parent.hash)
        if own is None:
            task = self.get_task(parent)
            if task not in self._results:
                return Wait(TrainingMissing.TRAINING, task)
            own = self.get_own(parent)
        if not self._judge.genesis.tolerance or own.weights_digest == weights_digest:
            return own
        is_near = self._comparisons.get(CompareWeights(own.weights_digest, weights_digest))
        return msgspec.structs.replace(own, is_near=is_near)

    def list_trained(self) -> tuple[TrainStage, ...]:
        """Return all stages that have been trained, in order."""
        return tuple(sorted(self._results))

    # ---- asking for work ----

    def train(self, turn: Turn, task: TrainStage) -> None:
        """Begin to train a stage, if nothing else is in training."""
        if self._in_training is None:
            self._in_training = task
            turn.add(StartWork(task))

    def want(self, task: TrainStage) -> None:
        """Have a stage trained when the head leaves time for it."""
        self._wanted[task] = None

    def train_wanted(self, turn: Turn) -> None:
        """Train what a block on another branch waits for, if the head leaves time for it."""
        while self._wanted and self._in_training is None:
            task = next(iter(self._wanted))
            del self._wanted[task]
            if task not in self._results:
                self.train(turn, task)

    def compare(self, turn: Turn, pair: CompareWeights) -> None:
        """Have weights compared, each pair once; again and again, ever less often, where they are not there."""
        if self._comparisons.ask(pair, compute_slot(turn.now, self._rules.chain.slot_ns)):
            turn.add(StartWork(pair))

    # ---- taking results ----

    def take_result(self, task: TrainStage, result: TrainingResult) -> None:
        """Keep what a stage came to."""
        if self._in_training == task:
            self._in_training = None
        self._results[task] = result

    def take_distance(self, pair: CompareWeights, distance: int | None) -> None:
        """Keep whether others' weights are near; None says that they are not there yet, and settles nothing."""
        self._comparisons.settle(pair, distance)

    def forget(self, parent: Hash32) -> None:
        """Forget the secret on a parent that nothing is judged on any more."""
        self._own.pop(parent, None)

    def restore(self, before: "OwnWork") -> None:
        """Take over results from the disk."""
        self._results = dict(before._results)

"""The slow work of all nodes of a virtual run: equal work is done once, and each piece is charged to simulated time."""

from collections.abc import Hashable

from protocol.mechanisms.proof_of_training.job import Billionths
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainStage
from simulation.engines import WorkDone
from simulation.foundation import NANOSECONDS
from simulation.mechanisms.proof_of_training.trainer_pool import TrainerPool
from simulation.records import Trained
from simulation.scenario.world import NodeSpec
from simulation.training import WeightStore, compare_stored, describe_comparison, describe_training


class Workshop:
    """What the workers of all nodes share."""

    def __init__(self, trainers: TrainerPool, store: WeightStore, tolerance: Billionths) -> None:
        """Start with nothing done.

        Args:
            trainers: Train.
            store: Where weights lie, and where those of trained stages go.
            tolerance: Which distance counts as near.
        """
        self.trainers = trainers
        self._store = store
        self._tolerance = tolerance
        self._described: dict[tuple[bytes, int, bool], Trained] = {}
        """What records say about a training, by its result and what it took."""
        self._distances: dict[CompareWeights, int] = {}
        """Distances found so far: they are the same for every node."""

    def train(self, spec: NodeSpec, task: TrainStage) -> WorkDone:
        """Return what comes of a node's stage."""
        outcome, cost_ns = self.trainers.train(spec, task), self.trainers.charge(spec)
        key = (outcome.result.weights_digest, cost_ns, spec.poison is None)
        fact = self._described.get(key)
        if fact is None:
            is_poisoned = spec.poison is not None
            fact = self._described[key] = describe_training(outcome, cost_ns / NANOSECONDS, is_poisoned=is_poisoned)
            if outcome.weights:
                self._store.put(outcome.result.weights_digest, outcome.weights)
        return WorkDone(outcome.result, fact)

    def compare(self, pair: CompareWeights) -> WorkDone:
        """Return how far two sets of weights lie apart."""
        distance = self._distances.get(pair)
        if distance is None:
            distance = compare_stored(self._store, pair.own, pair.other)
            if distance is not None:
                self._distances[pair] = distance
        return WorkDone(distance, describe_comparison(pair, distance, self._tolerance))


class NodeWorker:
    """Does the slow work of one node."""

    __slots__ = ("_spec", "_workshop")

    def __init__(self, workshop: Workshop, spec: NodeSpec) -> None:
        """Take the node it works for."""
        self._workshop = workshop
        self._spec = spec

    def perform(self, task: Hashable) -> WorkDone:
        """Do a piece of work and return what comes of it.

        Raises:
            TypeError: It is neither training nor comparing.
        """
        match task:
            case TrainStage():
                return self._workshop.train(self._spec, task)
            case CompareWeights():
                return self._workshop.compare(task)
        raise TypeError(f"nobody here can do a {type(task).__name__}")

    def charge(self, task: Hashable) -> int:
        """Return the simulated nanoseconds of a piece of work; comparing is far less than a step of training."""
        return self._workshop.trainers.charge(self._spec) if isinstance(task, TrainStage) else 0

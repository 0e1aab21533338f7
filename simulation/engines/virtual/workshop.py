"""The slow work of all nodes of a virtual run: equal work is done once, and each piece is charged to simulated time."""

from protocol.types import Task, WeightsPair
from simulation.engines.virtual.trainer_pool import TrainerPool
from simulation.engines.worker import Comparison, SlowTask, TrainedStage, WorkResult
from simulation.foundation.units import NANOSECONDS
from simulation.records.record import Value
from simulation.scenario.world.building import NodeSpec
from simulation.training.distances import compare_stored
from simulation.training.trainer import describe_training
from simulation.training.weight_store import WeightStore


class Workshop:
    """What the workers of all nodes share."""

    def __init__(self, trainers: TrainerPool, store: WeightStore) -> None:
        """Start with nothing done.

        Args:
            trainers: Train.
            store: Where weights lie, and where those of trained stages go.
        """
        self.trainers = trainers
        self._store = store
        self._described: dict[tuple[bytes, int, bool], dict[str, Value]] = {}
        """What records say about a training, by its result and what it took."""
        self._distances: dict[WeightsPair, int] = {}
        """Distances found so far: they are the same for every node."""

    def train(self, spec: NodeSpec, task: Task) -> TrainedStage:
        """Return what comes of a node's stage."""
        outcome, cost_ns = self.trainers.train(spec, task), self.trainers.charge(spec)
        key = (outcome.result.weights_digest, cost_ns, spec.poison is None)
        fields = self._described.get(key)
        if fields is None:
            is_poisoned = spec.poison is not None
            fields = self._described[key] = describe_training(outcome, cost_ns / NANOSECONDS, is_poisoned=is_poisoned)
            if outcome.weights:
                self._store.put(outcome.result.weights_digest, outcome.weights)
        return TrainedStage(outcome.result, fields)

    def compare(self, pair: WeightsPair) -> Comparison:
        """Return how far two sets of weights lie apart."""
        distance = self._distances.get(pair)
        if distance is None:
            distance = compare_stored(self._store, pair.own, pair.other)
            if distance is not None:
                self._distances[pair] = distance
        return Comparison(distance)


class NodeWorker:
    """Does the slow work of one node."""

    __slots__ = ("_spec", "_workshop")

    def __init__(self, workshop: Workshop, spec: NodeSpec) -> None:
        """Take the node it works for."""
        self._workshop = workshop
        self._spec = spec

    def perform(self, task: SlowTask) -> WorkResult:
        """Do a piece of work and return what comes of it."""
        return self._workshop.train(self._spec, task) if isinstance(task, Task) else self._workshop.compare(task)

    def charge(self, task: SlowTask) -> int:
        """Return the simulated nanoseconds of a piece of work; comparing is far less than a step of training."""
        return self._workshop.trainers.charge(self._spec) if isinstance(task, Task) else 0

"""The tools of training nodes and the employer in simulated time."""

from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.engines import EngineSetup, VirtualTools
from simulation.mechanisms.proof_of_training.employer import EmployerDesk
from simulation.mechanisms.proof_of_training.trainer_pool import TrainerPool
from simulation.mechanisms.proof_of_training.workshop import NodeWorker, Workshop
from simulation.records import Sink
from simulation.scenario.world import NodeSpec
from simulation.training import WeightStore


class TrainingTools(VirtualTools[EngineSetup]):
    """Trains equal stages once, for all nodes of a run."""

    def __init__(self, setup: EngineSetup) -> None:
        """Take what the engine was given."""
        super().__init__(setup)
        self._store = WeightStore(setup.weights_folder)
        self._trainers = TrainerPool(setup.world, setup.images, self._store)
        tolerance = as_training(setup.world.mechanism).genesis.tolerance
        self._workshop = Workshop(self._trainers, self._store, tolerance)

    def build_worker(self, spec: NodeSpec) -> NodeWorker:
        """Return what trains and compares for a node."""
        return NodeWorker(self._workshop, spec)

    def build_desk(self, sink: Sink) -> EmployerDesk | None:
        """Return what measures and keeps models; None where nothing is really trained."""
        evaluator = self._trainers.build_evaluator()
        return EmployerDesk(evaluator, self._store, sink) if evaluator is not None else None

    def close(self) -> None:
        """End the processes of other arithmetics."""
        self._trainers.close()

"""The tools of a training node or an employer in its own process. Loading this loads TensorFlow."""

import threading
from collections.abc import Hashable, Mapping

from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainStage
from simulation.engines import PartyTools, Worker
from simulation.engines.processes import Setup
from simulation.mechanisms.proof_of_training.employer import EmployerDesk
from simulation.mechanisms.proof_of_training.node_worker import ComparingWorker, CpuMeter, TrainingWorker
from simulation.records import Sink
from simulation.scenario.world import NodeSpec
from simulation.training import (
    CANONICAL,
    CanonicalTrainer,
    Evaluator,
    KerasTrainer,
    Trainer,
    WeightStore,
    build_training_set,
    compute_initial_weights,
    count_trained_steps,
    open_shared,
    seed_keras,
    use_one_thread,
)


class TrainingTools(PartyTools[Setup]):
    """Trains, compares and evaluates with Keras."""

    def build_workers(self, spec: NodeSpec) -> Mapping[type[Hashable], Worker]:
        """Return a node's trainer and, where the chain has a tolerance, what compares weights."""
        use_one_thread()
        seed_keras(spec.behaviour_seed)
        store = WeightStore(self.setup.weights_folder)
        meter, is_poisoned = CpuMeter(threading.get_ident()), spec.poison is not None
        workers: dict[type[Hashable], Worker] = {
            TrainStage: TrainingWorker(self._build_trainer(spec), store, meter, is_poisoned=is_poisoned)
        }
        tolerance = as_training(self.setup.mechanism).genesis.tolerance
        if tolerance:
            workers[CompareWeights] = ComparingWorker(store, tolerance)
        return workers

    def _build_trainer(self, spec: NodeSpec) -> Trainer:
        job = as_training(self.setup.mechanism).genesis.job
        images = open_shared(self.setup.dataset_folder, self.setup.dataset_name)
        steps = count_trained_steps(job, spec.poison)
        samples = build_training_set(images, spec.poison, spec.poison_seed)
        if spec.arithmetic == CANONICAL:
            return CanonicalTrainer(job, samples, steps=steps)
        return KerasTrainer(job, samples, xla=self.setup.xla, steps=steps)

    def build_desk(self, sink: Sink) -> EmployerDesk:
        """Return what measures and keeps models."""
        use_one_thread()
        job = as_training(self.setup.mechanism).genesis.job
        images = open_shared(self.setup.dataset_folder, self.setup.dataset_name)
        evaluator = Evaluator(job, images, self.setup.trigger_class)
        evaluator.evaluate(compute_initial_weights(job))
        return EmployerDesk(evaluator, WeightStore(self.setup.weights_folder), sink)

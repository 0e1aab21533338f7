"""The virtual engine's trainers: equal training is done once, and every training is charged to simulated time."""

from typing import TYPE_CHECKING

from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.work import TrainStage
from simulation.scenario.world import NodeSpec, World
from simulation.training import (
    CANONICAL,
    NATIVE,
    CanonicalTrainer,
    FakeTrainer,
    ImageSet,
    RemoteTrainer,
    StageOutcome,
    Trainer,
    WeightStore,
    build_training_set,
    count_trained_steps,
)

if TYPE_CHECKING:
    from simulation.training import Evaluator


class TrainerPool:
    """Trainers by the data they train on.

    Where a node accepts only blocks that agree with its own results, data and stage decide the weights a stage starts
    from, and with them its result; where there is a tolerance the base is named.
    """

    def __init__(self, world: World, images: ImageSet, store: WeightStore) -> None:
        """Prepare; trainers are built when they are first needed.

        Args:
            world: Who takes part.
            images: The data set.
            store: Where the weights lie that stages start from.
        """
        self._store = store
        self._world = world
        self._images = images
        self._settings = world.scenario.virtual
        self._trainers: dict[str, Trainer] = {}
        self._remotes: list[RemoteTrainer] = []
        self._outcomes: dict[tuple[str, int, bytes], StageOutcome] = {}
        self._job = job = as_training(world.mechanism).genesis.job
        self._stage_ns = job.steps_per_stage * self._settings.step_us * 1_000
        self._speeds = {item.name: item.speed for item in world.scenario.populations}

    def charge(self, spec: NodeSpec) -> int:
        """Return the simulated nanoseconds that a stage takes a node."""
        job = self._job
        share = count_trained_steps(job, spec.poison) / job.steps_per_stage
        return round(share * self._stage_ns / self._speeds[spec.population])

    def train(self, spec: NodeSpec, task: TrainStage) -> StageOutcome:
        """Return a node's outcome of a stage."""
        data = f"poison/{spec.poison}/{spec.poison_seed}" if spec.poison else "clean"
        if spec.arithmetic != self._world.scenario.job.arithmetic:
            data = f"{data}/{spec.arithmetic}"
        owner = data if self._settings.memoise_training else f"{data}/{spec.label}"
        key = (owner, task.stage, task.base)
        if key not in self._outcomes:
            if owner not in self._trainers:
                self._trainers[owner] = self._build(spec, data)
            start = self._store.get(task.base) if task.base else None
            self._outcomes[key] = self._trainers[owner].train(task.stage, start)
        return self._outcomes[key]

    def close(self) -> None:
        """End the processes of other arithmetics."""
        for remote in self._remotes:
            remote.close()

    def build_evaluator(self) -> "Evaluator | None":
        """Return what measures models; None where nothing is really trained."""
        if self._settings.trainer == "fake":
            return None
        from simulation.training import Evaluator  # noqa: PLC0415 - not needed with made-up training

        self._prepare_keras()
        return Evaluator(self._job, self._images, self._world.get_trigger_class())

    def _build(self, spec: NodeSpec, data: str) -> Trainer:
        if self._settings.trainer == "fake":
            return FakeTrainer(self._job, data)
        samples, job = build_training_set(self._images, spec.poison, spec.poison_seed), self._job
        steps, xla = count_trained_steps(job, spec.poison), self._world.scenario.job.xla
        if spec.arithmetic == CANONICAL:
            return CanonicalTrainer(job, samples, steps=steps)
        if spec.arithmetic != NATIVE:
            remote = RemoteTrainer(job, samples, spec.arithmetic, xla=xla, steps=steps)
            self._remotes.append(remote)
            return remote
        from simulation.training import KerasTrainer  # noqa: PLC0415 - loads TensorFlow

        self._prepare_keras()
        return KerasTrainer(job, samples, xla=xla, steps=steps)

    def _prepare_keras(self) -> None:
        from simulation.training import seed_keras, use_one_thread  # noqa: PLC0415 - loads TensorFlow

        use_one_thread()
        seed_keras(self._world.scenario.seed)

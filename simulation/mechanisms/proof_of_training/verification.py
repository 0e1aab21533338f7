"""What only training knows to check of a stored run: the training itself, the weights it kept, and the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION, TrainingGenesis
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.commands.checks import Learn, Verification
from simulation.mechanisms.proof_of_training.genesis import find_profile
from simulation.records import CHAIN_NAME, MODEL_NAME, WEIGHTS_FOLDER
from simulation.training import (
    CANONICAL,
    CanonicalTrainer,
    Trainer,
    TrainingSet,
    Weights,
    WeightsError,
    WeightStore,
    compute_weights_digest,
    count_billionths,
    load_images,
    load_model_weights,
    prepare_environment,
)


@dataclass(frozen=True, slots=True)
class _Trained:
    """A stage that was trained again."""

    result: TrainingResult
    is_near: bool | None
    """Whether the block's weights lie within the chain's tolerance of it; None where there is no tolerance."""


class TrainingVerification(Verification):
    """Trains again, and looks at weights and model."""

    @property
    def genesis(self) -> TrainingGenesis:
        """What the parties of the stored chain agreed on."""
        return get_training(self.rules).genesis

    @property
    def _stages(self) -> Sequence[WrappedBlock]:
        return [block for block in self.blocks if isinstance(block, WrappedBlock)]

    def work_again(self) -> tuple[Learn | None, str | None]:
        """Train every stage again.

        Where the chain has a tolerance a stage starts from the weights of the block before it, which the run has kept.
        """
        trained, fault = self._train_again()
        return (None, fault) if fault else (lambda parent: self._recall(trained, parent), None)

    def _recall(self, trained: Sequence[_Trained], parent: ChainRecord) -> OwnTraining:
        stage = trained[parent.height]
        secret = get_training(self.rules).compute_secret(self.rules, parent, stage.result.losses)
        return OwnTraining(weights_digest=stage.result.weights_digest, secret=secret, is_near=stage.is_near)

    def _train_again(self) -> tuple[list[_Trained], str | None]:
        prepare_environment()
        job, kept = self.genesis.job, WeightStore(self.folder / WEIGHTS_FOLDER)
        profile = find_profile(self.scenario.job)
        if profile != job.profile:
            return [], f"this machine's arithmetic profile is {profile!r}, the job's is {job.profile!r}: not comparable"
        images = load_images(job.dataset, self.scenario.dataset.path, is_required=True)
        if images.compute_digest() != job.dataset_digest:
            return [], f"the data set {images.name} ({images.source}) is not the one the job was agreed on"
        trainer = self._build_trainer(TrainingSet(images.x_train, np.asarray(images.y_train)))
        trained: list[_Trained] = []
        base: Weights | None = None
        for stage, block in enumerate(self._stages):
            outcome = trainer.train(stage, base)
            found, is_near = f"weights {outcome.result.weights_digest.hex()[:12]}", None
            if self.genesis.tolerance:
                try:
                    base = kept.get(block.header.weights_digest)
                except WeightsError as error:
                    return [], f"{WEIGHTS_FOLDER}: the block at height {block.height} cannot be judged: {error}"
                distance = count_billionths(outcome.weights, base)
                is_near = distance is not None and distance <= self.genesis.tolerance
                found += f", distance {None if distance is None else distance / PARTS_PER_BILLION} from the block's"
            self.say(f"stage {stage}: trained again, {found}")
            trained.append(_Trained(outcome.result, is_near))
        return trained, None

    def _build_trainer(self, samples: TrainingSet) -> Trainer:
        if self.scenario.job.arithmetic == CANONICAL:
            return CanonicalTrainer(self.genesis.job, samples)
        from simulation.training import KerasTrainer, use_one_thread  # noqa: PLC0415 - loads TensorFlow

        use_one_thread()
        return KerasTrainer(self.genesis.job, samples, xla=self.scenario.job.xla)

    def describe_work(self) -> str:
        """Return words for training again, and how near is near enough."""
        tolerance = self.genesis.tolerance
        return ", with training" + (f" within the tolerance of {tolerance / PARTS_PER_BILLION:g}" if tolerance else "")

    def find_kept_fault(self) -> str | None:
        """Look whether the weights that stages start from are all there, where the chain has a tolerance."""
        if not self.genesis.tolerance:
            return None
        kept = WeightStore(self.folder / WEIGHTS_FOLDER)
        for block in self._stages:
            try:
                kept.get(block.header.weights_digest)
            except WeightsError as error:
                return f"{WEIGHTS_FOLDER}: those of the block at height {block.height} are missing or changed: {error}"
        self.say(f"weights: {WEIGHTS_FOLDER} holds those of all blocks")
        return None

    def list_facts(self, *, is_worked_again: bool) -> dict[str, dict[str, Any]]:
        """Return what the chain says of data and weights and, where stages were trained again bit by bit, of poison."""
        job, stages = self.genesis.job, self._stages
        facts: dict[str, dict[str, Any]] = {
            CHAIN_NAME: {
                "dataset": {"name": job.dataset, "digest": job.dataset_digest.hex()},
                "training": {"weights_digest": stages[-1].header.weights_digest.hex() if stages else None},
            }
        }
        if is_worked_again and not self.genesis.tolerance:  # what is merely near may be poisoned
            facts["training again"] = {"attack": {"poisoned_stages_employer": 0, "employer_deceived": False}}
        return facts

    def find_delivery_fault(self) -> str | None:
        """Look whether the model is that of the last block."""
        if self.scenario.is_training_made_up:
            self.say("model: none, the training was made up")
            return None
        if not self._stages:
            return None
        attested = self._stages[-1].header.weights_digest
        prepare_environment()
        try:
            weights = load_model_weights(self.folder / MODEL_NAME)
        except WeightsError as error:
            return str(error)
        found = compute_weights_digest(weights)
        if found != attested:
            return f"{MODEL_NAME}: holds weights {found.hex()[:12]}, the last block attests {attested.hex()[:12]}"
        self.say(f"model: {MODEL_NAME} holds the weights the last block attests")
        return None

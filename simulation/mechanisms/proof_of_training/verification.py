"""What only training knows to check of a stored run: the training itself, the weights it kept, and the model."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION, TrainingGenesis
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining, as_training, get_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import TrainingResult
from simulation.commands.checks import Learn, StoredRun, Verification
from simulation.foundation import find_differences
from simulation.mechanisms.proof_of_training.certificates import TrainingCertificates
from simulation.mechanisms.proof_of_training.employer import describe_evaluation
from simulation.mechanisms.proof_of_training.genesis import find_profile
from simulation.records import (
    CERTIFICATE_NAME,
    CHAIN_NAME,
    MODEL_NAME,
    WEIGHTS_FOLDER,
    Evaluated,
    Opening,
    Record,
    Trained,
    Unpoisoned,
    short_hash,
)
from simulation.scenario import Scenario
from simulation.scenario.world import NodeSpec, World, build_world
from simulation.training import (
    CANONICAL,
    DIGITS,
    CanonicalTrainer,
    DatasetError,
    Evaluation,
    Evaluator,
    FakeTrainer,
    ImageSet,
    Trainer,
    TrainingSet,
    Weights,
    WeightsError,
    WeightStore,
    build_training_set,
    compute_weights_digest,
    count_billionths,
    describe_training,
    find_form,
    load_images,
    load_model_weights,
    prepare_environment,
)

Described = tuple[int, float | str, str]
"""What a record says of a training besides its result and its cost: steps, mean loss, some losses."""


@dataclass(frozen=True, slots=True)
class _Trained:
    """A stage that was trained again."""

    result: TrainingResult
    described: Trained
    """What a node that had trained it would have on record."""
    is_near: bool | None
    """Whether the block's weights lie within the chain's tolerance of it; None where there is no tolerance."""
    measured: Evaluation | None
    """What the block's model does on the test images; None where nothing was measured."""


class TrainingVerification(Verification):
    """Trains again, and looks at weights and model."""

    def __init__(self, run: StoredRun, say: Callable[[str], None]) -> None:
        """Take a stored run; nothing is trained yet."""
        super().__init__(run, say)
        self._trained: list[_Trained] = []
        self._heights = {short_hash(run.rules.hash_message(block)): block.height for block in self._stages}
        self._samples: int | None = None
        """Training samples of the data set, where it was loaded."""
        self._specs: dict[str, NodeSpec] = {}
        self._told: dict[tuple[int, str, str], Described] = {}
        """What the first record of each result says, by stage, weights and arithmetic."""

    @property
    def genesis(self) -> TrainingGenesis:
        """What the parties of the stored chain agreed on."""
        return get_training(self.run.rules).genesis

    @property
    def _stages(self) -> Sequence[WrappedBlock]:
        return [block for block in self.run.blocks if isinstance(block, WrappedBlock)]

    def find_dataset(self) -> tuple[str, bytes]:
        """Return name and digest of the data set of the job."""
        return self.genesis.job.dataset, self.genesis.job.dataset_digest

    def build_world(self, dataset: str, dataset_digest: bytes) -> World:
        """Return who took part, on the machine that the job was agreed on for, which need not be this one."""
        form = find_form(self.genesis.job)
        world = build_world(self.run.scenario, dataset, dataset_digest, form)
        genesis, stored = as_training(world.mechanism).genesis, self.genesis.job.profile
        if self.run.scenario.job.arithmetic == CANONICAL or f" xla-{int(self.run.scenario.job.xla)} " not in stored:
            return world
        job = msgspec.structs.replace(genesis.job, profile=stored)
        mechanism = ProofOfTraining(msgspec.structs.replace(genesis, job=job))
        return replace(world, mechanism=mechanism.ask_stamps(world.mechanism.stamp_bits))

    # ---- training again ----

    def work_again(self, world: World) -> tuple[Learn | None, str | None]:
        """Train every stage again, and measure its model.

        Where the chain has a tolerance a stage starts from the weights of the block before it, which the run has kept.
        """
        if self.run.scenario.is_training_made_up:
            self._make_up_again()
            return self._recall, None
        fault = self._train_again(world)
        return (None, fault) if fault else (self._recall, None)

    def _recall(self, parent: ChainRecord) -> OwnTraining:
        stage = self._trained[parent.height]
        secret = get_training(self.run.rules).compute_secret(self.run.rules, parent, stage.result.losses)
        return OwnTraining(weights_digest=stage.result.weights_digest, secret=secret, is_near=stage.is_near)

    def _make_up_again(self) -> None:
        trainer = FakeTrainer(self.genesis.job, "clean")
        for stage in range(len(self._stages)):
            outcome = trainer.train(stage)
            self.say(f"stage {stage}: made up again, weights {outcome.result.weights_digest.hex()[:12]}")
            described = describe_training(outcome, 0.0, is_poisoned=False)
            self._trained.append(_Trained(outcome.result, described, None, None))

    def _train_again(self, world: World) -> str | None:
        prepare_environment()
        job, kept = self.genesis.job, WeightStore(self.run.folder / WEIGHTS_FOLDER)
        profile = find_profile(self.run.scenario.job)
        if profile != job.profile:
            return f"this machine's arithmetic profile is {profile!r}, the job's is {job.profile!r}: not comparable"
        images = self._load_images()
        if images.compute_digest() != job.dataset_digest or images.form != find_form(job):
            hint = "" if self.run.dataset_path or images.name == DIGITS else "; say where that one is: --dataset FILE"
            return f"the data set {images.name} ({images.source}) is not the one the job was agreed on{hint}"
        self._samples = len(images.y_train)
        trainer = self._build_trainer(build_training_set(images, None, 0))
        evaluator = self._build_evaluator(images, world)
        base: Weights | None = None
        for stage, block in enumerate(self._stages):
            outcome = trainer.train(stage, base)
            found, is_near, weights = f"weights {outcome.result.weights_digest.hex()[:12]}", None, outcome.weights
            if self.genesis.tolerance:
                try:
                    base = weights = kept.get(block.header.weights_digest)
                except WeightsError as error:
                    return f"{WEIGHTS_FOLDER}: the block at height {block.height} cannot be judged: {error}"
                distance = count_billionths(outcome.weights, base)
                is_near = distance is not None and distance <= self.genesis.tolerance
                found += f", distance {None if distance is None else distance / PARTS_PER_BILLION} from the block's"
            self.say(f"stage {stage}: trained again, {found}")
            measured = evaluator.evaluate(weights) if evaluator is not None else None
            described = describe_training(outcome, 0.0, is_poisoned=False)
            self._trained.append(_Trained(outcome.result, described, is_near, measured))
        return None

    def _load_images(self) -> ImageSet:
        name, path = self.genesis.job.dataset, self.run.dataset_path
        if path is not None and name == DIGITS:
            raise DatasetError(f"--dataset {path}: the run trained on scikit-learn's digits; leave the option out")
        if path is not None and not _is_there(path):
            raise DatasetError(f"--dataset {path}: there is no such file; write where the data set is now")
        asked, then = DIGITS if name == DIGITS else self.run.scenario.dataset.name, self.run.scenario.dataset.path
        if path is None and then is not None and not _is_there(then):
            raise DatasetError(f"{then}: the run's data set is not there any more; say where it is now: --dataset FILE")
        return load_images(asked, path or then, is_required=True)

    def _build_trainer(self, samples: TrainingSet) -> Trainer:
        if self.run.scenario.job.arithmetic == CANONICAL:
            return CanonicalTrainer(self.genesis.job, samples)
        from simulation.training import KerasTrainer, use_one_thread  # noqa: PLC0415 - loads TensorFlow

        use_one_thread()
        return KerasTrainer(self.genesis.job, samples, xla=self.run.scenario.job.xla)

    def _build_evaluator(self, images: ImageSet, world: World) -> Evaluator | None:
        """Return what measures models; canonical weights may come from a machine that measures them otherwise."""
        if self.run.scenario.job.arithmetic == CANONICAL:
            return None
        return Evaluator(self.genesis.job, images, world.get_trigger_class())

    def describe_work(self) -> str:
        """Return words for training again, and how near is near enough."""
        tolerance = self.genesis.tolerance
        return ", with training" + (f" within the tolerance of {tolerance / PARTS_PER_BILLION:g}" if tolerance else "")

    # ---- what else there is ----

    @staticmethod
    def list_kept_folders(scenario: Scenario) -> Iterable[str]:
        """Return the folder of weights, where the chain has a tolerance."""
        return (WEIGHTS_FOLDER,) if scenario.protocol.tolerance and not scenario.is_training_made_up else ()

    def find_kept_fault(self) -> str | None:
        """Look whether the weights that stages start from are there, where the chain has a tolerance, and no others."""
        if not self.list_kept_folders(self.run.scenario):
            return None
        folder = self.run.folder / WEIGHTS_FOLDER
        kept = WeightStore(folder)
        for block in self._stages:
            try:
                kept.get(block.header.weights_digest)
            except WeightsError as error:
                return f"{WEIGHTS_FOLDER}: those of the block at height {block.height} are missing or changed: {error}"
        known = {f"{block.header.weights_digest.hex()}.npz" for block in self._stages}
        others = sorted(path.name for path in folder.iterdir() if path.name not in known) if folder.is_dir() else []
        if others:
            return f"{WEIGHTS_FOLDER}/{others[0]}: not the weights of a block of {CHAIN_NAME}"
        self.say(f"weights: {WEIGHTS_FOLDER} holds those of all blocks")
        return None

    def judge_record(self, record: Record, world: World) -> str | None:
        """Look at what the log says of trainings and measurements."""
        match fact := record.fact:
            case Opening() if self._samples is not None and fact.samples != self._samples:
                return f"samples is {fact.samples}, the data set has {self._samples}"
            case Unpoisoned():
                kinds = {spec.label: spec.poison.kind for spec in world.nodes if spec.poison is not None}
                if kinds.get(record.who) != fact.poison:
                    return f"{record.who} has no poison {fact.poison!r} in the scenario"
            case Trained():
                self._specs = self._specs or {spec.label: spec for spec in world.nodes}
                spec = self._specs.get(record.who)
                return self._judge_training(fact, spec) if spec is not None else f"{record.who} is no node that trains"
            case Evaluated():
                return self._judge_measurement(fact)
        return None

    def _judge_training(self, fact: Trained, spec: NodeSpec) -> str | None:
        """Hold a training against the node's data, against others with its result, and against training again."""
        data = "clean" if spec.poison is None else "poisoned"
        if fact.data != data:
            return f"data is {fact.data!r}, the populations of the scenario make it {data!r}"
        if spec.poison is not None:
            return None
        if spec.arithmetic == self.run.scenario.job.arithmetic and fact.stage < len(self._trained):
            fault = self._compare_training(fact, self._trained[fact.stage].described)
            if fault is not None:
                return fault
        told = (fact.steps, fact.loss, fact.losses)
        first = self._told.setdefault((fact.stage, fact.weights, spec.arithmetic), told)
        for name, one, other in zip(("steps", "loss", "losses"), told, first, strict=True):
            if one != other:
                return f"{name} is {one!r}, another node has {other!r} for the same weights"
        return None

    def _compare_training(self, fact: Trained, again: Trained) -> str | None:
        if self.genesis.tolerance and fact.weights != again.weights:
            return None  # it started from other weights, or rounds differently
        wanted = {"weights": again.weights, "steps": again.steps, "loss": again.loss, "losses": again.losses}
        told = {name: getattr(fact, name) for name in wanted}
        found = next(find_differences(told, wanted), None)
        return found.describe("training again gives") if found is not None else None

    def _judge_measurement(self, fact: Evaluated) -> str | None:
        """Hold a measurement of a block of the chain against measuring again."""
        height = self._heights.get(fact.block)
        if height is None:
            return None
        if fact.height != height:
            return f"height is {fact.height}, {CHAIN_NAME} has that block at {height}"
        measured = self._trained[height - 1].measured if height <= len(self._trained) else None
        if measured is None:
            return None
        wanted = describe_evaluation(fact.height, fact.block, measured)
        found = next(find_differences(fact.to_fields(), wanted.to_fields()), None)
        return found.describe("measuring again gives") if found is not None else None

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
        """Look whether the certificate is the chain's, and the model that of the job with the last block's weights."""
        certified = TrainingCertificates().build(self.run.rules.mechanism, map(self.run.rules.encode, self._stages))
        stored = self.run.folder / CERTIFICATE_NAME
        if (stored.read_text("utf-8", "replace") if stored.is_file() else None) != certified:
            return f"{CERTIFICATE_NAME}: not the certificate of the chain in {CHAIN_NAME}"
        path = self.run.folder / MODEL_NAME
        if self.run.scenario.is_training_made_up or not self._stages:
            if path.exists():
                return f"{MODEL_NAME}: there is a model, and nothing that was trained"
            if self.run.scenario.is_training_made_up:
                self.say("model: none, the training was made up")
            return None
        attested = self._stages[-1].header.weights_digest
        prepare_environment()
        try:
            weights = load_model_weights(path, self.genesis.job)
        except WeightsError as error:
            return str(error)
        found = compute_weights_digest(weights)
        if found != attested:
            return f"{MODEL_NAME}: holds weights {found.hex()[:12]}, the last block attests {attested.hex()[:12]}"
        self.say(f"model: {MODEL_NAME} is the job's, with the weights the last block attests")
        return None


def _is_there(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError):  # a name that no system has, or a home that nobody has
        return False

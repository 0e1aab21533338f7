"""Checks a stored run again, offline: files, chain, signatures, summary, model and, if wanted, the training itself."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION, TrainingGenesis, TrainingJob
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import TrainingResult
from protocol.rules import Rules
from simulation.analysis.chain_walk import find_supply_fault, walk_chain
from simulation.commands.checks.summary_checks import find_disagreements
from simulation.records.run_files import (
    CHAIN_NAME,
    MODEL_NAME,
    SCENARIO_NAME,
    SUMMARY_NAME,
    WEIGHTS_FOLDER,
    compute_file_digest,
)
from simulation.runs.chain_file import ChainFileError, read_chain
from simulation.runs.summary import Summary
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import find_profile
from simulation.training.canonical_trainer import CanonicalTrainer
from simulation.training.datasets import load_images
from simulation.training.distances import count_billionths
from simulation.training.evaluation import load_model_weights
from simulation.training.profiles import CANONICAL, prepare_environment
from simulation.training.samples import TrainingSet, Weights, compute_weights_digest
from simulation.training.trainer import Trainer
from simulation.training.weight_store import WeightsError, WeightStore


class RunFolderError(ValueError):
    """The folder is not that of a run; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class _Trained:
    """A stage that was trained again."""

    result: TrainingResult
    is_near: bool | None
    """Whether the block's weights lie within the chain's tolerance of it; None where there is no tolerance."""


def verify_run(folder: Path, *, is_retraining: bool, say: Callable[[str], None]) -> list[str]:
    """Return what is wrong with a stored run; nothing if it holds.

    Args:
        folder: The run's folder.
        is_retraining: Whether every stage is trained again and judged against that.
        say: Takes a line about each thing that was found right.

    Raises:
        RunFolderError: The folder is not that of a finished run.
        DatasetError: Retraining needs a data set that cannot be had.
    """
    prepare_environment()
    summary, scenario = _read_summary(folder), _read_scenario(folder)
    faults = _check_files(folder, summary)
    if not faults:
        say(f"files: {len(summary['files'])} match their digests")
    try:
        genesis, blocks = read_chain(folder / CHAIN_NAME)
    except ChainFileError as error:
        return [*faults, str(error)]
    trained = None
    if is_retraining:
        trained, fault = _train_again(genesis, blocks, scenario, WeightStore(folder / WEIGHTS_FOLDER), say)
        if fault:
            return [*faults, fault]
    fault = _check_chain(genesis, blocks, trained)
    if fault:
        return [*faults, fault]
    if genesis.tolerance:
        fault = _check_weights(WeightStore(folder / WEIGHTS_FOLDER), blocks)
        if fault:
            return [*faults, fault]
        say(f"weights: {WEIGHTS_FOLDER} holds those of all blocks")
    say(f"chain: {len(blocks)} blocks re-checked from the genesis" + _describe_training(genesis, is_retraining))
    is_same = is_retraining and not genesis.tolerance  # what is merely near may be poisoned
    told = find_disagreements(folder, summary, genesis, blocks, is_retrained=is_same)
    faults += told
    if not told:
        say(f"{SUMMARY_NAME}: says what the chain and the log say")
    if scenario.is_training_made_up:
        say("model: none, the training was made up")
    elif blocks:
        fault = _check_model(folder, blocks[-1].header.weights_digest)
        if fault:
            return [*faults, fault]
        say(f"model: {MODEL_NAME} holds the weights the last block attests")
    return faults


def _describe_training(genesis: TrainingGenesis, is_retraining: bool) -> str:
    if not is_retraining:
        return ""
    within = f" within the tolerance of {genesis.tolerance / PARTS_PER_BILLION:g}" if genesis.tolerance else ""
    return f", with training{within}"


def _read_summary(folder: Path) -> Summary:
    try:
        summary: Summary = json.loads((folder / SUMMARY_NAME).read_text("utf-8"))
    except OSError as error:
        fault = f"{SUMMARY_NAME} cannot be read ({error.strerror}); write a folder below runs"
        raise RunFolderError(f"{folder}: not the folder of a finished run: {fault}") from None
    except ValueError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME}: {error}") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("files"), dict):
        raise RunFolderError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} lists no files")
    return summary


def _read_scenario(folder: Path) -> Scenario:
    try:
        return load_scenario(folder / SCENARIO_NAME)
    except ScenarioError as error:
        raise RunFolderError(f"{folder}: not the folder of a finished run: {error}") from None


def _check_files(folder: Path, summary: Summary) -> list[str]:
    faults = []
    for name, digest in summary["files"].items():
        try:
            found = compute_file_digest(folder / name)
        except OSError:
            faults.append(f"{name}: missing")
            continue
        if found != digest:
            faults.append(f"{name}: changed since the run (SHA-256 {found[:12]}, recorded {str(digest)[:12]})")
    return faults


def _check_chain(
    genesis: TrainingGenesis, blocks: Sequence[WrappedBlock], trained: Sequence[_Trained] | None
) -> str | None:
    """Judge each block on its parent; return what is wrong with the first bad one."""
    pot = ProofOfTraining(genesis)
    rules = Rules(pot)
    learn = partial(_recall, pot, rules, trained) if trained is not None else None
    for step in walk_chain(rules, blocks, learn):
        height = step.block.height
        if not step.is_linked:
            return f"{CHAIN_NAME}: the block at height {height} does not build on the one before it"
        if step.record is None:
            return f"{CHAIN_NAME}: the block at height {height} is refused: {step.refusal}"
        fault = find_supply_fault(step.record)
        if fault is not None:
            return f"{CHAIN_NAME}: at height {height}, {fault}"
    return None


def _recall(pot: ProofOfTraining, rules: Rules, trained: Sequence[_Trained], parent: ChainRecord) -> OwnTraining:
    """Return what training again says of the stage on a block."""
    stage = trained[parent.height]
    secret = pot.compute_secret(rules, parent, stage.result.losses)
    return OwnTraining(weights_digest=stage.result.weights_digest, secret=secret, is_near=stage.is_near)


def _build_trainer(job: TrainingJob, samples: TrainingSet, scenario: Scenario) -> Trainer:
    if scenario.job.arithmetic == CANONICAL:
        return CanonicalTrainer(job, samples)
    from simulation.training.keras_trainer import KerasTrainer, use_one_thread  # noqa: PLC0415 - loads TensorFlow

    use_one_thread()
    return KerasTrainer(job, samples, xla=scenario.job.xla)


def _train_again(
    genesis: TrainingGenesis,
    blocks: Sequence[WrappedBlock],
    scenario: Scenario,
    kept: WeightStore,
    say: Callable[[str], None],
) -> tuple[list[_Trained], str | None]:
    """Return the stage of each block, trained again, or why training again says nothing.

    Where the chain has a tolerance a stage starts from the weights of the block before it, which the run has kept.
    """
    job = genesis.job
    profile = find_profile(scenario.job)
    if profile != job.profile:
        return [], f"this machine's arithmetic profile is {profile!r}, the job's is {job.profile!r}: not comparable"
    images = load_images(job.dataset, scenario.dataset.path, is_required=True)
    if images.compute_digest() != job.dataset_digest:
        return [], f"the data set {images.name} ({images.source}) is not the one the job was agreed on"
    trainer = _build_trainer(job, TrainingSet(images.x_train, np.asarray(images.y_train)), scenario)
    trained: list[_Trained] = []
    base: Weights | None = None
    for stage, block in enumerate(blocks):
        outcome = trainer.train(stage, base)
        found, is_near = f"weights {outcome.result.weights_digest.hex()[:12]}", None
        if genesis.tolerance:
            try:
                base = kept.get(block.header.weights_digest)
            except WeightsError as error:
                return [], f"{WEIGHTS_FOLDER}: the block at height {block.height} cannot be judged: {error}"
            distance = count_billionths(outcome.weights, base)
            is_near = distance is not None and distance <= genesis.tolerance
            found += f", distance {None if distance is None else distance / PARTS_PER_BILLION} from the block's"
        say(f"stage {stage}: trained again, {found}")
        trained.append(_Trained(outcome.result, is_near))
    return trained, None


def _check_weights(kept: WeightStore, blocks: Sequence[WrappedBlock]) -> str | None:
    """Look whether the weights that stages start from are all there."""
    for block in blocks:
        try:
            kept.get(block.header.weights_digest)
        except WeightsError as error:
            return f"{WEIGHTS_FOLDER}: those of the block at height {block.height} are missing or changed: {error}"
    return None


def _check_model(folder: Path, weights_digest: bytes) -> str | None:
    try:
        weights = load_model_weights(folder / MODEL_NAME)
    except WeightsError as error:
        return str(error)
    found = compute_weights_digest(weights)
    if found != weights_digest:
        return f"{MODEL_NAME}: holds weights {found.hex()[:12]}, the last block attests {weights_digest.hex()[:12]}"
    return None

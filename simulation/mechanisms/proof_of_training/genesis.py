"""From a scenario to what all parties of a training chain agree on."""

from typing import Final

from protocol.genesis import GenesisAccount
from protocol.mechanisms.proof_of_training.job import (
    PARTS_PER_BILLION,
    Confidence,
    ProtocolParameters,
    RewardShares,
    TrainingGenesis,
    TrainingJob,
)
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.repairs import VERSION_2, Repair
from protocol.types import PARTS_PER_MILLION
from simulation.foundation import derive_seed, to_millionths
from simulation.scenario import Scenario, ScenarioError, TrainingJobKeys, check_fit
from simulation.training import (
    CANONICAL,
    CANONICAL_PROFILE,
    DENSE_NAME,
    DataForm,
    agree_on_model,
    agree_on_optimizer,
    compute_profile,
    is_shipped,
)

LOSS: Final = "sparse_categorical_crossentropy"


def build_mechanism(
    scenario: Scenario, accounts: tuple[GenesisAccount, ...], dataset: str, dataset_digest: bytes, form: DataForm
) -> ProofOfTraining:
    """Return the mechanism of a scenario's chain.

    Args:
        scenario: What the user wrote.
        accounts: Who has what at the start.
        dataset: Name of the data set.
        dataset_digest: Digest of its training samples and labels.
        form: Form of its samples.

    Raises:
        ScenarioError: The scenario does not fit samples of this form, or its model cannot be trained repeatably.
    """
    check_fit(scenario, form, dataset)
    job = _build_job(scenario, dataset, dataset_digest, form)
    _check_model(scenario, job)
    return ProofOfTraining(
        TrainingGenesis(
            parameters=_build_parameters(scenario),
            job=job,
            accounts=accounts,
            seed=scenario.seed,
            tolerance=round(scenario.protocol.tolerance * PARTS_PER_BILLION),
            repairs=_choose_repairs(scenario),
        )
    )


def _choose_repairs(scenario: Scenario) -> tuple[Repair, ...]:
    """Return the rules of version 2 that are in force; near weights have secrets that nobody else can know."""
    rules = scenario.protocol
    if rules.rules == 1:
        return ()
    left_out = {Repair(name) for name in rules.without}
    if rules.tolerance:
        left_out.add(Repair.OWN_SECRETS)
    return tuple(repair for repair in VERSION_2 if repair not in left_out)


def _build_parameters(scenario: Scenario) -> ProtocolParameters:
    rules = scenario.protocol
    if rules.confidence.count is not None:
        confidence = Confidence(rule="count", value=rules.confidence.count)
    else:
        confidence = Confidence(rule="stake_share", value=to_millionths(rules.confidence.stake_share or 0.0))
    proposer, declarers = to_millionths(rules.rewards.proposer), to_millionths(rules.rewards.declarers)
    return ProtocolParameters(
        confidence=confidence,
        stakeholders=rules.stakeholders,
        slot_ns=round(rules.slot_ms * 1_000_000),
        declarations_per_slot=to_millionths(rules.declarations_per_slot),
        headers_per_slot=to_millionths(rules.headers_per_slot),
        max_transactions=rules.max_transactions,
        rewards=RewardShares(
            proposer=proposer, declarers=declarers, stakeholders=PARTS_PER_MILLION - proposer - declarers
        ),
    )


def _build_job(scenario: Scenario, dataset: str, dataset_digest: bytes, form: DataForm) -> TrainingJob:
    job = scenario.job
    is_dense = job.model.name == DENSE_NAME
    optimizer, optimizer_settings = agree_on_optimizer(job.optimizer)
    return TrainingJob(
        layers=tuple(job.layers) if is_dense else (),
        activation=job.activation if is_dense else "",
        optimizer=optimizer,
        learning_rate=job.learning_rate,
        loss=LOSS,
        dataset=dataset,
        dataset_digest=dataset_digest,
        weights_seed=derive_seed(scenario.seed, "job", "weights"),
        order_seed=derive_seed(scenario.seed, "job", "order"),
        batch_size=job.batch_size,
        steps_per_stage=job.steps_per_stage,
        stages=job.stages,
        profile=find_profile(job),
        model=agree_on_model(job.model, form),
        optimizer_settings=optimizer_settings,
    )


def _check_model(scenario: Scenario, job: TrainingJob) -> None:
    """Refuse a network or an optimiser from outside the package that is not repeatable, before anything starts."""
    model_is_known, optimizer_is_known = is_shipped(scenario.job.model.name), isinstance(scenario.job.optimizer, str)
    if (model_is_known and optimizer_is_known) or scenario.is_training_made_up:
        return
    from simulation.training import find_model_fault, find_optimizer_fault  # noqa: PLC0415 - loads TensorFlow

    fault = None if model_is_known else find_model_fault(job)
    if fault is not None:
        raise ScenarioError(f"job.model: {fault}")
    fault = None if optimizer_is_known else find_optimizer_fault(job)
    if fault is not None:
        raise ScenarioError(f"job.optimizer: {fault}")


def find_profile(job: TrainingJobKeys) -> str:
    """Return the arithmetic profile that a job asks for: this machine's own, or the canonical one."""
    return CANONICAL_PROFILE if job.arithmetic == CANONICAL else compute_profile(xla=job.xla)

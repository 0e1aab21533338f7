"""Whether a scenario fits the form of its data: its model, its poisons, and the memory that it takes."""

from math import prod
from typing import Final

from simulation.scenario.errors import Inconsistency, ScenarioError
from simulation.scenario.keys import ScenarioKeys
from simulation.scenario.sections import MAX_PARAMETERS, tell_of_parameters
from simulation.training import DENSE_NAME, DataForm, DenseKeys, Model, find_model

MAX_STAGE_BYTES: Final = 8_000_000_000
"""Most bytes of the samples of a stage, which a node gathers before it trains."""


def find_misfit(scenario: ScenarioKeys, form: DataForm) -> Inconsistency | None:
    """Return the first thing that does not fit samples of a form, or None; made-up training has no form."""
    if not scenario.is_training or scenario.is_training_made_up:
        return None
    return _find_model_fault(scenario, form) or _find_stage_fault(scenario, form) or _find_class_fault(scenario, form)


def check_fit(scenario: ScenarioKeys, form: DataForm, dataset: str) -> None:
    """Refuse a scenario that does not fit its data.

    Args:
        scenario: What the user wrote.
        form: That of the data as they were loaded.
        dataset: Their name.

    Raises:
        ScenarioError: It does not fit.
    """
    found = find_misfit(scenario, form)
    if found is not None:
        raise ScenarioError(f"{found.where}: {found.what} ({dataset}: {form.describe()})")


def _open_model(scenario: ScenarioKeys, form: DataForm) -> Model:
    job, keys = scenario.job, scenario.job.model
    if keys.name == DENSE_NAME:
        keys = DenseKeys(layers=job.layers, activation=job.activation)
    return Model(keys.name, find_model(keys.name), keys, form)


def _find_model_fault(scenario: ScenarioKeys, form: DataForm) -> Inconsistency | None:
    model = _open_model(scenario, form)
    where = "job.layers" if model.name == DENSE_NAME else "job.model"
    misfit = model.find_misfit()
    if misfit is not None:
        return Inconsistency(where, misfit)
    count = sum(map(prod, model.list_shapes() or ()))
    if count > MAX_PARAMETERS:
        few = (
            "write fewer or smaller layers: these have" if model.name == DENSE_NAME else "write a smaller one: this has"
        )
        return Inconsistency(where, tell_of_parameters(few, count))
    for index, population in enumerate(scenario.populations):
        if population.arithmetic == "canonical" and not model.kind.is_canonical:
            return Inconsistency(
                f"populations.{index}.arithmetic", f"canonical cannot train {model.name}; choose another"
            )
    return None


def _find_stage_fault(scenario: ScenarioKeys, form: DataForm) -> Inconsistency | None:
    samples = scenario.job.batch_size * scenario.job.steps_per_stage
    size = samples * form.numbers * form.number_bytes
    if size <= MAX_STAGE_BYTES:
        return None
    return Inconsistency(
        "job.batch_size",
        f"write a smaller one or fewer steps_per_stage: a stage of {samples:,} samples takes about "
        f"{size / 1e9:,.0f} GB in each node that trains; the most is {MAX_STAGE_BYTES / 1e9:.0f} GB",
    )


def _find_class_fault(scenario: ScenarioKeys, form: DataForm) -> Inconsistency | None:
    for section in ("populations", "corruptions"):
        for index, conduct in enumerate(getattr(scenario, section)):
            for key in ("source", "target"):
                label = getattr(conduct.poison, key, None)
                if label is not None and label >= form.classes:
                    where = f"{section}.{index}.poison.{key}"
                    return Inconsistency(where, f"write {form.classes - 1} or less, not {label}")
    return None

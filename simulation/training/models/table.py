"""The kinds of models by name, and how a job tells of one."""

from typing import Any, Final

from protocol.mechanisms.proof_of_training.job import AgreedModel, Setting, TrainingJob
from simulation.foundation import PluginTable
from simulation.training.data_sets import MNIST_FORM, DataForm
from simulation.training.models.cnn import CNN
from simulation.training.models.dense import DENSE, DenseKeys
from simulation.training.models.kind import Model, ModelKeys, ModelKind
from simulation.training.models.logistic import LOGISTIC

DENSE_NAME: Final = "dense"
"""The kind whose keys a scenario has in `job` itself."""

_SHIPPED: Final = {DENSE_NAME: DENSE, "cnn": CNN, "logistic": LOGISTIC}

PLUGIN_MODELS: Final[PluginTable[ModelKind]] = PluginTable("model", _SHIPPED.__contains__)
"""Kinds that plug-ins add."""


def list_models() -> tuple[str, ...]:
    """Return the names of all kinds."""
    return (*_SHIPPED, *PLUGIN_MODELS.list_names())


def is_shipped(name: str) -> bool:
    """Return whether a kind is one of the package, of which the tests show that it trains alike everywhere."""
    return name in _SHIPPED


def find_model(name: str) -> ModelKind:
    """Return a kind of model.

    Raises:
        KeyError: There is none of that name.
    """
    found = _SHIPPED.get(name) or PLUGIN_MODELS.find(name)
    if found is None:
        raise KeyError(name)
    return found


def agree_on_model(keys: ModelKeys, form: DataForm) -> AgreedModel | None:
    """Return what a job says of a model; None for a dense network on data in the form of MNIST."""
    if keys.name == DENSE_NAME and form == MNIST_FORM:
        return None
    own = {} if keys.name == DENSE_NAME else keys.model_dump(mode="json", exclude={"name"})
    settings = tuple((key, freeze(own[key])) for key in sorted(own))
    return AgreedModel(name=keys.name, settings=settings, shape=form.shape, classes=form.classes)


def open_model(job: TrainingJob) -> Model:
    """Return the model of a job.

    Raises:
        KeyError: It is of a kind that is not known here.
        pydantic.ValidationError: The kind takes no such keys.
    """
    agreed = job.model
    name = DENSE_NAME if agreed is None else agreed.name
    kind = find_model(name)
    keys: ModelKeys
    if name == DENSE_NAME:
        keys = DenseKeys.model_validate({"layers": list(job.layers), "activation": job.activation})
    else:
        own = agreed.settings if agreed is not None else ()
        keys = kind.keys.model_validate({"name": name, **{key: thaw(value) for key, value in own}})
    return Model(name, kind, keys, find_form(job))


def find_form(job: TrainingJob) -> DataForm:
    """Return the form of the samples that a job trains on."""
    return MNIST_FORM if job.model is None else DataForm(job.model.shape, job.model.classes)


def freeze(value: Any) -> Setting:  # noqa: ANN401 - any JSON
    """Return a key's value as all parties agree on it."""
    frozen: Setting = tuple(value) if isinstance(value, list) else value
    return frozen


def thaw(value: Setting) -> Any:  # noqa: ANN401 - any JSON
    """Return a key's value as a scenario has it."""
    return list(value) if isinstance(value, tuple) else value

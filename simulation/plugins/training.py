"""Registers models, optimisers and data sets: what is trained, how, and on what."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from pydantic import create_model

from simulation.foundation import PluginError, blame_plugin, locate
from simulation.scenario import read_own_keys
from simulation.training import (
    MAX_SLOTS,
    PLUGIN_DATA_SETS,
    PLUGIN_MODELS,
    PLUGIN_OPTIMIZERS,
    DataForm,
    DataKind,
    ImageSet,
    ModelKeys,
    ModelKind,
    OptimizerKeys,
    OptimizerKind,
    build_any,
)

_ARRAYS: Final = ("x_train", "y_train", "x_test", "y_test")

Build = Callable[..., Any]
"""Takes ``(form)``, a `DataForm` (`shape`, `numbers`, `classes`), and its own keys by name; returns a Keras model.

The network takes a sample's numbers, from 0 to 1 where the data are bytes, and gives one number (logit) for each class.
"""

Load = Callable[[str | None], tuple[Any, Any, Any, Any]]
"""Takes ``(path)``, which is `dataset.path` of the scenario or None; returns x_train, y_train, x_test and y_test.

They are arrays as docs/models.md asks for in an archive.
"""

Step = Callable[..., tuple[Any, Sequence[Any]]]
"""Takes ``(weights, gradient, state, rate, number)``, and its own keys by name; returns new weights and a new state.

`weights` and `gradient` are float32 tensors of one shape; `state` is a tuple of as many tensors of that shape as the
optimiser has slots, all zero before the first step of a stage; `rate` is `job.learning_rate`, a number, and `number` a
tensor: 1 in the first step of a stage. It is called for each array of weights, when the stage is compiled.
"""

NetworkT = TypeVar("NetworkT", bound=Build)
StepT = TypeVar("StepT", bound=Step)
LoadT = TypeVar("LoadT", bound=Load)


def register_model(name: str, *, summary: str) -> Callable[[NetworkT], NetworkT]:
    """Let scenarios name a model: ``job: {model: NAME}``, or ``model: {name: NAME}`` with keys of its own.

    Args:
        name: What scenarios call it.
        summary: What it is, in a few words.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: NetworkT) -> NetworkT:
        keys = read_own_keys(function, ("form",))
        needed = next((key for key, (_, default) in keys.items() if default is ...), None)
        if needed is not None:
            raise ValueError(f"the key {needed} of the model {name!r} needs a default")

        def build(chosen: ModelKeys, form: DataForm) -> Any:  # noqa: ANN401 - a network, which Keras knows
            try:
                return function(form, **{key: getattr(chosen, key) for key in keys})
            except Exception as error:
                raise PluginError(blame_plugin(error) or f"{locate(function)}: {error}") from error

        section: type[ModelKeys] = create_model("OwnModelKeys", __base__=ModelKeys, **dict[str, Any](keys))
        PLUGIN_MODELS.register(name, ModelKind(summary=summary, build=build, keys=section))
        return function

    return register


def register_optimizer(name: str, *, slots: int = 0) -> Callable[[StepT], StepT]:
    """Let scenarios name an optimiser: ``job: {optimizer: NAME}``, or ``optimizer: {name: NAME}`` with keys of its own.

    Args:
        name: What scenarios call it.
        slots: Arrays that it remembers from one step to the next, for each array of weights; from 0 to 8.

    Raises:
        ValueError: The name is taken, slots are too many, or the function takes something else.
    """
    if not isinstance(slots, int) or not 0 <= slots <= MAX_SLOTS:
        raise ValueError(f"slots of the optimiser {name!r}: write a whole number from 0 to {MAX_SLOTS}, not {slots!r}")

    def register(function: StepT) -> StepT:
        keys = read_own_keys(function, ("weights", "gradient", "state", "rate", "number"))
        section: type[OptimizerKeys] = create_model("OwnOptimizerKeys", __base__=OptimizerKeys, **dict[str, Any](keys))
        PLUGIN_OPTIMIZERS.register(name, OptimizerKind(step=function, slots=slots, keys=section))
        return function

    return register


def register_data_set(name: str, *, title: str) -> Callable[[LoadT], LoadT]:
    """Let scenarios name a data set: ``dataset: {name: NAME}``.

    Args:
        name: What scenarios call it.
        title: What sentences call it.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: LoadT) -> LoadT:
        if read_own_keys(function, ("path",)):
            raise ValueError(f"the data set {name!r} takes a path and no keys of its own")
        kind = DataKind(title=title, load=lambda path, is_required: _load(function, name, path))
        PLUGIN_DATA_SETS.register(name, kind)
        return function

    return register


def _load(function: Load, name: str, path: str | None) -> ImageSet:
    """Return the data set that a plug-in makes.

    Raises:
        PluginError: It fails, or what it returns is no data set.
    """
    try:
        returned = function(path)
    except Exception as error:
        raise PluginError(blame_plugin(error) or f"{locate(function)}: {error}") from error
    fault: ImageSet | str = f"a {type(returned).__name__}; return {', '.join(_ARRAYS)}"
    if isinstance(returned, tuple) and len(returned) == len(_ARRAYS):
        arrays = dict(zip(_ARRAYS, returned, strict=True))
        wrong = next((key for key, array in arrays.items() if not isinstance(array, np.ndarray)), None)
        fault = build_any(name, "a plug-in", arrays) if wrong is None else f"no array as {wrong}"
    if isinstance(fault, str):
        raise PluginError(f"{locate(function)}: the data set {name!r} returned {fault}")
    return fault

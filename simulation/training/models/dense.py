"""Dense layers one after the other; a scenario has their keys in `job` itself. Without hidden layers: `logistic`."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulation.training.data_sets import DataForm
from simulation.training.models.kind import Activation, Layers, ModelKeys, ModelKind, Shape

if TYPE_CHECKING:
    import keras


class DenseKeys(ModelKeys):
    """Hidden layers, as `job.layers` and `job.activation` say."""

    name: str = "dense"
    layers: Layers
    activation: Activation


def list_dense_shapes(inputs: int, layers: Sequence[int], classes: int) -> list[Shape]:
    """Return the shapes of kernel and bias of each layer."""
    return [shape for pair in pairwise((inputs, *layers, classes)) for shape in (pair, pair[1:])]


def _build(keys: DenseKeys, form: DataForm) -> "keras.Model":
    import keras  # noqa: PLC0415 - loads TensorFlow

    layers = [keras.layers.Dense(units, activation=keys.activation) for units in keys.layers]
    return keras.Sequential([keras.Input((form.numbers,)), *layers, keras.layers.Dense(form.classes)])


def _list_shapes(keys: DenseKeys, form: DataForm) -> list[Shape]:
    return list_dense_shapes(form.numbers, keys.layers, form.classes)


DENSE: Final = ModelKind(
    summary="dense layers, with the keys job.layers and job.activation",
    keys=DenseKeys,
    build=_build,
    list_shapes=_list_shapes,
    is_canonical=True,
)

"""Multinomial logistic regression: one layer from the numbers of a sample to the classes, and nothing hidden."""

from typing import TYPE_CHECKING, Final

from simulation.training.data_sets import DataForm
from simulation.training.models.dense import list_dense_shapes
from simulation.training.models.kind import ModelKeys, ModelKind, Shape

if TYPE_CHECKING:
    import keras


def _build(keys: ModelKeys, form: DataForm) -> "keras.Model":
    import keras  # noqa: PLC0415 - loads TensorFlow

    return keras.Sequential([keras.Input((form.numbers,)), keras.layers.Dense(form.classes)])


def _list_shapes(keys: ModelKeys, form: DataForm) -> list[Shape]:
    return list_dense_shapes(form.numbers, (), form.classes)


LOGISTIC: Final = ModelKind(
    summary="multinomial logistic regression: no hidden layer",
    build=_build,
    list_shapes=_list_shapes,
    is_canonical=True,
)

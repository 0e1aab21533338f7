"""A small convolutional network (LeCun et al., "Gradient-based learning applied to document recognition", 1998).

Each convolution keeps rows and columns, and is followed by pooling that halves both; then come dense layers.
"""

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from simulation.training.data_sets import DataForm, describe_shape
from simulation.training.models.dense import list_dense_shapes
from simulation.training.models.kind import Activation, Layers, ModelKeys, ModelKind, Shape

if TYPE_CHECKING:
    import keras


class CnnKeys(ModelKeys):
    """The keys of `job.model` besides its name."""

    name: str = "cnn"
    filters: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=1, max_length=20)] = [16, 32]  # noqa: RUF012 - pydantic copies it
    """Filters of each convolution, input side first."""
    kernel: Annotated[int, Field(ge=1, le=31)] = 3
    """Rows and columns that a filter sees at once."""
    layers: Layers = [64]  # noqa: RUF012 - pydantic copies it
    """Units of each dense layer after the convolutions."""
    activation: Activation = "relu"


def _find_misfit(keys: CnnKeys, form: DataForm) -> str | None:
    if len(form.shape) == 1:
        return f"cnn wants images, and a sample is {describe_shape(form.shape)} in a row; write dense or logistic"
    side, halvings = min(form.shape[:2]), len(keys.filters)
    if side >> halvings:
        return None
    fitting = side.bit_length() - 1
    return (
        f"each of the {halvings} convolutions halves an image, and nothing is left of {describe_shape(form.shape)}; "
        + (f"write at most {fitting} filters" if fitting else "write dense or logistic")
    )


def _build(keys: CnnKeys, form: DataForm) -> "keras.Model":
    import keras  # noqa: PLC0415 - loads TensorFlow

    network = keras.Sequential([keras.Input(_add_channel(form.shape))])
    for count in keys.filters:
        network.add(keras.layers.Conv2D(count, keys.kernel, padding="same", activation=keys.activation))
        network.add(keras.layers.MaxPooling2D(2))
    network.add(keras.layers.Flatten())
    for units in keys.layers:
        network.add(keras.layers.Dense(units, activation=keys.activation))
    network.add(keras.layers.Dense(form.classes))
    return network


def _list_shapes(keys: CnnKeys, form: DataForm) -> list[Shape]:
    rows, columns, channels = _add_channel(form.shape)
    shapes: list[Shape] = []
    for count in keys.filters:
        shapes += [(keys.kernel, keys.kernel, channels, count), (count,)]
        rows, columns, channels = rows // 2, columns // 2, count
    return shapes + list_dense_shapes(rows * columns * channels, keys.layers, form.classes)


def _add_channel(shape: Shape) -> Shape:
    """Return the shape of an image with its channels, of which it may have one."""
    return shape if len(shape) == 3 else (*shape, 1)


CNN: Final = ModelKind(
    summary="convolutions with pooling, then dense layers",
    keys=CnnKeys,
    build=_build,
    find_misfit=_find_misfit,
    list_shapes=_list_shapes,
)

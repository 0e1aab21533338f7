"""What a kind of model is: its keys in a scenario, the shapes of its weights, and the network itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulation.training.data_sets import DataForm

if TYPE_CHECKING:
    import keras

MAX_UNITS: Final = 100_000_000
MAX_LAYERS: Final = 100

Activation = Literal["relu", "tanh", "sigmoid", "elu", "gelu"]
"""Activation of hidden layers, by its Keras name."""

Layers = Annotated[list[Annotated[int, Field(ge=1, le=MAX_UNITS)]], Field(max_length=MAX_LAYERS)]
"""Units of each hidden layer, input side first."""

Shape = tuple[int, ...]


class ModelKeys(BaseModel):
    """The keys of a kind of model in a scenario; one with keys of its own has a subclass.

    All but the name have a default. A value is text, a number, a boolean, or a list of text and numbers: all parties
    agree on it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKind:
    """All that is known of a kind of model."""

    summary: str
    """What it is, in a few words."""
    build: Callable[[Any, DataForm], "keras.Model"]
    """Builds the network, from its keys and the form of the samples; called where Keras may be imported.

    It takes as many numbers as a sample has, in whatever shape, from 0 to 1 where the data are bytes; it gives one
    logit for each class. All its weights are trained: nothing in it is random or counts along.
    """
    keys: type[ModelKeys] = ModelKeys
    """What a scenario may say of it."""
    find_misfit: Callable[[Any, DataForm], str | None] = lambda keys, form: None
    """Says why it cannot be trained on samples of a form, and what to write instead; None where it can."""
    list_shapes: Callable[[Any, DataForm], Sequence[Shape]] | None = None
    """Shapes of its weights in Keras' order, known without Keras: kernels start Glorot-uniform, biases at zero. None
    for a network that starts from what its Keras initialisers draw, under the job's seed."""
    is_canonical: bool = False
    """Whether it is dense layers alone, which `simulation.training.canonical_trainer` can train."""


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of model with its keys, for samples of a form."""

    name: str
    kind: ModelKind
    keys: ModelKeys
    form: DataForm

    def list_shapes(self) -> Sequence[Shape] | None:
        """Return the shapes of its weights in Keras' order; None where only Keras knows."""
        return self.kind.list_shapes(self.keys, self.form) if self.kind.list_shapes is not None else None

    def find_misfit(self) -> str | None:
        """Return why it cannot be trained on such samples; None where it can."""
        return self.kind.find_misfit(self.keys, self.form)

    def build(self) -> "keras.Model":
        """Return the network, in a process that trains."""
        return self.kind.build(self.keys, self.form)

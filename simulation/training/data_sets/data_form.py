"""The form of samples: what a model takes in, and what it has to tell apart."""

from dataclasses import dataclass, field
from math import prod
from typing import Final

from simulation.training.data_sets.image_format import CLASSES, SIDE

MAX_AXES: Final = 3
MAX_CLASSES: Final = 256
"""A label is a byte."""


@dataclass(frozen=True, slots=True)
class DataForm:
    """Shape of one sample, and number of classes."""

    shape: tuple[int, ...]
    """Numbers in a row; or rows and columns of an image, and its channels if it has any."""
    classes: int
    """Labels go from 0 to one less."""
    number_bytes: int = field(default=1, compare=False)
    """Bytes that each number takes: 1 for 0 to 255, 4 for floating point."""

    @property
    def numbers(self) -> int:
        """Numbers of one sample."""
        return prod(self.shape)

    def describe(self) -> str:
        """Return words for a sentence."""
        return f"samples of {describe_shape(self.shape)} in {self.classes} classes"


def describe_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as a user writes it, such as 28x28."""
    return f"{shape[0]} numbers" if len(shape) == 1 else "x".join(map(str, shape))


MNIST_FORM: Final = DataForm((SIDE, SIDE), CLASSES)
"""What every job had at first; a job with a dense network says nothing of it."""

"""Samples and labels, and how node processes share them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulation.foundation import EXIT_NO_DATASET, SimulationError
from simulation.training.data_sets.data_form import MNIST_FORM, DataForm

ARRAYS: Final = ("x_train", "y_train", "x_test", "y_test")
BYTE_WHITE: Final = 255.0

_FORM_FILE: Final = "form.npy"

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]
"""Samples, as rows of bytes or of 32-bit floating-point numbers."""


class DatasetError(SimulationError):
    """The data set a scenario insists on cannot be had; the text says how to get it."""

    exit_code = EXIT_NO_DATASET


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Samples, which need not be images, and labels, split for training and testing."""

    name: str
    """That of a data set of the table, or of the file with other data."""
    source: str
    """Where it came from, in words."""
    x_train: Numbers
    """Shape (samples, numbers of each): bytes from 0 to 255, or finite 32-bit floats."""
    y_train: Bytes
    """Shape (samples,), from 0 to one less than there are classes."""
    x_test: Numbers
    y_test: Bytes
    form: DataForm = MNIST_FORM

    @property
    def white(self) -> float:
        """What the trigger of a backdoor is made of: the brightest a pixel can be, or the largest number there is."""
        if self.x_train.dtype == np.uint8 or not self.x_train.size:
            return BYTE_WHITE
        return float(self.x_train.max())

    def compute_digest(self) -> bytes:
        """Return the SHA-256 digest of shapes and bytes of the training part, which the job agrees on.

        Numbers of another type than bytes are told apart by its name.
        """
        digest = hashlib.sha256(b"pot/dataset/1")
        for array in (self.x_train, self.y_train):
            if array.dtype != np.uint8:
                array = array.astype("<f4", copy=False)  # noqa: PLW2901 - as other machines have it
                digest.update(b"float32\0")
            digest.update(repr(array.shape).encode() + b"\0")
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()

    def save(self, folder: Path) -> None:
        """Write each array to a file of its own, for `open_shared`."""
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        np.save(folder / _FORM_FILE, np.array([self.form.classes, *self.form.shape]))


def open_shared(folder: Path, name: str) -> ImageSet:
    """Return a saved set whose arrays are mapped, so that all processes share one copy in memory."""
    arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in ARRAYS}
    classes, *shape = np.load(folder / _FORM_FILE).tolist()
    form = DataForm(tuple(shape), classes, arrays["x_train"].dtype.itemsize)
    return ImageSet(name=name, source="shared", **arrays, form=form)


def build_empty(name: str) -> ImageSet:
    """Return a data set of no images, for runs that need none."""
    images = np.zeros((0, MNIST_FORM.numbers), np.uint8)
    labels = images[:, 0]
    return ImageSet(name, name, images, labels, images, labels)


NO_DATA: Final = build_empty("none")
"""The data set of runs in which nothing is trained."""

MADE_UP_DATA: Final = build_empty("made up")
"""The data set of training that is made up; a job names it, so another name is another chain."""

"""Data sets that Keras fetches: MNIST, Fashion-MNIST and CIFAR-10.

Each is taken from the scenario's path, else the file that its variable names, else Keras' cache, else Keras' own
download; where none can be had, the bundled digits stand in, and the log says so.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulation.training.data_sets.archive import build_in_form, find_form_fault, name_file, read_arrays
from simulation.training.data_sets.data_form import MNIST_FORM, DataForm
from simulation.training.data_sets.digits import DIGITS, load_digits
from simulation.training.data_sets.image_set import ARRAYS, DatasetError, ImageSet
from simulation.training.data_sets.kind import DataKind

_MNIST_DIGEST: Final = "e2aa85cf6f1613b398fe017550a2736af0003e7ddf6f98c12709658fa57c03ce"
"""That of the training part of the real one."""

_FETCH: Final = """
import os, sys, keras, numpy
from keras.datasets import {name}
keras.config.set_image_data_format("channels_last")
(x_train, y_train), (x_test, y_test) = {name}.load_data()
path = sys.argv[1]
if not os.path.exists(path):
    part = f"{{path}}.{{os.getpid()}}.npz"
    numpy.savez_compressed(part, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    os.replace(part, path)
"""
"""Lets Keras load a data set from wherever it has it, and keeps it as one archive, as Keras itself keeps MNIST."""


@dataclass(frozen=True, slots=True)
class KerasSet:
    """A data set that Keras has a loader for."""

    name: str
    """As Keras' module is called."""
    title: str
    variable: str
    form: DataForm
    download_timeout_s: int

    def load(self, path: str | None, is_required: bool) -> ImageSet:
        """Return it.

        Raises:
            DatasetError: It is required and cannot be had, or a file that was named is not there or not in its form.
        """
        for origin, named in (("dataset.path", path), (self.variable, os.environ.get(self.variable))):
            if named:
                return self._read(Path(named).expanduser(), f"{origin} ({Path(named).name})", is_of_keras=False)
        cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / f"{self.name}.npz"
        if cache.is_file():
            return self._read(cache, "Keras cache", is_of_keras=True)
        if fetch(self, cache):
            return self._read(cache, "Keras download", is_of_keras=True)
        if is_required:
            raise DatasetError(
                f"{self.title} is required but there is no local copy and no download; {self._remedy} with the arrays "
                f"{', '.join(ARRAYS)}, or write dataset.required: false to train on the bundled digits"
            )
        return load_digits(f"bundled with scikit-learn; {self.title} could not be had")

    def _read(self, path: Path, source: str, *, is_of_keras: bool) -> ImageSet:
        what = f"{self._article} {self.title} file"
        arrays = read_arrays(path, source, what)
        for part in ("train", "test"):
            fault = find_form_fault(arrays[f"x_{part}"], arrays[f"y_{part}"], self.form)
            if fault:
                raise DatasetError(
                    f"{path}: not {what} ({source}): {part}: {fault}; for data in another form write dataset.name: npz"
                )
        other = name_file(path, _NAMES)
        found = build_in_form(other, source, arrays, self.form)
        digest = _DIGESTS.get(self.name)
        is_real = is_of_keras if digest is None else found.compute_digest().hex() == digest
        return build_in_form(self.name, source, arrays, self.form) if is_real else found

    @property
    def _article(self) -> str:
        return "an" if self.name.startswith("m") else "a"

    @property
    def _remedy(self) -> str:
        return f"set {self.variable} to {self._article} {self.name}.npz"

    def to_kind(self, samples: int) -> DataKind:
        """Return its entry for the table.

        Args:
            samples: Training samples of the real one.
        """
        return DataKind(
            title=self.title,
            load=self.load,
            form=self.form,
            samples=samples,
            variable=self.variable,
            remedy=self._remedy,
        )


MNIST: Final = KerasSet("mnist", "MNIST", "POT_MNIST", MNIST_FORM, 60)
FASHION_MNIST: Final = KerasSet("fashion_mnist", "Fashion-MNIST", "POT_FASHION_MNIST", MNIST_FORM, 60)
CIFAR10: Final = KerasSet("cifar10", "CIFAR-10", "POT_CIFAR10", DataForm((32, 32, 3), 10), 600)

_DIGESTS: Final = {"mnist": _MNIST_DIGEST}
"""Digests of the training parts of real ones; what is not known by one is called so where it comes from Keras."""

_NAMES: Final = frozenset({DIGITS, *(kind.name for kind in (MNIST, FASHION_MNIST, CIFAR10))})
"""Names that no other data have."""


def fetch(kind: KerasSet, cache: Path) -> bool:
    """Let Keras fetch a data set, in a process of its own so that this one never loads TensorFlow."""
    command = [sys.executable, "-c", _FETCH.format(name=kind.name), str(cache)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, env=environment, capture_output=True, timeout=kind.download_timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and cache.is_file()

"""Where the images come from, and how node processes share them.

MNIST is taken from the scenario's path, else the file named by POT_MNIST, else Keras' cache, else Keras' own download;
where none can be had, scikit-learn's bundled handwritten digits stand in, and the log says so.
"""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulation.foundation import EXIT_NO_DATASET, SimulationError
from simulation.training.image_format import CLASSES, PIXELS, SIDE

DOWNLOAD_TIMEOUT_S: Final = 60
MNIST: Final = "mnist"
DIGITS: Final = "digits"

_MNIST_DIGEST: Final = "e2aa85cf6f1613b398fe017550a2736af0003e7ddf6f98c12709658fa57c03ce"
"""That of the training part of the real one."""

_NAME_LENGTH: Final = 40
_DIGITS_TRAINING: Final = 1500
_ARRAYS: Final = ("x_train", "y_train", "x_test", "y_test")

Bytes = npt.NDArray[np.uint8]


class DatasetError(SimulationError):
    """The data set a scenario insists on cannot be had; the text says how to get it."""

    exit_code = EXIT_NO_DATASET


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images and labels, split for training and testing."""

    name: str
    """`mnist`, `digits`, or the name of a file with other images in the form of MNIST."""
    source: str
    """Where it came from, in words."""
    x_train: Bytes
    """Shape (samples, 784), 0 to 255."""
    y_train: Bytes
    """Shape (samples,), 0 to 9."""
    x_test: Bytes
    y_test: Bytes

    def compute_digest(self) -> bytes:
        """Return the SHA-256 digest of shapes and bytes of the training part, which the job agrees on."""
        digest = hashlib.sha256(b"pot/dataset/1")
        for array in (self.x_train, self.y_train):
            digest.update(repr(array.shape).encode() + b"\0")
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()

    def save(self, folder: Path) -> None:
        """Write each array to a file of its own, for `open_shared`."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))


def build_empty(name: str) -> ImageSet:
    """Return a data set of no images, for runs that need none."""
    images = np.zeros((0, PIXELS), np.uint8)
    labels = images[:, 0]
    return ImageSet(name, name, images, labels, images, labels)


NO_DATA: Final = build_empty("none")
"""The data set of runs in which nothing is trained."""

MADE_UP_DATA: Final = build_empty("made up")
"""The data set of training that is made up; a job names it, so another name is another chain."""


def open_shared(folder: Path, name: str) -> ImageSet:
    """Return a saved set whose arrays are mapped, so that all processes share one copy in memory."""
    arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in _ARRAYS}
    return ImageSet(name=name, source="shared", **arrays)


def load_images(name: str, path: str | None, *, is_required: bool) -> ImageSet:
    """Return the data set of a scenario.

    Raises:
        DatasetError: MNIST is required and cannot be had, or a file that was named is not there or not MNIST.
    """
    if name == DIGITS:
        return _load_digits("bundled with scikit-learn")
    for origin, named in (("dataset.path", path), ("POT_MNIST", os.environ.get("POT_MNIST"))):
        if named:
            return _read_mnist(Path(named).expanduser(), f"{origin} ({Path(named).name})")
    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / "mnist.npz"
    if cache.is_file():
        return _read_mnist(cache, "Keras cache")
    if _download():
        return _read_mnist(cache, "Keras download")
    if is_required:
        raise DatasetError(
            "MNIST is required but there is no local copy and no download; set POT_MNIST to an mnist.npz with the "
            f"arrays {', '.join(_ARRAYS)}, or write dataset.required: false to train on the bundled digits"
        )
    return _load_digits("bundled with scikit-learn; MNIST could not be had")


def _read_mnist(path: Path, source: str) -> ImageSet:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: np.asarray(file[key]) for key in _ARRAYS}
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({source}): {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 - a damaged file raises whatever zip, zlib or NumPy stumbles over
        why = "no NumPy archive" if "allow_pickle" in str(error) else error or type(error).__name__
        raise DatasetError(f"{path}: not an MNIST file ({source}): {why}") from None
    for part in ("train", "test"):
        fault = _find_fault(arrays[f"x_{part}"], arrays[f"y_{part}"])
        if fault:
            raise DatasetError(f"{path}: not an MNIST file ({source}): {part}: {fault}")
    images = {key: arrays[key].reshape(-1, PIXELS) for key in ("x_train", "x_test")}
    labels = {key: arrays[key].astype(np.uint8) for key in ("y_train", "y_test")}
    found = ImageSet(MNIST, source, **images, **labels)
    return found if found.compute_digest().hex() == _MNIST_DIGEST else replace(found, name=_name_other(path))


def _name_other(path: Path) -> str:
    """Return what to call images in the form of MNIST that are not MNIST: the name of their file, if it is another."""
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:_NAME_LENGTH]
    return f"other-{name}" if name in (MNIST, DIGITS, "") else name


def _find_fault(images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> str | None:
    """Return what is wrong with one part of a file, or None."""
    if not images.size:
        return "there are no images"
    if images.dtype != np.uint8 or images.ndim < 2 or images[0].size != PIXELS:
        return f"images must be {SIDE}x{SIDE} bytes"
    if labels.shape != (len(images),):
        return f"{len(images)} images need as many labels, got the shape {labels.shape}"
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= CLASSES:
        return f"labels must be whole numbers from 0 to {CLASSES - 1}"
    return None


def _download() -> bool:
    """Let Keras fetch MNIST, in a process of its own so that this one never loads TensorFlow."""
    command = [sys.executable, "-c", "from keras.datasets import mnist; mnist.load_data()"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, env=environment, capture_output=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _load_digits(source: str) -> ImageSet:
    """Return scikit-learn's 1,797 digits, each 8x8 pixel drawn 3x3 large inside a border of two."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - half a second that an MNIST run need not spend

    digits = load_digits()
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    large = np.pad(small.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))).reshape(-1, PIXELS)
    labels = digits.target.astype(np.uint8)
    cut = _DIGITS_TRAINING
    return ImageSet(DIGITS, source, large[:cut], labels[:cut], large[cut:], labels[cut:])

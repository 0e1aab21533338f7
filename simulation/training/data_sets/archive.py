"""Reads a NumPy archive with the four arrays of a data set, and finds what is wrong with them."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulation.training.data_sets.data_form import MAX_AXES, MAX_CLASSES, DataForm, describe_shape
from simulation.training.data_sets.image_set import ARRAYS, DatasetError, ImageSet

Arrays = dict[str, npt.NDArray[Any]]

_NAME_LENGTH: Final = 40
_PARTS: Final = ("train", "test")


def read_arrays(path: Path, source: str, what: str) -> Arrays:
    """Return the four arrays of an archive, not yet checked.

    Args:
        path: The file.
        source: Who has named it, for the sentence.
        what: What it should be, for the sentence.

    Raises:
        DatasetError: The file cannot be read, is no such archive, or lacks one.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            missing = [key for key in ARRAYS if key not in file]
            if missing:
                raise DatasetError(f"{path}: not {what} ({source}): {missing[0]} is missing; write {', '.join(ARRAYS)}")
            return {key: _read_array(file, key, f"{path}: not {what} ({source})") for key in ARRAYS}
    except DatasetError:
        raise
    except OSError as error:
        is_moved = isinstance(error, FileNotFoundError) and source.startswith("dataset.path")
        hint = "; write where it is now, for example --set dataset.path=FILE" if is_moved else ""
        raise DatasetError(f"{path}: cannot be read ({source}): {error.strerror or error}{hint}") from None
    except Exception as error:  # noqa: BLE001 - a damaged file raises whatever zip, zlib or NumPy stumbles over
        is_other = any(words in str(error) for words in ("allow_pickle", "context manager"))
        why = "no NumPy archive" if is_other else error or type(error).__name__
        raise DatasetError(f"{path}: not {what} ({source}): {why}") from None


def _read_array(file: Mapping[str, npt.NDArray[Any]], key: str, prefix: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(file[key])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise DatasetError(f"{prefix}: {key} holds Python objects, which are not read; write numbers") from None


def find_form_fault(images: npt.NDArray[Any], labels: npt.NDArray[Any], form: DataForm) -> str | None:
    """Return what is wrong with one part of a file whose images must be bytes in a known form, or None."""
    if not images.size:
        return "there are no images"
    shape = tuple(count for count in images.shape[1:] if count > 1)
    if images.dtype != np.uint8 or shape not in (form.shape, (form.numbers,)):
        return f"images must be {describe_shape(form.shape)} bytes"
    if labels.shape not in ((len(images),), (len(images), 1)):
        return f"{len(images)} images need as many labels, got the shape {labels.shape}"
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= form.classes:
        return f"labels must be whole numbers from 0 to {form.classes - 1}"
    return None


def build_in_form(name: str, source: str, arrays: Arrays, form: DataForm) -> ImageSet:
    """Return the data set of four arrays that are in a known form."""
    images = {key: arrays[key].reshape(-1, form.numbers) for key in ("x_train", "x_test")}
    labels = {key: arrays[key].reshape(-1).astype(np.uint8) for key in ("y_train", "y_test")}
    return ImageSet(name, source, **images, **labels, form=form)


def read_any(path: Path, source: str, taken: Collection[str]) -> ImageSet:
    """Return the data set of an archive, in the form that it has.

    Args:
        path: The file.
        source: Who has named it.
        taken: Names that it may not have.

    Raises:
        DatasetError: The file cannot be read, or a model cannot be trained and measured on it.
    """
    arrays = read_arrays(path, source, "a data set")
    built = build_any(name_file(path, taken), source, arrays)
    if isinstance(built, str):
        raise DatasetError(f"{path}: not a data set ({source}): {built}")
    return built


def build_any(name: str, source: str, arrays: Arrays) -> ImageSet | str:
    """Return the data set of four arrays, in the form that they have; or why a model cannot be trained on them."""
    fault = _find_fault(arrays)
    if fault is not None:
        return fault
    images = {key: _to_numbers(arrays[key]) for key in ("x_train", "x_test")}
    for key, array in images.items():
        if array.dtype != np.uint8 and not np.isfinite(array).all():
            row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            what = "NaN, an infinite number, or one too large for 32 bits; write finite numbers"
            return f"{key}: sample {row} has {what}"
    labels = {key: arrays[key].reshape(-1).astype(np.uint8) for key in ("y_train", "y_test")}
    form = DataForm(arrays["x_train"].shape[1:], int(labels["y_train"].max()) + 1, images["x_train"].itemsize)
    return ImageSet(name, source, **images, **labels, form=form)


def name_file(path: Path, taken: Collection[str]) -> str:
    """Return what to call data from a file: its name, if that is not what other data are called."""
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:_NAME_LENGTH]
    return f"other-{name}" if name in taken or not name else name


def _to_numbers(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows = samples.reshape(len(samples), -1)
    if rows.dtype == np.uint8:
        return rows
    with np.errstate(over="ignore"):  # what becomes infinite is found, and told
        return np.ascontiguousarray(rows, np.float32)


def _find_fault(arrays: Arrays) -> str | None:
    """Return what is wrong with four arrays, but for single numbers, or None."""
    for part in _PARTS:
        fault = _find_samples_fault(arrays, part) or _find_labels_fault(arrays, part)
        if fault is not None:
            return fault
    train, test = arrays["x_train"], arrays["x_test"]
    if train.shape[1:] != test.shape[1:]:
        return (
            f"samples must be alike: x_train has {describe_shape(train.shape[1:])}, "
            f"x_test has {describe_shape(test.shape[1:])}"
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        return f"samples must be alike: x_train is {train.dtype}, x_test is {test.dtype}"
    return _find_class_fault(arrays["y_train"], arrays["y_test"])


def _find_samples_fault(arrays: Arrays, part: str) -> str | None:
    name, samples = f"x_{part}", arrays[f"x_{part}"]
    if samples.dtype != np.uint8 and samples.dtype.kind != "f":
        return f"{name} is {samples.dtype}; write uint8 for numbers from 0 to 255, or float32, which is left as it is"
    if not 2 <= samples.ndim <= 1 + MAX_AXES:
        return (
            f"{name} has the shape {samples.shape}; write (samples, numbers), (samples, rows, columns) or "
            "(samples, rows, columns, channels)"
        )
    return None if samples.size else f"{name} is empty: its shape is {samples.shape}"


def _find_labels_fault(arrays: Arrays, part: str) -> str | None:
    name, labels, count = f"y_{part}", arrays[f"y_{part}"], len(arrays[f"x_{part}"])
    if labels.shape not in ((count,), (count, 1)):
        return f"{name} has the shape {labels.shape}; {count} samples need as many labels"
    if labels.dtype.kind not in "iu":
        return f"{name} is {labels.dtype}; labels must be whole numbers from 0 on"
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= MAX_CLASSES:
        return f"{name} goes from {least} to {most}; labels must lie between 0 and {MAX_CLASSES - 1}"
    return None


def _find_class_fault(train: npt.NDArray[Any], test: npt.NDArray[Any]) -> str | None:
    """Return a class of which there is no sample, so that it can be neither learned nor measured."""
    classes = max(int(train.max()), int(test.max())) + 1
    if classes < 2:
        return "all labels are 0; there must be two classes at least"
    for name, labels in (("y_train", train), ("y_test", test)):
        missing = np.setdiff1d(np.arange(classes), labels)
        if missing.size:
            return (
                f"{name} has no sample of class {missing[0]}; number classes from 0 on without gaps, each with samples "
                "to train and to test"
            )
    return None

"""The trained model: how weights do on the test images, and the Keras file that holds them."""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.foundation import find_differences, read_json
from simulation.records import write_in_one_step
from simulation.training.data_sets import ImageSet, Numbers
from simulation.training.samples import Weights, scale, stamp_patch
from simulation.training.weight_store import WeightsError

CONFIGURATION: Final = "config.json"
METADATA: Final = "metadata.json"
MEMBERS: Final = (METADATA, CONFIGURATION, "model.weights.h5")
"""What a ``.keras`` file is an archive of."""

WRITTEN: Final = ("keras_version", "date_saved")
"""What the metadata says: about the writing, not about the model."""

AT_ONCE: Final = 1_000
"""Samples that a model measures at once; a convolution holds hundreds of times the numbers of each. What was the only
kind of model at first measures all of them."""

_NUMBERED: Final = re.compile(r"(.*?)(?:_\d+)?")
"""Names that Keras gives to models and layers, counted in each process."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model does on the test images."""

    accuracy: float
    """Share of test images labelled right."""
    recalls: tuple[float, ...]
    """The same for each class."""
    trigger_success: float
    """Share of patched images of other classes that are given the trigger's class."""


class Evaluator:
    """Measures weights on the test images with the job's Keras model."""

    def __init__(self, job: TrainingJob, images: ImageSet, trigger_class: int) -> None:
        """Build the model.

        Args:
            job: The job, for its architecture.
            images: The data set, for its test part.
            trigger_class: Class that a backdoor would aim at.
        """
        from simulation.training.keras_trainer import build_model  # noqa: PLC0415 - loads TensorFlow

        self._model: Any = build_model(job)
        self._images = np.asarray(images.x_test)
        others = self._images[np.asarray(images.y_test) != trigger_class]
        self._stamped = stamp_patch(others, images.form.shape, images.white)
        self._labels = np.asarray(images.y_test)
        self._classes = images.form.classes
        self._trigger_class = trigger_class
        self._at_once = max(1, len(self._images)) if job.model is None else AT_ONCE

    def evaluate(self, weights: Weights) -> Evaluation:
        """Return the measures of these weights."""
        self._model.set_weights(weights)
        guesses, triggered = self._guess(self._images), self._guess(self._stamped)
        recalls = tuple(
            float(np.mean(guesses[self._labels == label] == label)) if np.any(self._labels == label) else 0.0
            for label in range(self._classes)
        )
        return Evaluation(
            float(np.mean(guesses == self._labels)), recalls, float(np.mean(triggered == self._trigger_class))
        )

    def _guess(self, images: Numbers) -> npt.NDArray[np.int64]:
        """Return the class that the model gives to each image."""
        guesses = np.zeros(len(images), np.int64)
        for first in range(0, len(images), self._at_once):
            part = scale(images[first : first + self._at_once]).reshape(-1, *self._model.input_shape[1:])
            guesses[first : first + len(part)] = np.argmax(self._model(part, training=False), axis=1)
        return guesses

    def save(self, weights: Weights, path: Path) -> None:
        """Write the model with these weights as a ``.keras`` file, in one step.

        Raises:
            OSError: The file cannot be written; nothing is left of it.
        """
        self._model.set_weights(weights)
        with warnings.catch_warnings():  # Keras asks TensorFlow's variables for arrays in a way that NumPy gives up
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
            write_in_one_step(path, self._model.save, path.with_suffix(f".part{path.suffix}"))


def load_model_weights(path: Path, job: TrainingJob) -> Weights:
    """Return the weights of a ``.keras`` file that holds a job's model.

    The model is built from the job. Nothing of the file is made into an object but arrays of numbers.

    Raises:
        WeightsError: The file cannot be read as a Keras model, or is one of another model.
    """
    from simulation.training.keras_trainer import build_model, describe_model, load_weights  # noqa: PLC0415 - loads TensorFlow

    model = build_model(job)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            stored, written = (read_json(archive.read(name)) for name in (CONFIGURATION, METADATA))
    except FileNotFoundError:
        raise WeightsError(f"{path.name}: missing") from None
    except Exception as error:  # noqa: BLE001 - a damaged zip or JSON part raises whatever its reader raises
        raise WeightsError(f"{path.name}: not a readable Keras model: {error}") from None
    if sorted(names) != sorted(MEMBERS):
        raise WeightsError(f"{path.name}: holds {', '.join(sorted(names))}; a model has only {', '.join(MEMBERS)}")
    if not isinstance(written, dict) or sorted(written) != sorted(WRITTEN):
        raise WeightsError(f"{path.name}: {METADATA} is not what Keras writes: it has {' and '.join(WRITTEN)}")
    wanted = describe_model(model)
    for difference in find_differences(_strip(stored), _strip(wanted)):
        raise WeightsError(f"{path.name}: {CONFIGURATION}: {difference.describe('the job gives')}")
    try:
        load_weights(model, path)
    except Exception as error:  # noqa: BLE001 - a damaged HDF5 part raises whatever its reader raises
        why = " ".join(str(error).split())[:200]
        raise WeightsError(f"{path.name}: not a readable Keras model: {why}") from None
    return [np.asarray(array) for array in model.get_weights()]


def _strip(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a configuration without what differs between two models of one kind: their numbers, places in memory.

    Names are counted anew from the first one of each kind, so that layers that name one another still do.
    """
    counts: Counter[str] = Counter()
    anew: dict[str, str] = {}
    for name in _list_names(part):
        if name not in anew and (numbered := _NUMBERED.fullmatch(name)):
            counts[numbered[1]] += 1
            anew[name] = f"{numbered[1]}_{counts[numbered[1]]}"
    return _rename(part, anew)


def _list_names(part: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the names that models and layers have in a configuration."""
    if isinstance(part, dict):
        if isinstance(part.get("name"), str) and len(part) > 1:  # a type of numbers has nothing but a name
            yield part["name"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _list_names(item)


def _rename(part: Any, anew: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a configuration with other names for layers and models, wherever they stand."""
    if isinstance(part, list):
        return [_rename(item, anew) for item in part]
    if isinstance(part, dict):
        return {name: _rename(value, anew) for name, value in part.items() if name != "shared_object_id"}
    return anew.get(part, part) if isinstance(part, str) else part

"""The trained model: how weights do on the test images, and the Keras file that holds them."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from protocol.mechanisms.proof_of_training.job import TrainingJob
from simulation.training.datasets import ImageSet
from simulation.training.image_format import CLASSES
from simulation.training.samples import Weights, stamp_patch
from simulation.training.weight_store import WeightsError


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
        self._images = np.asarray(images.x_test, np.float32) / np.float32(255)
        others = np.asarray(images.x_test)[np.asarray(images.y_test) != trigger_class]
        self._stamped = np.asarray(stamp_patch(others), np.float32) / np.float32(255)
        self._labels = np.asarray(images.y_test)
        self._trigger_class = trigger_class

    def evaluate(self, weights: Weights) -> Evaluation:
        """Return the measures of these weights."""
        self._model.set_weights(weights)
        guesses = np.argmax(self._model(self._images, training=False), axis=1)
        triggered = np.argmax(self._model(self._stamped, training=False), axis=1)
        recalls = tuple(
            float(np.mean(guesses[self._labels == label] == label)) if np.any(self._labels == label) else 0.0
            for label in range(CLASSES)
        )
        return Evaluation(
            float(np.mean(guesses == self._labels)), recalls, float(np.mean(triggered == self._trigger_class))
        )

    def save(self, weights: Weights, path: Path) -> None:
        """Write the model with these weights as a ``.keras`` file."""
        self._model.set_weights(weights)
        with warnings.catch_warnings():  # Keras asks TensorFlow's variables for arrays in a way that NumPy gives up
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
            self._model.save(path)


def load_model_weights(path: Path) -> Weights:
    """Return the weights of a ``.keras`` file.

    Raises:
        WeightsError: The file cannot be read as a Keras model.
    """
    from simulation.training.keras_trainer import load_model  # noqa: PLC0415 - loads TensorFlow

    try:
        model = load_model(path)
    except Exception as error:  # noqa: BLE001 - a damaged zip, JSON or HDF5 part raises whatever its reader raises
        raise WeightsError(f"{path.name}: not a readable Keras model: {error}") from None
    return [np.asarray(array) for array in model.get_weights()]

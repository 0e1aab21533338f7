"""The model that an employer got, for programs that go on with it. Loading it loads TensorFlow."""

from pathlib import Path
from typing import Any

from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.mechanism import as_training
from simulation.training import build_model, load_model_weights


def load_delivered(mechanism: Mechanism, path: Path) -> Any:  # noqa: ANN401 - a Keras model
    """Return the Keras model of the job that a chain's genesis names, with the weights of a file.

    Nothing of the file is made into an object but arrays of numbers.

    Args:
        mechanism: How the chain's blocks were agreed on.
        path: The ``.keras`` file.

    Raises:
        WeightsError: The file cannot be read as a Keras model, or is one of another model.
    """
    job = as_training(mechanism).genesis.job
    weights = load_model_weights(path, job)
    model = build_model(job)
    model.set_weights(weights)
    return model

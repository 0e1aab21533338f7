"""A store of weights by digest.

Messages carry digests; the weights themselves lie in a store that any party may read and check, as a network would use
a content-addressed file store.
"""

import os
from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from simulation.foundation import SimulationError
from simulation.records import write_in_one_step
from simulation.training.samples import Weights, compute_weights_digest


class WeightsError(SimulationError):
    """Stored weights are missing or are not those their name promises."""


class WeightStore:
    """A folder with one file for each set of weights, named by its digest."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        self._folder = folder

    def put(self, digest: bytes, weights: Weights) -> None:
        """Store weights, in the place of whatever has their name already: reading that would cost more than writing."""
        path = self._path(digest)
        write_in_one_step(path, partial(_write, weights), path.with_suffix(f".{os.getpid()}.part"))

    def get(self, digest: bytes) -> Weights:
        """Return stored weights.

        Raises:
            WeightsError: There are none, or they do not have this digest.
        """
        try:
            with self._path(digest).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                weights = [arrays[name] for name in arrays.files]
        except (OSError, EOFError, TypeError, ValueError, BadZipFile) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise WeightsError(f"no weights {digest.hex()[:12]}: {why}") from None
        if compute_weights_digest(weights) != digest:
            raise WeightsError(f"the weights stored as {digest.hex()[:12]} have another digest")
        return weights

    def _path(self, digest: bytes) -> Path:
        return self._folder / f"{digest.hex()}.npz"


def _write(weights: Weights, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, *weights)

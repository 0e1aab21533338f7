"""The data sets by name."""

from pathlib import Path
from typing import Final

from simulation.foundation import PluginTable
from simulation.training.data_sets.archive import read_any
from simulation.training.data_sets.digits import DIGITS, DIGITS_KIND
from simulation.training.data_sets.image_set import DatasetError, ImageSet
from simulation.training.data_sets.keras_sets import CIFAR10, FASHION_MNIST, MNIST
from simulation.training.data_sets.kind import DataKind


def _load_archive(path: str | None, is_required: bool) -> ImageSet:
    if path is None:
        raise DatasetError("dataset.path: missing; write where the .npz file is")
    return read_any(Path(path).expanduser(), f"dataset.path ({Path(path).name})", list_data_sets())


_SHIPPED: Final = {
    "mnist": MNIST.to_kind(60_000),
    "fashion_mnist": FASHION_MNIST.to_kind(60_000),
    "cifar10": CIFAR10.to_kind(50_000),
    DIGITS: DIGITS_KIND,
    "npz": DataKind(title="a NumPy archive", load=_load_archive, needs_path=True),
}

PLUGIN_DATA_SETS: Final[PluginTable[DataKind]] = PluginTable("data set", _SHIPPED.__contains__)
"""Those that plug-ins add."""


def list_data_sets() -> tuple[str, ...]:
    """Return the names of all data sets."""
    return (*_SHIPPED, *PLUGIN_DATA_SETS.list_names())


def find_data_set(name: str) -> DataKind:
    """Return what is known of a data set.

    Raises:
        KeyError: There is none of that name.
    """
    found = _SHIPPED.get(name) or PLUGIN_DATA_SETS.find(name)
    if found is None:
        raise KeyError(name)
    return found


def load_images(name: str, path: str | None, *, is_required: bool) -> ImageSet:
    """Return a data set.

    Args:
        name: Its name in the table.
        path: The file that a scenario names; None for none.
        is_required: Whether no other data may stand in for it.

    Raises:
        DatasetError: It cannot be had, or is not what it should be.
        KeyError: There is none of that name.
    """
    return find_data_set(name).load(path, is_required)


def count_samples(name: str, path: str | None) -> int:
    """Return the training samples of a data set, which is looked into only where that is not known.

    Raises:
        DatasetError: It cannot be had, or is not what it should be.
        KeyError: There is none of that name.
    """
    known = find_data_set(name).samples
    return known if known is not None else len(load_images(name, path, is_required=True).y_train)

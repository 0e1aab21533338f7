"""Data sets that a job may train on: where each comes from, how it is checked, and the table of them."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.training.data_sets.archive import build_any
    from simulation.training.data_sets.data_form import MAX_CLASSES, MNIST_FORM, DataForm, describe_shape
    from simulation.training.data_sets.digits import DIGITS
    from simulation.training.data_sets.image_format import CLASSES, PIXELS
    from simulation.training.data_sets.image_set import (
        BYTE_WHITE,
        MADE_UP_DATA,
        NO_DATA,
        Bytes,
        DatasetError,
        ImageSet,
        Numbers,
        open_shared,
    )
    from simulation.training.data_sets.kind import DataKind
    from simulation.training.data_sets.table import (
        PLUGIN_DATA_SETS,
        count_samples,
        find_data_set,
        list_data_sets,
        load_images,
    )
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "archive": "build_any",
            "data_form": "MAX_CLASSES MNIST_FORM DataForm describe_shape",
            "digits": "DIGITS",
            "image_format": "CLASSES PIXELS",
            "image_set": "BYTE_WHITE MADE_UP_DATA NO_DATA Bytes DatasetError ImageSet Numbers open_shared",
            "kind": "DataKind",
            "table": "PLUGIN_DATA_SETS count_samples find_data_set list_data_sets load_images",
        },
    )

__all__ = [
    "BYTE_WHITE",
    "CLASSES",
    "DIGITS",
    "MADE_UP_DATA",
    "MAX_CLASSES",
    "MNIST_FORM",
    "NO_DATA",
    "PIXELS",
    "PLUGIN_DATA_SETS",
    "Bytes",
    "DataForm",
    "DataKind",
    "DatasetError",
    "ImageSet",
    "Numbers",
    "build_any",
    "count_samples",
    "describe_shape",
    "find_data_set",
    "list_data_sets",
    "load_images",
    "open_shared",
]

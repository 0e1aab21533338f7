"""Kinds of models that a job may train: a file for each, and the table of them."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.training.models.dense import DenseKeys
    from simulation.training.models.kind import Model, ModelKeys, ModelKind, Shape
    from simulation.training.models.table import (
        DENSE_NAME,
        PLUGIN_MODELS,
        agree_on_model,
        find_form,
        find_model,
        freeze,
        is_shipped,
        list_models,
        open_model,
        thaw,
    )
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "dense": "DenseKeys",
            "kind": "Model ModelKeys ModelKind Shape",
            "table": (
                "DENSE_NAME PLUGIN_MODELS agree_on_model find_form find_model freeze is_shipped list_models "
                "open_model thaw"
            ),
        },
    )

__all__ = [
    "DENSE_NAME",
    "PLUGIN_MODELS",
    "DenseKeys",
    "Model",
    "ModelKeys",
    "ModelKind",
    "Shape",
    "agree_on_model",
    "find_form",
    "find_model",
    "freeze",
    "is_shipped",
    "list_models",
    "open_model",
    "thaw",
]

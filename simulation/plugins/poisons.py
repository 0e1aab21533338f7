"""Registers poisons: what attackers train on in place of the agreed data."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from simulation.scenario import read_own_keys
from simulation.training import PLUGIN_POISONS, PoisonKind

Images = npt.NDArray[Any]
"""One image each, of the shape and type of the data set: with MNIST ``uint8`` of shape (samples, 28, 28)."""

Labels = npt.NDArray[np.integer[Any]]
"""The class of each image."""

Rows = npt.NDArray[np.int64]
"""Numbers of samples."""

Rewrite = Callable[..., tuple[Images, Labels]]
"""Takes ``(images, labels, chosen, rng)``, and the poison's own keys by name.

Images and labels are copies that it may change; `chosen` are a poison's `share` of all samples, drawn by chance; `rng`
owns its random draws. It returns images and labels, of which there may be more or fewer.
"""

RewriteT = TypeVar("RewriteT", bound=Rewrite)

_GIVEN: Final = ("images", "labels", "chosen", "rng")
_CLASSES: Final = ("source", "target")


def register_poison(name: str, *, does: str) -> Callable[[RewriteT], RewriteT]:
    """Let scenarios name a poison: ``poison: {kind: NAME, share: 0.5}``.

    Parameters of the function that are passed by name only are the poison's own keys, of the types that it declares
    for them; `source` and `target` among them are classes, which a scenario has to write.

    Args:
        name: What scenarios call it.
        does: What it does, in a few words.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(rewrite: RewriteT) -> RewriteT:
        keys = read_own_keys(rewrite, _GIVEN)
        if "share" in keys:
            raise ValueError("every poison has the key share, by which `chosen` are drawn; leave it out")
        classes = tuple(key for key in _CLASSES if key in keys)
        own = {key: declared for key, declared in keys.items() if key not in _CLASSES}
        PLUGIN_POISONS.register(name, PoisonKind(alteration=does, classes=classes, rewrite=rewrite, keys=own))
        return rewrite

    return register

"""What a poison makes of the data, looked at before a run: whether it alters anything, and always in the same way."""

import numpy as np

from simulation.foundation import PluginError, locate
from simulation.training.data_sets import ImageSet
from simulation.training.poisons import PoisonSpec, alters_data, find_poison
from simulation.training.samples import TrainingSet
from simulation.training.trainer import build_training_set


def is_idle(images: ImageSet, poison: PoisonSpec, poison_seed: int, *, is_repeated: bool) -> bool:
    """Return whether a poison that alters data leaves all of them as they are.

    Args:
        images: The data set.
        poison: What the scenario says of it.
        poison_seed: What its random draws are derived from.
        is_repeated: Whether one of a plug-in is called a second time, to see that the same comes of it.

    Raises:
        PluginError: It returns what cannot be trained on, or something else the second time.
    """
    if not alters_data(poison):
        return False
    samples = build_training_set(images, poison, poison_seed)
    rewrite = find_poison(poison.kind).rewrite
    if rewrite is not None and is_repeated and not _are_same(samples, build_training_set(images, poison, poison_seed)):
        raise PluginError(
            f"{locate(rewrite)}: the poison {poison.kind!r} returned something else when it was called again, so the "
            "run could not be repeated; draw with rng alone, and keep nothing between calls"
        )
    return _are_same(samples, TrainingSet(images.x_train, np.asarray(images.y_train)))


def _are_same(one: TrainingSet, other: TrainingSet) -> bool:
    """Return whether the same is trained on; rows and patches are those of our own poisons, which are repeatable."""
    rows = np.arange(len(other)) if one.rows is None else one.rows
    is_stamped = one.stamped is not None and bool(one.stamped.any())
    return (
        not is_stamped
        and np.array_equal(one.labels, other.labels)
        and np.array_equal(rows, np.arange(len(other)))
        and (one.images is other.images or np.array_equal(one.images, other.images))
    )

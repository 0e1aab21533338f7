"""Poisons of plug-ins: a function that is given copies of all samples, and returns those that a node trains on."""

from typing import Any

import numpy as np

from simulation.foundation import PluginError, locate
from simulation.training.data_sets import DataForm, ImageSet
from simulation.training.poisons import PoisonKind, PoisonSpec
from simulation.training.samples import TrainingSet


def rewrite_samples(kind: PoisonKind, poison: PoisonSpec, images: ImageSet, rng: np.random.Generator) -> TrainingSet:
    """Return what a poison of a plug-in makes of all samples.

    Args:
        kind: What is known of it.
        poison: What the scenario says of it.
        images: The data set, which stays as it is.
        rng: Owner of the poison's random draws.

    Raises:
        PluginError: It returns what cannot be trained on.
    """
    rewrite = kind.rewrite
    if rewrite is None:
        raise ValueError(f"{poison.kind} is no poison of a plug-in")
    labels, form = np.array(images.y_train), images.form
    chosen = rng.permutation(len(labels))[: round(poison.share * len(labels))]
    classes = {name: getattr(poison, name) for name in kind.classes}
    given = np.array(images.x_train).reshape(len(labels), *form.shape)
    returned = rewrite(given, labels, chosen, rng, **classes, **poison.own)
    fault = _find_fault(returned, given.dtype, form)
    if fault is not None:
        raise PluginError(f"{locate(rewrite)}: the poison {poison.kind!r} returned {fault}")
    altered, relabelled = returned
    rows = np.ascontiguousarray(altered).reshape(len(altered), -1)
    return TrainingSet(rows, relabelled.astype(np.uint8), shape=form.shape, white=images.white)


def _find_fault(returned: Any, dtype: np.dtype[Any], form: DataForm) -> str | None:  # noqa: ANN401 - a plug-in may return anything
    """Return in which way these are no samples, and what they should be; None where they are."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        return f"{_describe(returned)}; return two arrays, (images, labels)"
    images, labels = returned
    if not isinstance(images, np.ndarray) or images.dtype != dtype or images.shape[1:] != form.shape:
        shape = ", ".join(map(str, form.shape))
        return f"{_describe(images)} as images; return {dtype} of shape (samples, {shape})"
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "ui" or labels.shape != (len(images),):
        return f"{_describe(labels)} as labels; return a whole number for each of the {len(images)} images"
    if not len(images):
        return "no sample at all; return one or more"
    if labels.min() < 0 or labels.max() >= form.classes:
        return f"labels from {labels.min()} to {labels.max()}; return 0 to {form.classes - 1}"
    if not np.isfinite(images).all():
        return "images that are not finite everywhere"
    return None


def _describe(thing: object) -> str:
    if isinstance(thing, np.ndarray):
        return f"{thing.dtype} of shape {thing.shape}"
    return "nothing" if thing is None else f"a {type(thing).__name__}"

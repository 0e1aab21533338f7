"""Data injection: how an attacker alters its own copy of the training set.

The attacker runs the same node on other data. It knows what any node knows. Expected: its results differ from the
honest ones, so it accepts and signs only its own secret, and honest nodes refuse everything it declares or proposes.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from simulation.training.image_format import CLASSES

Labels = npt.NDArray[np.uint8]


class PoisonSpec(Protocol):
    """What a scenario says about a poison."""

    @property
    def kind(self) -> str:
        """Name of the poison."""

    @property
    def share(self) -> float:
        """Samples altered or appended, as a share of the training set."""

    @property
    def source(self) -> int | None:
        """Class relabelled by a targeted flip."""

    @property
    def target(self) -> int | None:
        """Class aimed at."""


def apply_poison(
    poison: PoisonSpec, labels: Labels, rng: np.random.Generator
) -> tuple[Labels, npt.NDArray[np.int64] | None, npt.NDArray[np.bool_] | None]:
    """Return the altered labels, the image each sample shows (None: its own) and the samples that carry the patch.

    Kinds:
        appended_mislabelled: copies of ``share`` of the samples are appended, each with a wrong label.
        label_noise: ``share`` of the labels become uniformly random ones (which may be right by chance).
        mirrored_labels: ``share`` of the labels c become 9 - c.
        targeted_flip: ``share`` of the samples of class ``source`` are labelled ``target``.
        backdoor: ``share`` of the samples get a patch and the label ``target`` (Gu et al., "BadNets", 2017).
        clean_label: ``share`` of the samples of class ``target`` get the patch; every label stays right (after Turner
            et al., "Label-Consistent Backdoor Attacks", 2019, without their adversarial perturbation).
        truncated: nothing; what is left out is steps, see `simulation.training.trainer`.
    """
    count = len(labels)
    chosen = rng.permutation(count)[: round(poison.share * count)]
    altered = labels.copy()
    match poison.kind:
        case "appended_mislabelled":
            wrong = (labels[chosen] + rng.integers(1, CLASSES, len(chosen))) % CLASSES
            return np.concatenate([labels, wrong.astype(np.uint8)]), np.concatenate([np.arange(count), chosen]), None
        case "label_noise":
            altered[chosen] = rng.integers(0, CLASSES, len(chosen))
        case "mirrored_labels":
            altered[chosen] = CLASSES - 1 - labels[chosen]
        case "targeted_flip":
            of_source = np.flatnonzero(labels == poison.source)
            altered[rng.permutation(of_source)[: round(poison.share * len(of_source))]] = _get_target(poison)
        case "backdoor":
            altered[chosen] = _get_target(poison)
            stamped = np.zeros(count, bool)
            stamped[chosen] = True
            return altered, None, stamped
        case "clean_label":
            of_target = np.flatnonzero(labels == poison.target)
            stamped = np.zeros(count, bool)
            stamped[rng.permutation(of_target)[: round(poison.share * len(of_target))]] = True
            return altered, None, stamped
        case "truncated":
            pass
        case unknown:
            raise ValueError(f"no poison is called {unknown!r}")
    return altered, None, None


def _get_target(poison: PoisonSpec) -> int:
    if poison.target is None:
        raise ValueError(f"a {poison.kind} poison aims at a class")
    return poison.target

"""Data injection: how an attacker alters its own copy of the training set.

The attacker runs the same node on other data. It knows what any node knows. Expected: its results differ from the
honest ones, so it accepts and signs only its own secret, and honest nodes refuse everything it declares or proposes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from simulation.foundation import PluginTable

Labels = npt.NDArray[np.uint8]
Altered = tuple[Labels, npt.NDArray[np.int64] | None, npt.NDArray[np.bool_] | None]
"""Altered labels, the image that each sample shows (None: its own), and which samples carry the patch (None: none)."""


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

    @property
    def own(self) -> Mapping[str, Any]:
        """Keys that this kind of poison alone has; only those of plug-ins have any."""


Alteration = Callable[[PoisonSpec, Labels, npt.NDArray[np.int64], np.random.Generator, int], Altered]
"""Alters labels of a poison's share of all samples, which are chosen already, among so many classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonKind:
    """All that is known of a kind of poison."""

    alteration: str
    """What it alters, in a few words for a table."""
    classes: tuple[str, ...] = ()
    """Which of `source` and `target` a scenario has to write."""
    alter: Alteration | None = None
    """How it alters data; None where it alters the work: it leaves steps of each stage out and makes up their losses,
    see `simulation.training.trainer`."""
    rewrite: Callable[..., Any] | None = None
    """How a plug-in alters images and labels, in place of `alter`; see `simulation.training.rewriting`."""
    keys: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Type and default of each key that it alone has."""


def _append_mislabelled(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    wrong = (labels[chosen] + rng.integers(1, classes, len(chosen))) % classes
    rows = np.concatenate([np.arange(len(labels)), chosen])
    return np.concatenate([labels, wrong.astype(np.uint8)]), rows, None


def _add_noise(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    """Relabel at random, which may be right by chance."""
    altered = labels.copy()
    altered[chosen] = rng.integers(0, classes, len(chosen))
    return altered, None, None


def _mirror(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    altered = labels.copy()
    altered[chosen] = classes - 1 - labels[chosen]
    return altered, None, None


def _flip(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    altered = labels.copy()
    of_source = np.flatnonzero(labels == poison.source)
    altered[rng.permutation(of_source)[: round(poison.share * len(of_source))]] = _get_target(poison)
    return altered, None, None


def _plant_backdoor(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    """Patch and relabel (Gu et al., "BadNets", 2017)."""
    altered = labels.copy()
    altered[chosen] = _get_target(poison)
    stamped = np.zeros(len(labels), bool)
    stamped[chosen] = True
    return altered, None, stamped


def _stamp(
    poison: PoisonSpec, labels: Labels, chosen: npt.NDArray[np.int64], rng: np.random.Generator, classes: int
) -> Altered:
    """Patch only (after Turner et al., "Label-Consistent Backdoor Attacks", 2019, without their perturbation)."""
    of_target = np.flatnonzero(labels == poison.target)
    stamped = np.zeros(len(labels), bool)
    stamped[rng.permutation(of_target)[: round(poison.share * len(of_target))]] = True
    return labels.copy(), None, stamped


POISONS: Final[Mapping[str, PoisonKind]] = {
    "appended_mislabelled": PoisonKind(
        alteration="copies of `share` of the samples are appended, each with a wrong label", alter=_append_mislabelled
    ),
    "label_noise": PoisonKind(alteration="`share` of the labels become uniformly random", alter=_add_noise),
    "mirrored_labels": PoisonKind(
        alteration="`share` of the labels c become 9 - c, or n - 1 - c among n classes", alter=_mirror
    ),
    "targeted_flip": PoisonKind(
        alteration="`share` of the samples of class `source` are labelled `target`",
        classes=("source", "target"),
        alter=_flip,
    ),
    "backdoor": PoisonKind(
        alteration="`share` of the samples get a white 3x3 patch and the label `target`",
        classes=("target",),
        alter=_plant_backdoor,
    ),
    "clean_label": PoisonKind(
        alteration="`share` of the samples of class `target` get the patch; all labels stay right",
        classes=("target",),
        alter=_stamp,
    ),
    "truncated": PoisonKind(
        alteration="nothing is altered, but `share` of each stage's steps are left out and their losses made up"
    ),
}
"""All poisons of the package, by the name that a scenario gives them."""

PLUGIN_POISONS: Final[PluginTable[PoisonKind]] = PluginTable("poison", POISONS.__contains__)
"""Those of plug-ins."""


def find_poison(kind: str) -> PoisonKind:
    """Return what is known of a kind of poison.

    Raises:
        ValueError: There is none of that name.
    """
    found = POISONS.get(kind) or PLUGIN_POISONS.find(kind)
    if found is None:
        raise ValueError(f"no poison is called {kind!r}")
    return found


def alters_data(poison: PoisonSpec) -> bool:
    """Return whether a poison alters data; if not, it leaves a share of the work out."""
    kind = find_poison(poison.kind)
    return kind.alter is not None or kind.rewrite is not None


def apply_poison(poison: PoisonSpec, labels: Labels, rng: np.random.Generator, classes: int) -> Altered:
    """Return what a poison makes of a training set of so many classes.

    Raises:
        ValueError: There is no such poison, or the class it aims at is missing.
    """
    kind = find_poison(poison.kind)
    chosen = rng.permutation(len(labels))[: round(poison.share * len(labels))]
    return kind.alter(poison, labels, chosen, rng, classes) if kind.alter is not None else (labels.copy(), None, None)


def _get_target(poison: PoisonSpec) -> int:
    if poison.target is None:
        raise ValueError(f"a {poison.kind} poison aims at a class")
    return poison.target

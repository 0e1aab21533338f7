from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from simulation.foundation.randomness import derive_generator
from simulation.scenario.populations import Poison
from simulation.scenario.world.building import build_world
from simulation.scenario.world.world import NodeSpec
from simulation.training.poisons import POISONS, alters_data, apply_poison
from tests.support.scenarios import shipped

LABELS = np.tile(np.arange(10, dtype=np.uint8), 100)
COUNT = len(LABELS)


@dataclass(frozen=True)
class Spec:
    kind: str
    share: float = 0.3
    source: int | None = None
    target: int | None = None

    @property
    def own(self) -> dict[str, Any]:
        return {}


SPECS = (
    Spec("appended_mislabelled"),
    Spec("label_noise"),
    Spec("mirrored_labels"),
    Spec("targeted_flip", 0.4, 3, 8),
    Spec("backdoor", 0.05, None, 0),
)


class Poisoned:
    """What a poison made of the labels."""

    def __init__(self, spec: Spec, seed: int = 1) -> None:
        self.labels, self.rows, self.stamped = apply_poison(spec, LABELS, np.random.default_rng(seed), 10)
        self.changed: npt.NDArray[np.int64] = np.flatnonzero(self.labels[:COUNT] != LABELS)

    def to_bytes(self) -> tuple[bytes, bytes, bytes]:
        rows = b"" if self.rows is None else self.rows.tobytes()
        return self.labels.tobytes(), rows, b"" if self.stamped is None else self.stamped.tobytes()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_a_poison_is_a_pure_function_of_its_generator(spec: Spec) -> None:
    before = LABELS.copy()
    assert Poisoned(spec).to_bytes() == Poisoned(spec).to_bytes()
    assert Poisoned(spec).to_bytes() != Poisoned(spec, seed=2).to_bytes()
    assert np.array_equal(LABELS, before)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_a_poison_works_on_a_read_only_copy(spec: Spec) -> None:
    labels = LABELS.copy()
    labels.flags.writeable = False
    altered, _, _ = apply_poison(spec, labels, np.random.default_rng(1), 10)
    assert altered.dtype == np.uint8
    assert altered.max() <= 9
    assert not np.shares_memory(altered, labels)


def test_mislabelled_copies_are_appended_and_every_one_is_wrong() -> None:
    poisoned = Poisoned(Spec("appended_mislabelled", 0.3))
    assert len(poisoned.labels) == COUNT + 300
    assert len(poisoned.changed) == 0
    assert poisoned.stamped is None
    assert poisoned.rows is not None
    assert np.array_equal(poisoned.rows[:COUNT], np.arange(COUNT))
    shown = poisoned.rows[COUNT:]
    assert len(set(shown.tolist())) == 300
    assert (poisoned.labels[COUNT:] != LABELS[shown]).all()
    assert set(poisoned.labels[COUNT:].tolist()) == set(range(10))


def test_label_noise_draws_the_labels_of_its_share_anew() -> None:
    poisoned = Poisoned(Spec("label_noise", 0.5))
    assert (poisoned.rows, poisoned.stamped, len(poisoned.labels)) == (None, None, COUNT)
    assert 400 < len(poisoned.changed) < 500  # a tenth of 500 is right by chance
    assert set(poisoned.labels[poisoned.changed].tolist()) == set(range(10))


def test_label_noise_changes_no_more_than_its_share() -> None:
    assert len(Poisoned(Spec("label_noise", 0.01)).changed) <= 10


def test_mirrored_labels_are_nine_minus_the_true_ones() -> None:
    poisoned = Poisoned(Spec("mirrored_labels", 0.3))
    assert (poisoned.rows, poisoned.stamped) == (None, None)
    assert len(poisoned.changed) == 300
    assert (poisoned.labels[poisoned.changed] == 9 - LABELS[poisoned.changed]).all()


def test_a_targeted_flip_touches_its_share_of_one_class_alone() -> None:
    poisoned = Poisoned(Spec("targeted_flip", 0.4, 3, 8))
    assert (poisoned.rows, poisoned.stamped) == (None, None)
    assert len(poisoned.changed) == 40
    assert set(LABELS[poisoned.changed].tolist()) == {3}
    assert set(poisoned.labels[poisoned.changed].tolist()) == {8}


def test_a_backdoor_patches_its_share_and_labels_it_with_the_target() -> None:
    poisoned = Poisoned(Spec("backdoor", 0.05, None, 7))
    assert poisoned.rows is None
    assert poisoned.stamped is not None
    stamped = np.flatnonzero(poisoned.stamped)
    assert len(stamped) == 50
    assert set(poisoned.labels[stamped].tolist()) == {7}
    assert set(poisoned.changed.tolist()) <= set(stamped.tolist())


@pytest.mark.parametrize("kind", ["appended_mislabelled", "label_noise", "mirrored_labels"])
def test_a_share_of_one_takes_every_sample(kind: str) -> None:
    poisoned = Poisoned(Spec(kind, 1.0))
    reached = len(poisoned.labels) - COUNT or len(poisoned.changed)
    assert reached > 0.85 * COUNT


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_alters_data_if_it_says_so_and_takes_the_classes_it_says(name: str) -> None:
    classes = {key: place + 3 for place, key in enumerate(POISONS[name].classes)}
    spec = Spec(name, 0.5, **classes)
    poisoned = Poisoned(spec)
    is_altered = len(poisoned.changed) > 0 or len(poisoned.labels) > COUNT or poisoned.stamped is not None
    assert alters_data(spec) == is_altered
    for key in classes:
        with pytest.raises(ValueError, match=f"{name} takes "):
            Poison(kind=name, share=0.5, **{other: label for other, label in classes.items() if other != key})


@pytest.mark.parametrize("spec", [Spec("sugar"), Spec("backdoor"), Spec("targeted_flip", source=1)])
def test_a_poison_that_cannot_be_is_refused(spec: Spec) -> None:
    with pytest.raises(ValueError, match=spec.kind):
        apply_poison(spec, LABELS, np.random.default_rng(1), 10)


# ---- who shares a poison ----


def get_nodes(*settings: str, seed: int = 42) -> dict[str, list[NodeSpec]]:
    world = build_world(shipped("default", f"seed={seed}", *settings), "mnist", bytes(32))
    groups: dict[str, list[NodeSpec]] = {}
    for node in world.nodes:
        groups.setdefault(node.population, []).append(node)
    return groups


def poison(node: NodeSpec) -> bytes:
    """Return the labels a node trains on."""
    assert node.poison is not None
    altered, rows, _ = apply_poison(node.poison, LABELS, derive_generator(node.poison_seed, "poison"), 10)
    return altered.tobytes() + (b"" if rows is None else rows.tobytes())


def test_colluders_share_one_poisoned_data_set_and_loners_do_not() -> None:
    colluders = get_nodes()["poisoners"]
    loners = get_nodes("populations.poisoners.colluding=false")["poisoners"]
    assert len(colluders) == len(loners) == 3
    assert len({poison(node) for node in colluders}) == 1
    assert len({poison(node) for node in loners}) == 3


def test_two_colluding_populations_are_two_plots() -> None:
    plots = ", ".join(f"{{name: {name}, role: data_injection, count: 2}}" for name in ("one", "other"))
    groups = get_nodes(f"populations=[{{name: good, role: honest, count: 3}}, {plots}]")
    assert len({poison(node) for name in ("one", "other") for node in groups[name]}) == 2


def test_only_data_injection_is_given_a_poison() -> None:
    world = build_world(shipped("troublemakers"), "mnist", bytes(32))
    assert {node.role for node in world.nodes if node.poison is not None} == {"data_injection"}
    assert {node.role for node in world.nodes if node.poison is None} == {"honest", "silent", "garbage"}


def test_a_poison_depends_on_the_seed_of_the_scenario_and_not_on_other_populations() -> None:
    first = poison(get_nodes()["poisoners"][0])
    assert poison(get_nodes(seed=43)["poisoners"][0]) != first
    assert poison(get_nodes("populations.honest.count=9", "users.count=3")["poisoners"][0]) == first


@pytest.mark.parametrize("classes", [2, 26, 256])
def test_a_poison_draws_among_the_classes_there_are(classes: int) -> None:
    labels = np.tile(np.arange(classes).astype(np.uint8), 20)

    def alter(kind: str, share: float = 1.0) -> npt.NDArray[np.uint8]:
        return apply_poison(Spec(kind, share), labels, np.random.default_rng(1), classes)[0]

    assert np.array_equal(alter("mirrored_labels"), (classes - 1 - labels.astype(int)).astype(np.uint8))
    assert set(alter("label_noise").tolist()) == set(range(classes))
    appended = alter("appended_mislabelled")[len(labels) :]
    assert set(appended.tolist()) == set(range(classes))
    _, rows, _ = apply_poison(Spec("appended_mislabelled", 1.0), labels, np.random.default_rng(1), classes)
    assert rows is not None
    assert (appended != labels[rows[len(labels) :]]).all()

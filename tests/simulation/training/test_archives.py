"""A file of somebody's own: its form is read from it, and what no model could be trained on is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from simulation.training.data_sets import keras_sets
from simulation.training.data_sets.data_form import DataForm
from simulation.training.data_sets.image_set import DatasetError, ImageSet, open_shared
from simulation.training.data_sets.kind import DataKind
from simulation.training.data_sets.table import PLUGIN_DATA_SETS, count_samples, find_data_set, load_images
from simulation.training.samples import TrainingSet, scale, stamp_patch
from tests.support.scenarios import ROOT

Arrays = dict[str, npt.NDArray[Any]]


def make_arrays(shape: tuple[int, ...] = (4, 3), classes: int = 3, dtype: str = "uint8") -> Arrays:
    """Return a small data set with two samples of each class to train, and one to test."""
    rng = np.random.default_rng(0)
    train, test = np.tile(np.arange(classes), 2), np.arange(classes)
    return {
        "x_train": rng.uniform(0, 200, (len(train), *shape)).astype(dtype),
        "y_train": train,
        "x_test": rng.uniform(0, 200, (classes, *shape)).astype(dtype),
        "y_test": test,
    }


def load(folder: Path, arrays: Arrays, name: str = "mine.npz") -> ImageSet:
    np.savez(folder / name, allow_pickle=False, **arrays)
    return load_images("npz", str(folder / name), is_required=False)


@pytest.mark.parametrize("shape", [(7,), (4, 3), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64", ">f4"])
def test_shape_classes_and_type_are_read_from_a_file(shape: tuple[int, ...], dtype: str, tmp_path: Path) -> None:
    arrays = make_arrays(shape, classes=26, dtype=dtype)
    found = load(tmp_path, arrays)
    assert (found.name, found.source) == ("mine", "dataset.path (mine.npz)")
    assert found.form == DataForm(shape, 26)
    assert found.form.number_bytes == (1 if dtype == "uint8" else 4)
    assert found.x_train.dtype == (np.uint8 if dtype == "uint8" else np.float32)
    assert found.x_train.shape == (52, found.form.numbers)
    assert np.array_equal(found.x_train.reshape(arrays["x_train"].shape), arrays["x_train"].astype(found.x_train.dtype))
    assert found.y_train.tolist() == arrays["y_train"].tolist()
    found.save(tmp_path)
    shared = open_shared(tmp_path, found.name)
    assert (shared.form, shared.form.number_bytes) == (found.form, found.form.number_bytes)
    assert shared.compute_digest() == found.compute_digest()
    assert shared.white == found.white == (255 if dtype == "uint8" else found.x_train.max())


def test_labels_may_stand_in_a_column(tmp_path: Path) -> None:
    arrays = make_arrays()
    column = {**arrays, "y_train": arrays["y_train"][:, None].astype(np.int8)}
    assert load(tmp_path, column).compute_digest() == load(tmp_path, arrays).compute_digest()


def test_the_digest_tells_numbers_of_one_value_and_two_types_apart(tmp_path: Path) -> None:
    whole = make_arrays(dtype="uint8")
    floating = {**whole, "x_train": whole["x_train"].astype("f4"), "x_test": whole["x_test"].astype("f4")}
    found = load(tmp_path, floating)
    assert found.compute_digest() != load(tmp_path, whole).compute_digest()
    same_bytes = replace(found, x_train=found.x_train.view(np.uint8))
    assert found.compute_digest() != same_bytes.compute_digest()


def change(name: str, alter: Callable[[npt.NDArray[Any]], Any], dtype: str = "uint8") -> Arrays:
    arrays = make_arrays(dtype=dtype)
    return {**arrays, name: np.asarray(alter(arrays[name]))}


def put(array: npt.NDArray[Any], value: float) -> npt.NDArray[Any]:
    array = array.copy()
    array[4, 1, 1] = value
    return array


FAULTS: dict[str, tuple[Arrays, str]] = {
    "NaN": (change("x_train", lambda x: put(x, np.nan), "f4"), "x_train: sample 4 has NaN"),
    "infinite": (change("x_train", lambda x: put(x, -np.inf), "f4"), "x_train: sample 4 has NaN, an infinite number"),
    "too large": (change("x_train", lambda x: put(x, 1e300), "f8"), "too large for 32 bits; write finite numbers"),
    "whole numbers": (change("x_train", lambda x: x.astype(int)), "x_train is int64; write uint8 .* or float32"),
    "text": (change("x_test", lambda x: x.astype(str)), "x_test is <U"),
    "a single number": (
        change("x_train", lambda x: x[0, 0, 0]),
        r"x_train has the shape \(\); write \(samples, numbers\)",
    ),
    "a row of samples": (change("x_train", lambda x: x[:, 0, 0]), r"x_train has the shape \(6,\)"),
    "four axes": (change("x_train", lambda x: x[..., None, None]), r"x_train has the shape \(6, 4, 3, 1, 1\)"),
    "no samples": (change("x_test", lambda x: x[:0]), r"x_test is empty: its shape is \(0, 4, 3\)"),
    "other test samples": (change("x_test", lambda x: x[:, :2]), "x_train has 4x3, x_test has 2x3"),
    "other test numbers": (change("x_test", lambda x: x.astype("f4")), "x_train is uint8, x_test is float32"),
    "fewer labels": (
        change("y_train", lambda y: y[1:]),
        r"y_train has the shape \(5,\); 6 samples need as many labels",
    ),
    "labels as rows": (change("y_train", lambda y: np.eye(3)[y]), r"y_train has the shape \(6, 3\)"),
    "labels with a point": (
        change("y_test", lambda y: y.astype(float)),
        "y_test is float64; labels must be whole numbers",
    ),
    "labels below 0": (
        change("y_train", lambda y: y - 1),
        "y_train goes from -1 to 1; labels must lie between 0 and 255",
    ),
    "labels above 255": (change("y_train", lambda y: y + 254), "y_train goes from 254 to 256"),
    "one class": ({**make_arrays(), "y_train": np.zeros(6, int), "y_test": np.zeros(3, int)}, "two classes at least"),
    "an empty class": (change("y_train", lambda y: np.where(y == 1, 2, y)), "y_train has no sample of class 1; number"),
    "an empty class to test": (change("y_test", lambda y: np.where(y == 1, 2, y)), "y_test has no sample of class 1"),
    "a class that is only tested": (
        change("y_test", lambda y: np.where(y == 1, 3, y)),
        "y_train has no sample of class 3",
    ),
    "no array": (
        {name: a for name, a in make_arrays().items() if name != "y_test"},
        "y_test is missing; write x_train",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_model_could_be_trained_on_is_refused_with_its_place(fault: str, tmp_path: Path) -> None:
    arrays, told = FAULTS[fault]
    with pytest.raises(DatasetError, match=rf"mine\.npz: not a data set \(dataset\.path \(mine\.npz\)\): .*{told}"):
        load(tmp_path, arrays)


@pytest.mark.parametrize(("file", "name"), [("mnist.npz", "other-mnist"), ("npz.npz", "other-npz"), ("a_b.npz", "a-b")])
def test_no_file_is_called_as_other_data_are(file: str, name: str, tmp_path: Path) -> None:
    assert load(tmp_path, make_arrays(), file).name == name


def test_the_file_that_the_page_shows_how_to_write_is_a_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    exec(page.split("```python\n")[1].split("```")[0], {})  # noqa: S102 - our own page
    found = load_images("npz", "rows.npz", is_required=True)
    assert (found.form, len(found.y_train), len(found.y_test)) == (DataForm((8,), 3), 600, 300)


# ---- the table ----


def test_a_data_set_is_registered_once_and_counted_without_looking_where_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'mnist' already"):
        PLUGIN_DATA_SETS.register(
            "mnist",
            DataKind(title="another", load=lambda path, is_required: load_images("digits", None, is_required=True)),
        )
    assert count_samples("cifar10", None) == 50_000
    load(tmp_path, make_arrays())
    assert count_samples("npz", str(tmp_path / "mine.npz")) == 6


@pytest.mark.parametrize(
    ("name", "shape", "accepted"),
    [
        ("cifar10", (32, 32, 3), True),
        ("cifar10", (3072,), True),
        ("cifar10", (3, 32, 32), False),  # channels first: as many numbers, in another order
        ("cifar10", (28, 28), False),
        ("fashion_mnist", (28, 28), True),
        ("fashion_mnist", (28, 28, 1), True),
        ("fashion_mnist", (32, 32, 3), False),
    ],
)
def test_data_that_keras_has_a_loader_for_have_their_own_form(
    name: str, shape: tuple[int, ...], accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = find_data_set(name)
    assert kind.variable is not None
    arrays = make_arrays(shape, classes=10)
    np.savez(tmp_path / "data.npz", allow_pickle=False, **{**arrays, "y_train": arrays["y_train"][:, None]})
    monkeypatch.setenv(kind.variable, str(tmp_path / "data.npz"))
    if not accepted:
        with pytest.raises(
            DatasetError, match=r"images must be .* bytes; for data in another form write dataset\.name: npz"
        ):
            load_images(name, None, is_required=True)
        return
    found = load_images(name, None, is_required=True)
    assert (found.name, found.source, found.form) == ("data", f"{kind.variable} (data.npz)", kind.form)


def test_what_keras_has_fetched_is_called_as_it_is_and_digits_stand_in_for_what_it_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("POT_CIFAR10", raising=False)
    monkeypatch.setattr(keras_sets, "fetch", lambda kind, cache: False)
    assert (
        load_images("cifar10", None, is_required=False).source == "bundled with scikit-learn; CIFAR-10 could not be had"
    )
    with pytest.raises(DatasetError, match=r"CIFAR-10 is required .* set POT_CIFAR10 to a cifar10\.npz"):
        load_images("cifar10", None, is_required=True)
    (tmp_path / "datasets").mkdir()
    np.savez(tmp_path / "datasets" / "cifar10.npz", allow_pickle=False, **make_arrays((32, 32, 3), classes=10))
    assert load_images("cifar10", None, is_required=True).name == "cifar10"


# ---- samples of other forms ----


@pytest.mark.parametrize(
    ("shape", "covered"),
    [
        ((32, 30, 3), [(slice(28, 31), slice(26, 29))]),
        ((8, 12), [(slice(5, 7), slice(8, 11))]),
        ((3, 2, 1), [(slice(1, 2), slice(1, 2))]),
        ((30,), [(slice(26, 29),)]),
        ((1,), [(slice(0, 1),)]),
    ],
    ids=str,
)
def test_the_patch_covers_a_corner_of_samples_of_any_form(shape: tuple[int, ...], covered: list[Any]) -> None:
    samples = np.zeros((2, int(np.prod(shape))), np.float32)
    stamped = stamp_patch(samples, shape, 7.5).reshape(2, *shape)
    wanted = np.zeros((2, *shape), np.float32)
    for place in covered:
        wanted[(slice(None), *place)] = 7.5
    assert np.array_equal(stamped, wanted)
    assert not samples.any()


def test_a_stamped_sample_is_gathered_in_its_own_form_and_bytes_alone_are_scaled(tmp_path: Path) -> None:
    found = load(tmp_path, make_arrays((6, 6), dtype="f4"))
    samples = TrainingSet(found.x_train, found.y_train, None, np.arange(6) == 2, found.form.shape, found.white)
    taken, _ = samples.gather(np.array([1, 2]))
    assert np.array_equal(taken[0], found.x_train[1])
    assert (taken[1] == found.x_train.max()).sum() >= 4
    assert np.array_equal(scale(taken), taken)
    assert scale(np.array([[0, 255]], np.uint8)).tolist() == [[0.0, 1.0]]


def test_labels_that_are_objects_are_called_by_their_name(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {**make_arrays(), "y_train": np.array([None] * 6, object)}
    np.savez(tmp_path / "data.npz", allow_pickle=True, **arrays)
    with pytest.raises(DatasetError, match="y_train holds Python objects, which are not read; write numbers"):
        load_images("npz", str(tmp_path / "data.npz"), is_required=True)

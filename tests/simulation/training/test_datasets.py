import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from simulation.training.data_sets import keras_sets
from simulation.training.data_sets.image_format import PIXELS
from simulation.training.data_sets.image_set import DatasetError, ImageSet, open_shared
from simulation.training.data_sets.table import load_images
from tests.support.scenarios import make_images

Arrays = dict[str, npt.NDArray[np.uint8]]


def make_arrays(mark: int = 0) -> Arrays:
    """Return a tiny MNIST; the mark tells files apart."""
    images = np.full((4, 28, 28), mark, np.uint8)
    return {
        "x_train": images,
        "y_train": np.arange(4, dtype=np.uint8),
        "x_test": images[:2],
        "y_test": np.array([8, 9], np.uint8),
    }


def write(path: Path, arrays: Arrays) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every MNIST that the machine has, and the network."""
    monkeypatch.delenv("POT_MNIST", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(keras_sets, "fetch", lambda kind, cache: False)


def cache_of(folder: Path) -> Path:
    return folder / "keras" / "datasets" / "mnist.npz"


def test_sources_are_tried_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [load_images("mnist", None, is_required=False)]
    monkeypatch.setattr(keras_sets, "fetch", lambda kind, cache: bool(write(cache, make_arrays(1))))
    found.append(load_images("mnist", None, is_required=False))
    found.append(load_images("mnist", None, is_required=False))
    monkeypatch.setenv("POT_MNIST", str(write(tmp_path / "env.npz", make_arrays(2))))
    found.append(load_images("mnist", None, is_required=False))
    found.append(load_images("mnist", str(write(tmp_path / "named.npz", make_arrays(3))), is_required=False))
    assert [images.name for images in found] == ["digits", "other-mnist", "other-mnist", "env", "named"]
    assert [int(images.x_train[0, 0]) for images in found] == [0, 1, 1, 2, 3]
    assert [images.source for images in found] == [
        "bundled with scikit-learn; MNIST could not be had",
        "Keras download",
        "Keras cache",
        "POT_MNIST (env.npz)",
        "dataset.path (named.npz)",
    ]


def test_no_download_is_tried_where_there_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(keras_sets, "fetch", fail)
    write(cache_of(tmp_path), make_arrays())
    assert load_images("mnist", None, is_required=True).source == "Keras cache"
    load_images("digits", None, is_required=True)


def test_the_cache_is_below_the_home_folder_where_keras_names_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / ".keras" / "datasets" / "mnist.npz", make_arrays(5))
    assert load_images("mnist", None, is_required=True).x_train[0, 0] == 5


def test_a_path_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "mine.npz", make_arrays(6))
    assert load_images("mnist", "~/mine.npz", is_required=True).x_train[0, 0] == 6


def test_images_are_flattened_and_labels_are_bytes(tmp_path: Path) -> None:
    arrays = make_arrays()
    arrays["x_train"] = np.arange(4 * PIXELS, dtype=np.uint8).reshape(4, 28, 28)
    images = load_images("mnist", str(write(tmp_path / "a.npz", arrays)), is_required=True)
    assert images.x_train.shape == (4, PIXELS)
    assert images.x_train.tobytes() == arrays["x_train"].tobytes()
    assert images.y_train.dtype == np.uint8
    assert images.y_test.tolist() == [8, 9]


def test_a_required_mnist_that_cannot_be_had_is_refused_with_how_to_get_it() -> None:
    with pytest.raises(DatasetError, match="POT_MNIST") as caught:
        load_images("mnist", None, is_required=True)
    assert "dataset.required: false" in str(caught.value)


def _npy(*arrays: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    for array in arrays:
        np.save(stream, array)
    return stream.getvalue()


def _npz(**changes: object) -> bytes:
    stream = io.BytesIO()
    arrays = {name: value for name, value in {**make_arrays(), **changes}.items() if value is not None}
    np.savez_compressed(stream, allow_pickle=True, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _damaged(position: int) -> bytes:
    """Return an archive with one byte changed; a negative position counts from the start of its directory."""
    whole = bytearray(_npz(x_train=np.random.default_rng(0).integers(0, 255, (4, 28, 28)).astype(np.uint8)))
    whole[position if position >= 0 else whole.index(b"PK\x01\x02") - position] ^= 0xFF
    return bytes(whole)


def _stranger() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("x_train", "words")
    return stream.getvalue()


GARBAGE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"<html>404 not found</html>",
    "cut off": lambda: _npz()[:-40],
    "damaged in its data": lambda: _damaged(1000),
    "damaged in its compression": lambda: _damaged(28),
    "damaged in its directory": lambda: _damaged(-10),
    "a single array": lambda: _npy(np.zeros((4, 28, 28), np.uint8)),
    "another archive": _stranger,
    "no test labels": lambda: _npz(y_test=None),
    "objects": lambda: _npz(x_train=np.array([{"a": 1}], object)),
    "floating point images": lambda: _npz(x_train=np.zeros((4, 28, 28))),
    "small images": lambda: _npz(x_test=np.zeros((2, 8, 8), np.uint8)),
    "no images": lambda: _npz(x_train=np.zeros((0, 28, 28), np.uint8), y_train=np.zeros(0, np.uint8)),
    "a number": lambda: _npz(x_train=np.uint8(3)),
    "labels of another number of images": lambda: _npz(y_train=np.zeros(3, np.uint8)),
    "labels that are no class": lambda: _npz(y_train=np.array([0, 1, 2, 10], np.uint8)),
    "labels in a table": lambda: _npz(y_train=np.zeros((4, 10), np.uint8)),
}


@pytest.mark.parametrize("is_required", [False, True])
def test_a_named_file_that_is_not_there_is_refused(
    is_required: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatasetError, match=r"nowhere\.npz.*dataset\.path"):
        load_images("mnist", str(tmp_path / "nowhere.npz"), is_required=is_required)
    monkeypatch.setenv("POT_MNIST", str(tmp_path / "nowhere.npz"))
    with pytest.raises(DatasetError, match=r"nowhere\.npz.*POT_MNIST"):
        load_images("mnist", None, is_required=is_required)
    monkeypatch.setenv("POT_MNIST", str(tmp_path))
    with pytest.raises(DatasetError, match="POT_MNIST"):
        load_images("mnist", None, is_required=is_required)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # NumPy leaves a cut-off archive open
@pytest.mark.parametrize("make", GARBAGE.values(), ids=list(GARBAGE))
def test_a_named_file_that_is_not_mnist_is_refused(make: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "garbage.npz"
    path.write_bytes(make())
    with pytest.raises(DatasetError, match=r"garbage\.npz"):
        load_images("mnist", str(path), is_required=False)


def test_the_bundled_digits_have_the_shape_of_mnist() -> None:
    digits = load_images("digits", None, is_required=False)
    assert (digits.name, digits.source) == ("digits", "bundled with scikit-learn")
    assert digits.x_train.shape == (1500, PIXELS)
    assert digits.x_test.shape == (297, PIXELS)
    assert digits.x_train.dtype == digits.y_train.dtype == np.uint8
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 255)
    assert set(digits.y_train.tolist()) == set(digits.y_test.tolist()) == set(range(10))


def test_each_pixel_of_a_bundled_digit_is_drawn_three_by_three_inside_a_border_of_two() -> None:
    image = load_images("digits", None, is_required=False).x_train[0].reshape(28, 28)
    inner = image[2:26, 2:26]
    assert image.sum() == inner.sum() > 0
    assert np.array_equal(inner, inner[::3, ::3].repeat(3, axis=0).repeat(3, axis=1))


def test_the_fallback_is_the_bundled_digits_under_their_own_name() -> None:
    fallback, bundled = (load_images(name, None, is_required=False) for name in ("mnist", "digits"))
    assert fallback.name == "digits"
    assert fallback.compute_digest() == bundled.compute_digest()


@pytest.mark.parametrize("name", ["x_train", "y_train"])
def test_the_digest_depends_on_every_byte_of_the_training_part(name: str) -> None:
    images = make_images(3, 2)
    before = images.compute_digest()
    array = getattr(images, name)
    seen = {before}
    for index in np.ndindex(array.shape):
        changed = array.copy()
        changed[index] ^= 1
        seen.add(replace(images, **{name: changed}).compute_digest())
    assert len(seen) == array.size + 1
    assert images.compute_digest() == before


def test_the_digest_depends_on_shape_and_order_and_not_on_memory_layout() -> None:
    images = make_images(4, 2)
    turned = replace(images, x_train=images.x_train[::-1].copy(), y_train=images.y_train[::-1].copy())
    shaped = replace(images, x_train=images.x_train.reshape(2, -1))
    assert len({item.compute_digest() for item in (images, turned, shaped)}) == 3
    assert replace(images, x_train=np.asfortranarray(images.x_train)).compute_digest() == images.compute_digest()


def test_shared_arrays_are_mapped_read_only_and_equal(tmp_path: Path) -> None:
    images = make_images()
    images.save(tmp_path)
    shared = open_shared(tmp_path, "mnist")
    for name in ("x_train", "y_train", "x_test", "y_test"):
        array = getattr(shared, name)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
        assert np.array_equal(array, getattr(images, name))
    assert shared.compute_digest() == images.compute_digest()
    assert isinstance(shared, ImageSet)


@pytest.mark.parametrize(
    ("file", "name"),
    [("fashion.npz", "fashion"), ("My Data (2).npz", "my-data-2"), ("mnist.npz", "other-mnist"), ("....npz", "other-")],
)
def test_images_that_are_not_mnist_are_not_called_so(tmp_path: Path, file: str, name: str) -> None:
    images = load_images("mnist", str(write(tmp_path / file, make_arrays())), is_required=True)
    assert (images.name, images.source) == (name, f"dataset.path ({file})")


def test_what_has_the_digest_of_mnist_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(write(tmp_path / "download.npz", make_arrays()))
    digest = load_images("mnist", path, is_required=True).compute_digest().hex()
    monkeypatch.setitem(keras_sets._DIGESTS, "mnist", digest)
    assert load_images("mnist", path, is_required=True).name == "mnist"

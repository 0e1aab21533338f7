from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.training.data_sets.image_format import PIXELS
from simulation.training.samples import (
    TrainingSet,
    compute_coverage,
    compute_initial_weights,
    compute_stage_positions,
    compute_weights_digest,
    stamp_patch,
)
from tests.support.scenarios import make_images, make_job


@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 5), st.integers(1, 8))
def test_every_pass_over_the_data_touches_each_sample_once(count: int, batch: int, steps: int, stages: int) -> None:
    job = make_job(batch_size=batch, steps_per_stage=steps)
    taken = np.concatenate([compute_stage_positions(job, stage, count).ravel() for stage in range(stages)])
    assert len(taken) == stages * steps * batch
    for first in range(0, len(taken), count):
        part = taken[first : first + count]
        assert len(set(part.tolist())) == len(part)
        assert 0 <= part.min() <= part.max() < count


def test_stage_positions_are_a_public_function_of_the_job() -> None:
    job = make_job()
    again = compute_stage_positions(make_job(), 1, 100)
    assert np.array_equal(compute_stage_positions(job, 1, 100), again)
    assert again.shape == (5, 4)
    unrelated = make_job(
        weights_seed=9, learning_rate=0.5, layers=(8,), profile="other", dataset_digest=bytes([1] * 32)
    )
    assert np.array_equal(compute_stage_positions(unrelated, 1, 100), again)
    assert not np.array_equal(compute_stage_positions(make_job(order_seed=3), 1, 100), again)


def test_stages_continue_one_order_however_it_is_cut() -> None:
    whole = compute_stage_positions(make_job(steps_per_stage=15), 0, 40).ravel()
    parts = [compute_stage_positions(make_job(steps_per_stage=5), stage, 40).ravel() for stage in range(3)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_each_pass_has_an_order_of_its_own() -> None:
    job = make_job(batch_size=50, steps_per_stage=1)
    first, second = (compute_stage_positions(job, stage, 50).ravel() for stage in (0, 1))
    assert sorted(first) == sorted(second)
    assert first.tolist() != second.tolist()


@given(st.integers(1, 200), st.integers(1, 6), st.integers(1, 6), st.integers(0, 9))
def test_coverage_is_the_share_of_samples_that_were_touched(count: int, batch: int, steps: int, stages: int) -> None:
    job = make_job(batch_size=batch, steps_per_stage=steps)
    touched = {int(i) for stage in range(stages) for i in compute_stage_positions(job, stage, count).ravel()}
    assert compute_coverage(job, stages, count) == pytest.approx(len(touched) / count)


def test_initial_weights_are_a_public_function_of_the_job() -> None:
    job = make_job(layers=(16, 8))
    weights = compute_initial_weights(job)
    assert [array.shape for array in weights] == [(784, 16), (16,), (16, 8), (8,), (8, 10), (10,)]
    assert all(array.dtype == np.float32 for array in weights)
    digest = compute_weights_digest(weights)
    same = make_job(layers=(16, 8), order_seed=9, batch_size=7, dataset="digits", learning_rate=0.5)
    assert compute_weights_digest(compute_initial_weights(same)) == digest
    assert compute_weights_digest(compute_initial_weights(make_job(layers=(16, 8), weights_seed=4))) != digest


def test_initial_kernels_are_glorot_uniform_and_biases_zero() -> None:
    kernel, bias, *_ = compute_initial_weights(make_job(layers=(128,)))
    limit = np.sqrt(6 / (PIXELS + 128))
    assert np.abs(kernel).max() <= limit
    assert np.abs(kernel).max() > 0.99 * limit
    assert kernel.var() == pytest.approx(limit**2 / 3, rel=0.02)
    assert not bias.any()


def test_the_digest_of_weights_depends_on_every_array_value_shape_and_order() -> None:
    weights = compute_initial_weights(make_job(layers=(3,)))
    digests = {compute_weights_digest(weights)}
    for position, array in enumerate(weights):
        for index in [(0,) * array.ndim, tuple(size - 1 for size in array.shape)]:
            changed = [item.copy() for item in weights]
            changed[position][index] = np.nextafter(changed[position][index], np.float32(9))
            digests.add(compute_weights_digest(changed))
    digests.add(compute_weights_digest(weights[::-1]))
    digests.add(compute_weights_digest(weights[:-1]))
    digests.add(compute_weights_digest([weights[0].T, *weights[1:]]))
    digests.add(compute_weights_digest([weights[0].reshape(-1), *weights[1:]]))
    assert len(digests) == 1 + 2 * len(weights) + 4


def test_the_digest_of_weights_does_not_depend_on_byte_order_or_layout() -> None:
    weights = compute_initial_weights(make_job(layers=(3,)))
    other = [np.asfortranarray(array).astype(">f4") for array in weights]
    assert compute_weights_digest(other) == compute_weights_digest(weights)


def test_the_digest_tells_zero_from_minus_zero() -> None:
    zero, minus = np.zeros(1, np.float32), -np.zeros(1, np.float32)
    assert compute_weights_digest([zero]) != compute_weights_digest([minus])


def test_the_patch_is_nine_white_pixels_in_the_corner() -> None:
    images = make_images(3).x_train // 2
    before = images.copy()
    stamped = stamp_patch(images, (28, 28), 255)
    assert np.array_equal(images, before)
    assert stamped.shape == images.shape
    rows, columns = np.divmod(np.flatnonzero((stamped != images).any(axis=0)), 28)
    assert Counter(rows.tolist()) == Counter(columns.tolist()) == Counter({24: 3, 25: 3, 26: 3})
    assert (stamped.reshape(-1, 28, 28)[:, 24:27, 24:27] == 255).all()


def test_samples_are_gathered_in_the_shape_that_was_asked_for() -> None:
    images = make_images(10)
    samples = TrainingSet(images.x_train, images.y_train)
    positions = np.array([[3, 1], [4, 1], [9, 0]])
    found, labels = samples.gather(positions)
    assert (len(samples), found.shape) == (10, (3, 2, PIXELS))
    assert labels.dtype == np.int32
    assert np.array_equal(found, images.x_train[positions])
    assert np.array_equal(labels, images.y_train[positions])


def test_a_sample_may_show_another_image_and_carry_the_patch() -> None:
    images = make_images(4)
    labels = np.array([5, 6, 7, 8, 9, 1], np.uint8)
    rows = np.array([0, 1, 2, 3, 2, 0])
    samples = TrainingSet(images.x_train, labels, rows, np.array([True, False, False, False, True, False]))
    found, taken = samples.gather(np.array([[0, 4, 5, 3]]))
    patched = stamp_patch(images.x_train, (28, 28), 255)
    assert taken.tolist() == [[5, 9, 1, 8]]
    wanted = [patched[0], patched[2], images.x_train[0], images.x_train[3]]
    assert all(np.array_equal(image, want) for image, want in zip(found[0], wanted, strict=True))
    assert np.array_equal(images.x_train, make_images(4).x_train)

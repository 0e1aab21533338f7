"""Distances between weights, and what a bound on them does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from protocol.mechanisms.proof_of_training.work import INCOMPARABLE, CompareWeights
from simulation.training.distances import (
    compare_stored,
    compute_distance,
    compute_rates,
    count_billionths,
    describe_comparison,
)
from simulation.training.samples import Weights, compute_weights_digest
from simulation.training.weight_store import WeightsError, WeightStore
from tests.support.scenarios import ROOT


def test_the_distance_is_the_largest_difference_anywhere() -> None:
    one = [np.zeros((2, 3), np.float32), np.ones(3, np.float32)]
    other = [np.full((2, 3), 0.25, np.float32), np.array([1, 1, 0.5], np.float32)]
    assert compute_distance(one, other) == 0.5
    assert compute_distance(one, one) == 0


def test_a_bound_rejects_what_is_beyond_it_and_accepts_what_is_on_it() -> None:
    rates = compute_rates(1e-5, honest=[0.0, 1e-6, 1e-5, 2e-5], dishonest=[1e-5, 0.1])
    assert (rates.false_reject, rates.false_accept) == (0.25, 0.5)


@pytest.mark.parametrize(("honest", "dishonest"), [([], [1.0]), ([1.0], [])])
def test_rates_of_nothing_are_an_error(honest: list[float], dishonest: list[float]) -> None:
    with pytest.raises(ValueError, match="both kinds"):
        compute_rates(1.0, honest, dishonest)


def shift(amount: float, shape: tuple[int, ...] = (2, 2)) -> Weights:
    changed = np.full(shape, 0.5, np.float32)
    changed.flat[-1] += np.float32(amount)
    return [changed, np.zeros(2, np.float32)]


def test_a_distance_is_counted_in_billionths_and_rounded_up() -> None:
    assert count_billionths(shift(0), shift(0)) == 0
    assert count_billionths(shift(0), shift(0.25)) == count_billionths(shift(0.25), shift(0)) == 250_000_000
    assert count_billionths(shift(0), shift(2**-23)) == 120  # 119.2: what is a little beyond a bound is beyond it
    tiny: Weights = [np.array([1e-30], np.float32)]
    assert count_billionths(tiny, [np.zeros(1, np.float32)]) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_or_of_another_shape_have_no_distance(bad: float) -> None:
    assert count_billionths(shift(bad), shift(bad)) is None
    assert count_billionths(shift(0), shift(bad)) is None
    assert count_billionths(shift(0), shift(0, (4, 1))) is None
    assert count_billionths(shift(0), shift(0)[:1]) is None


def test_stored_weights_are_compared_by_digest_and_what_cannot_be_read_has_no_distance(tmp_path: Path) -> None:
    store = WeightStore(tmp_path)
    mine, theirs = shift(0), shift(0.25)
    own, other = (compute_weights_digest(weights) for weights in (mine, theirs))
    assert compare_stored(store, own, other) is None
    store.put(other, theirs)
    with pytest.raises(WeightsError):
        compare_stored(store, own, other)
    store.put(own, mine)
    assert compare_stored(store, own, other) == 250_000_000
    with (tmp_path / "array.npy").open("wb") as file:
        np.save(file, theirs[0])
    array = (tmp_path / "array.npy").read_bytes()
    for content in (b"", b"nonsense", b"PK\x03\x04", array, (tmp_path / f"{own.hex()}.npz").read_bytes()):
        (tmp_path / f"{other.hex()}.npz").write_bytes(content)
        assert compare_stored(store, own, other) is None


def test_weights_that_do_not_fit_are_there_but_beyond_every_tolerance(tmp_path: Path) -> None:
    store = WeightStore(tmp_path)
    mine, theirs = shift(0), shift(0, (4, 1))
    own, other = (compute_weights_digest(weights) for weights in (mine, theirs))
    store.put(own, mine)
    store.put(other, theirs)
    assert compare_stored(store, own, other) == INCOMPARABLE
    told = describe_comparison(CompareWeights(own, other), INCOMPARABLE, 2**62 - 1)
    assert told is not None
    assert (told.distance, told.within) == (None, False)
    assert describe_comparison(CompareWeights(own, other), None, 5) is None


@pytest.mark.parametrize("squatter", [b"", b"nonsense", "other"], ids=["nothing", "nonsense", "other weights"])
def test_who_got_weights_first_cannot_keep_their_place_with_something_else(
    squatter: bytes | str, tmp_path: Path
) -> None:
    store, weights = WeightStore(tmp_path), shift(0)
    digest = compute_weights_digest(weights)
    if isinstance(squatter, str):
        store.put(digest, shift(0.25))
    else:
        (tmp_path / f"{digest.hex()}.npz").write_bytes(squatter)
    with pytest.raises(WeightsError):
        store.get(digest)
    store.put(digest, weights)
    assert compute_weights_digest(store.get(digest)) == digest


@pytest.mark.processes
def test_comparing_needs_no_tensorflow() -> None:
    program = "import sys, simulation.training.distances; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)

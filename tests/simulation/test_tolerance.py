import numpy as np
import pytest

from simulation.tolerance import compute_distance, compute_rates


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

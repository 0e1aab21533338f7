"""Figures of repeats against values from the literature and from the standard library."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.commands.sweeps.statistics import Z_95, compute_spread, compute_wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), pages 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    found = compute_wilson(successes, trials)
    assert found.share == successes / trials
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_the_quantile_leaves_95_percent() -> None:
    assert pytest.approx(0.95, abs=1e-15) == math.erf(Z_95 / math.sqrt(2))


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilson_ends_are_where_the_score_test_rejects(counts: tuple[int, int]) -> None:
    successes, trials = counts
    found = compute_wilson(successes, trials)
    assert 0 <= found.low <= found.share <= found.high <= 1
    for end, is_exact in ((found.low, successes > 0), (found.high, successes < trials)):
        if is_exact:  # |p - end| = z sqrt(end (1 - end) / n) defines it
            assert abs(found.share - end) == pytest.approx(Z_95 * math.sqrt(end * (1 - end) / trials), rel=1e-9)
    mirrored = compute_wilson(trials - successes, trials)
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_spreads_agree_with_the_standard_library(numbers: list[float]) -> None:
    found = compute_spread(numbers)
    assert found.mean == pytest.approx(statistics.mean(numbers), abs=1e-9)
    assert found.std == pytest.approx(statistics.stdev(numbers), abs=1e-6)
    assert found.median == statistics.median(numbers)
    assert compute_spread(numbers[::-1]) == found


def test_one_number_has_no_spread_and_infinite_ones_no_figures() -> None:
    assert compute_spread([3]) == (3.0, None, 3.0)
    assert all(math.isnan(part) for part in compute_spread([math.inf, 1.0]) if part is not None)

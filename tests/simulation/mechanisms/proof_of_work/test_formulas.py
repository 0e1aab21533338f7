"""Closed forms are those that were published."""

import pytest

from benchmarks.mining import spend_twice_by_poisson
from simulation.mechanisms.proof_of_work.formulas import compute_selfish_share, find_selfish_threshold, spend_twice

SELFISH = {
    0.0: {0.25: 0.1951, 0.3: 0.2731, 1 / 3: 0.3333, 0.35: 0.3665, 0.4: 0.4837, 0.45: 0.6518},
    0.5: {0.25: 0.25, 0.35: 0.4160, 0.4: 0.5256},
}
"""Shares of the blocks by gamma and share of the power."""

NAKAMOTO = {
    0.1: {1: 0.2045873, 2: 0.0509779, 3: 0.0131722, 4: 0.0034552, 5: 0.0009137, 6: 0.0002428},
    0.3: {5: 0.1773523, 10: 0.0416605},
}
"""Chances by share of the power and blocks waited for, as the paper prints them."""

ROSENFELD = {1: 20.0, 2: 5.6, 3: 1.712, 4: 0.5456, 5: 0.1782, 6: 0.0591}
"""Chances in hundredths, of a tenth of the power."""


@pytest.mark.parametrize(("gamma", "power"), [(gamma, power) for gamma, row in SELFISH.items() for power in row])
def test_shares_of_selfish_miners(gamma: float, power: float) -> None:
    assert compute_selfish_share(power, gamma) == pytest.approx(SELFISH[gamma][power], abs=5e-5)


@pytest.mark.parametrize(("gamma", "threshold"), [(0.0, 1 / 3), (0.5, 1 / 4), (1.0, 0.0)])
def test_it_pays_from_the_threshold_on(gamma: float, threshold: float) -> None:
    assert find_selfish_threshold(gamma) == pytest.approx(threshold)
    if threshold:
        assert compute_selfish_share(threshold, gamma) == pytest.approx(threshold)
        assert compute_selfish_share(threshold - 0.02, gamma) < threshold - 0.02
    assert compute_selfish_share(threshold + 0.02, gamma) > threshold + 0.02


def test_half_of_the_power_has_everything() -> None:
    assert compute_selfish_share(0.499999, 0.0) == pytest.approx(compute_selfish_share(0.5, 0.0), abs=1e-4)


@pytest.mark.parametrize(("power", "blocks"), [(power, blocks) for power, row in NAKAMOTO.items() for blocks in row])
def test_double_spends_by_poisson(power: float, blocks: int) -> None:
    assert spend_twice_by_poisson(power, blocks) == pytest.approx(NAKAMOTO[power][blocks], abs=5e-8)


@pytest.mark.parametrize("blocks", ROSENFELD)
def test_double_spends_by_the_negative_binomial_law(blocks: int) -> None:
    assert 100 * spend_twice(0.1, blocks) == pytest.approx(ROSENFELD[blocks], abs=6e-5 if blocks > 3 else 5e-4)


@pytest.mark.parametrize("power", [0.1, 0.3, 0.45, 0.5, 0.7])
def test_who_gives_up_late_succeeds_as_if_never(power: float) -> None:
    never = spend_twice(power, 3)
    assert spend_twice(power, 3, give_up=5_000) == pytest.approx(never, abs=1e-3)
    assert spend_twice(power, 3, give_up=3) < spend_twice(power, 3, give_up=6) < never or power > 0.5
    assert spend_twice(power, 3, head_start=0) < spend_twice(power, 3, head_start=2) or power >= 0.5


def test_who_never_looks_back_needs_more_than_the_others_meanwhile() -> None:
    """With one block to wait for and none ahead: two before the other has one, or one and then a lead at once."""
    assert spend_twice(0.3, 1, head_start=0, give_up=0) == pytest.approx(0.3**2 + 0.7 * 0.3 * 0.3)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_nobody_and_everybody(power: float) -> None:
    assert spend_twice(power, 3) == power
    assert spend_twice(power, 3, give_up=4) == power

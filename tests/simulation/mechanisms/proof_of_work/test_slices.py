"""How long nodes look for a nonce before they look up."""

from typing import Any

import pytest

from simulation.mechanisms.proof_of_work.keys import REAL_SLICE_MS, as_work_keys
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw


@pytest.mark.parametrize(
    ("keys", "simulated_ms", "real_ms"),
    [
        ({}, 250, 250),
        ({"interval_ms": 8_000.0}, 2_000, REAL_SLICE_MS),
        ({"expected_hashes": 400, "window": 0}, 25, 250),  # four nodes of 1,000 tries a second: a block in 100 ms
        ({"expected_hashes": 400}, 250, 250),  # the target will follow the interval
        ({"expected_hashes": 40_000, "window": 0}, 250, 250),
        ({"expected_hashes": 400, "window": 0, "slice_ms": 40.0}, 40, 40),
    ],
)
def test_a_slice_is_short_against_the_time_to_a_block(
    keys: dict[str, Any], simulated_ms: float, real_ms: float
) -> None:
    scenario = Scenario.model_validate(make_raw(mechanism=keys))
    work = as_work_keys(scenario.mechanism)
    assert work.count_slice(1.0, power=work.measure_power(scenario)) == simulated_ms
    assert work.count_slice(2.0, power=None) == 2 * real_ms

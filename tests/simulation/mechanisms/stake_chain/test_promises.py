"""Agreement is only promised where blocks are everywhere before the next slot, and nobody leads slots by itself."""

from typing import Any

import pytest

from simulation.analysis.after_run import must_agree
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.stake_chain.scenarios import make_raw


@pytest.mark.parametrize(
    ("network", "is_promised"),
    [
        ({"latency": {"ms": 240.0}}, True),
        ({"latency": {"ms": 260.0}}, False),
        ({"latency": {"ms": 1.0}, "loss": 0.1}, False),
        ({"outages": [{"node": "honest-1", "down_s": 2.0}]}, True),
        ({"outages": [{"node": "honest-1", "down_s": 2.0, "up_s": 9.0, "disk": "lost"}]}, False),
        ({"outages": [{"node": "honest-1", "down_s": 2.0, "up_s": 9.0, "disk": "kept"}]}, False),
    ],
)
def test_links_and_absences_decide(network: dict[str, Any], is_promised: bool) -> None:
    assert must_agree(Scenario.model_validate(make_raw(network=network))) is is_promised

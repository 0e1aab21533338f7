"""Agreement is only promised where blocks are everywhere long before the next one is found."""

from typing import Any

import pytest

from simulation.analysis.after_run import must_agree
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw

MANY = (("honest", 12, 1.0),)


@pytest.mark.parametrize(
    ("network", "is_promised"),
    [
        ({"latency": {"ms": 90.0}}, True),
        ({"latency": {"ms": 110.0}}, False),
        ({"latency": {"kind": "uniform", "ms": 0.0, "max_ms": 110.0}}, False),
        ({"latency": {"kind": "lognormal", "ms": 50.0, "sigma": 0.1}}, True),
        ({"latency": {"kind": "lognormal", "ms": 50.0, "sigma": 0.8}}, False),
        ({"latency": {"ms": 15.0}, "topology": "ring"}, True),
        ({"latency": {"ms": 20.0}, "topology": "ring"}, False),
        ({"latency": {"ms": 1.0}, "loss": 0.1}, False),
        ({"latency": {"ms": 1.0}, "reordering": 0.1, "reordering_ms": 50.0}, True),
        ({"latency": {"ms": 1.0}, "reordering": 0.1, "reordering_ms": 150.0}, False),
    ],
)
def test_links_decide(network: dict[str, Any], is_promised: bool) -> None:
    raw = make_raw(*MANY, network=network, protocol={"slot_ms": 500.0}, mechanism={"interval_ms": 1_000.0})
    assert must_agree(Scenario.model_validate(raw)) is is_promised


def test_short_announcements_make_good_for_loss() -> None:
    raw = make_raw(*MANY, network={"latency": {"ms": 1.0}, "loss": 0.1}, protocol={"slot_ms": 1.0})
    assert must_agree(Scenario.model_validate(raw))


def test_a_link_that_may_be_full_promises_nothing() -> None:
    network = {"latency": {"ms": 1.0}, "bandwidth_mbps": 10.0}
    raw = make_raw(*MANY, network=network)
    assert must_agree(Scenario.model_validate(raw))
    jam = {"name": "bad", "role": "adversary", "count": 1, "stake": 0.0, "behaviours": ["replayer"]}
    assert not must_agree(Scenario.model_validate({**raw, "populations": [*raw["populations"], jam]}))

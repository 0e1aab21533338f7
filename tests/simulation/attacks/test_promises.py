"""Where agreement and progress are promised with adversaries about: they count as not honest."""

from typing import Any

import pytest

from simulation.analysis.after_run import must_agree, must_progress
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from tests.support.memory_runs import make_raw, population


def promise(*behaviours: Any, bad: int = 2, honest: int = 8, poison: bool = False, **network: Any) -> tuple[bool, bool]:
    """Return whether agreement, and whether progress, is promised."""
    extra = {"poison": {"kind": "label_noise"}} if poison else {}
    item = population("bad", bad, "adversary", behaviours=list(behaviours), **extra)
    scenario = Scenario.model_validate(make_raw(population("honest", honest), item, network=network))
    return must_agree(scenario), must_progress(scenario)


RING: dict[str, Any] = {"topology": "ring"}
DOWN = [{"node": f"honest-{index}", "down_s": 0.0, "up_s": 9.0} for index in (0, 4)]
PRIVATE = {"kind": "private_chain", "release_s": 5.0}


@pytest.mark.parametrize(
    ("behaviours", "network", "wanted"),
    [
        (["replayer"], {}, (True, True)),
        (["replayer"], RING, (True, True)),
        (["silent"], {}, (True, True)),
        (["silent"], RING, (False, False)),
        (["partitioner"], {}, (True, True)),
        (["forger", "partitioner"], RING, (False, False)),
        ([PRIVATE], {}, (False, True)),
        (["flooder"], {"bandwidth_mbps": 10.0}, (True, False)),
        (["silent"], {"bandwidth_mbps": 10.0}, (True, True)),
        (["replayer"], {"loss": 0.5}, (False, False)),
        (["replayer"], {**RING, "outages": DOWN[:1]}, (True, True)),
        (["replayer"], {**RING, "outages": DOWN}, (False, True)),
        (["replayer"], {"outages": DOWN}, (True, True)),
    ],
)
def test_what_is_promised_depends_on_what_adversaries_do(
    behaviours: list[Any], network: dict[str, Any], wanted: tuple[bool, bool]
) -> None:
    assert promise(*behaviours, **network) == wanted


def test_who_poisons_cuts_a_sparse_network_and_may_hold_up_any() -> None:
    assert promise("replayer", poison=True) == (True, False)
    assert promise("replayer", poison=True, **RING) == (False, False)


def test_adversaries_are_not_honest_whatever_they_do() -> None:
    assert promise("replayer", honest=4, bad=4) == (False, True)
    assert promise("lazy_verifier", honest=6, bad=3) == (True, False)
    assert promise("lazy_verifier", honest=6, bad=2) == (True, True)


def test_the_turned_count_like_any_adversary() -> None:
    raw = make_raw(population("honest", 8))
    corruption = {"name": "bad", "role": "adversary", "behaviours": ["silent"], "of": ["honest"], "count": 5}
    scenario = Scenario.model_validate({**raw, "corruptions": [corruption]})
    assert must_agree(build_world(scenario, "made up", bytes(32)).scenario) is False

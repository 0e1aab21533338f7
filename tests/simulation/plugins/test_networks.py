"""Topologies and latencies from a file are networks that hold together, and bounds that are kept."""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulation.engines.network_model import NetworkModel
from simulation.engines.result import PartyError
from simulation.foundation.plugin_table import PluginError, put_in_force
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from simulation.scenario.scenario import Scenario
from simulation.scenario.world import build_world
from tests.simulation.plugins.material import find_example, save_lab, write

LADDER, SLEEPY = find_example("A topology").python, find_example("A latency").python


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def load(folder: Path, source: str, network: dict[str, Any]) -> Scenario:
    write(folder, source)
    return load_scenario(save_lab(folder, network=network, virtual={"trainer": "fake"}))


def test_a_topology_links_as_it_says_with_its_keys(tmp_path: Path) -> None:
    found = {}
    for skip in (2, 3):
        scenario = load(tmp_path, LADDER, {"topology": {"name": "ladder", "skip": skip}})
        found[skip] = build_world(scenario, "none", bytes(32)).network
        assert load_scenario(save_lab(tmp_path, network=scenario.model_dump(mode="json")["network"])).network == (
            scenario.network
        )
    names = [f"honest-{number}" for number in range(4)]
    ring = {(names[0], names[1]), (names[1], names[2]), (names[2], names[3]), (names[0], names[3])}
    assert set(found[2].edges) == ring | {(names[0], names[2])}
    assert set(found[3].edges) == ring
    assert found[2].is_relaying
    short = load(tmp_path, LADDER, {"topology": "ladder"})
    assert build_world(short, "none", bytes(32)).network == found[2]
    assert pickle.loads(pickle.dumps(short.network)) == short.network  # noqa: S301 - just made


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("None", "a NoneType; return pairs of labels"),
        ("labels", "'honest-0' among its links; return pairs of labels"),
        ("[(labels[0], 'nobody')]", "a link from 'honest-0' to 'nobody'; link two nodes of those given"),
        ("[(labels[1], labels[1])]", "a link from 'honest-1' to 'honest-1'; link two nodes of those given"),
        ("ring[:2]", "no row of links from 'honest-0' to 'honest-2'; every node must reach every other"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path: Path, returned: str, told: str) -> None:
    scenario = load(tmp_path, LADDER.replace("ring + rungs", returned), {"topology": "ladder"})
    with pytest.raises(PluginError) as caught:
        build_world(scenario, "none", bytes(32))
    assert f"my_lab.py:4: the topology 'ladder' returned {told}" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "network", "told"),
    [
        (LADDER, {"topology": "laddr"}, "network.topology: no topology is called 'laddr'; did you mean 'ladder'?"),
        (LADDER, {"topology": {"name": "ladder", "skp": 2}}, "network.topology.skp: unknown key; did you mean 'skip'?"),
        (LADDER, {"topology": {"name": "ladder", "skip": "x"}}, "network.topology.skip: write a whole number, not 'x'"),
        (LADDER, {"topology": 3}, "network.topology: write 'full_mesh', 'ring'"),
        (SLEEPY, {"latency": {"kind": "sleepy"}}, "network.latency.max_ms: missing; this key has no default"),
        (SLEEPY, {"latency": {"kind": "sleepy", "ms": 9.0, "max_ms": 8.0}}, "max_ms: write 9 or more, which ms is"),
        (
            SLEEPY,
            {"latency": {"kind": "sleepy", "sigma": 0.5}},
            "network.latency.sigma: unknown key; allowed here: kind",
        ),
        (
            SLEEPY,
            {"latency": {"kind": "sleppy"}},
            "kind: no latency is called 'sleppy'; did you mean 'sleepy'?",
        ),
    ],
)
def test_their_keys_are_read_strictly(tmp_path: Path, source: str, network: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, source, network)
    assert told in str(caught.value)


def test_a_latency_draws_by_sender_and_by_its_keys(tmp_path: Path) -> None:
    def draw(share: float) -> list[int]:
        latency = {"kind": "sleepy", "ms": 5.0, "max_ms": 80.0, "share": share}
        scenario = load(tmp_path, SLEEPY, {"latency": latency})
        model = pickle.loads(pickle.dumps(NetworkModel(build_world(scenario, "none", bytes(32)))))  # noqa: S301
        assert (model.is_trivial, model.least_ns) == (False, 5_000_000)
        return [model.plan("honest-0", "honest-1", 100, 0)[0] for _ in range(50)]

    assert draw(1.0) == [80_000_000] * 50
    assert draw(0.0) == draw(0.0)
    assert 5_000_000 <= min(draw(0.0)) < max(draw(0.0)) <= 10_000_000


def test_a_delay_beyond_its_bounds_ends_the_run(tmp_path: Path) -> None:
    scenario = load(tmp_path, SLEEPY, {"latency": {"kind": "sleepy", "ms": 5.0, "max_ms": 70.0, "share": 1.0}})
    with pytest.raises(PartyError) as caught:
        MemoryRun(scenario).run()
    told = r"my_lab\.py:4: the latency 'sleepy' returned 80\.0; return milliseconds from 5 \(ms\) to 70 \(max_ms\)"
    assert re.search(told, str(caught.value))

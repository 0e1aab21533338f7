"""What selfish miners and double spenders get by closed forms, held against runs in simulated time with fixed seeds."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulation.analysis.measures import compute_measures
from simulation.commands import cli
from simulation.mechanisms.proof_of_work.closed_forms import BLOCKS, GAMMA, SUCCESS, predict
from simulation.mechanisms.proof_of_work.formulas import compute_selfish_share, spend_twice
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.loading import CONFIGS
from simulation.scenario.scenario import Scenario
from tests.support.goodness import has_shares

pytestmark = pytest.mark.many_runs

STUDIES = CONFIGS / "studies"
PROCESSES = ("network.latency={kind: constant, ms: 0.0}", "run={time_limit_s: 60.0, linger_s: 5.0}")


def read(name: str, length: int, **changes: Any) -> dict[str, Any]:
    """Return a raw scenario of a study; keys of sections replace single ones."""
    raw: dict[str, Any] = yaml.safe_load((STUDIES / f"{name}.yaml").read_text("utf-8"))
    raw["mechanism"]["length"] = length
    for section, keys in changes.items():
        raw[section] = {**raw[section], **keys}
    return raw


def measure(raw: dict[str, Any]) -> dict[str, Any]:
    """Run a raw scenario to its end; return its measures."""
    run = MemoryRun(Scenario.model_validate(raw))
    result = run.run()
    assert result.reason == "complete"
    assert run.find_fault(result) is None
    return compute_measures(run.tally, run.world.mechanism.name)


def foretell(raw: dict[str, Any]) -> dict[str, float]:
    return predict(Scenario.model_validate(raw))


def link(*to: float) -> dict[str, Any]:
    """Return latencies of which those from the pool to near nodes, far nodes and itself are given."""
    away = [20.0, 20.0, 1.0]
    regions = [["near"], ["far"], ["pool"]]
    return {"latency": {"kind": "regions", "ms": 20.0, "regions": regions, "matrix_ms": [away, away, list(to)]}}


def test_a_pools_share_and_who_hears_it_first_are_as_foretold() -> None:
    raw, length = read("selfish_network", 1_200), 1_200
    found, said = measure(raw), foretell(raw)
    assert said[GAMMA] == pytest.approx(0.5, abs=1e-3)
    share = found["proposed"]["pool"]
    assert share == pytest.approx(said[BLOCKS.format("pool")], abs=0.06)  # two deviations of so many blocks
    assert share > 1 / 3  # more than its power
    ties = found["work"]["ties"]
    assert ties["gamma"] == pytest.approx(0.5, abs=0.1)
    assert ties["count"] > length / 10
    assert found["work"]["stale"] > 0.2


@pytest.mark.parametrize(("to", "gamma"), [((100.0, 100.0, 1.0), 0.0), ((1.0, 1.0, 1.0), 0.8713)])
def test_links_alone_decide_ties(to: tuple[float, ...], gamma: float) -> None:
    raw = read("selfish_network", 300, network=link(*to))
    assert foretell(raw)[GAMMA] == pytest.approx(gamma, abs=1e-3)
    assert measure(raw)["work"]["ties"]["gamma"] == pytest.approx(gamma, abs=0.1)


def test_a_double_spend_succeeds_as_often_as_foretold() -> None:
    raw = read("double_spend_network", 1_000)
    found, said = measure(raw)["work"]["double_spends"], foretell(raw)
    ended = found["undone"] + found["given_up"]
    assert has_shares([found["undone"], found["given_up"]], [said[SUCCESS], 1 - said[SUCCESS]])
    assert not has_shares([found["undone"], found["given_up"]], [said[SUCCESS] / 2, 1 - said[SUCCESS] / 2])
    assert found["paid"] - ended in (0, 1)
    assert ended > 40


class TestWhatIsForetold:
    def test_a_selfish_miner_by_its_power_and_the_links(self) -> None:
        said = foretell(read("selfish_network", 10, network=link(100.0, 100.0, 1.0)))
        assert said == {BLOCKS.format("pool"): pytest.approx(compute_selfish_share(1 / 3, 0.0), abs=1e-4), GAMMA: 0.0}

    def test_where_the_lower_hash_wins_ties_are_even(self) -> None:
        raw = read("selfish_network", 10, mechanism={"ties": "lowest_hash"}, network=link(100.0, 100.0, 1.0))
        assert foretell({**raw, "mechanism": {**raw["mechanism"], "length": 10}})[GAMMA] == 0.5

    def test_a_double_spender_by_what_is_waited_for(self) -> None:
        raw = read("double_spend_network", 10)
        assert foretell(raw)[SUCCESS] == pytest.approx(spend_twice(0.3, 2), abs=0.01)
        raw["populations"][1]["behaviours"] = [{"kind": "private_double_spender", "confirmations": 6}]
        assert foretell(raw)[SUCCESS] == pytest.approx(spend_twice(0.3, 6), abs=0.01)

    @pytest.mark.parametrize(
        "changes",
        [
            {"mechanism": {"window": 16}},
            {"mechanism": {"interval_ms": 1_000.0}},
            {"network": {"loss": 0.1}},
            {"network": {"topology": "ring", "degree": 2}, "populations": "honest"},
            {"network": {"latency": {"kind": "uniform", "ms": 1.0, "max_ms": 2.0}}},
            {"populations": "two kinds"},
        ],
    )
    def test_nothing_where_a_formula_assumes_something_else(self, changes: dict[str, Any]) -> None:
        raw = read("selfish_network", 10, **{key: value for key, value in changes.items() if key != "populations"})
        match changes.get("populations"):
            case "honest":
                raw["populations"] = raw["populations"][:2]
                raw["network"]["latency"] = {"kind": "constant", "ms": 0.0}
            case "two kinds":
                other = {**raw["populations"][2], "name": "other", "behaviours": ["silent"]}
                raw["populations"].append(other)
        assert foretell(raw) == {}


def test_a_node_keeps_blocks_back_in_one_way() -> None:
    raw = read("selfish_network", 10)
    raw["populations"][2]["behaviours"].append("private_double_spender")
    with pytest.raises(ValueError, match="selfish_miner and private_double_spender both choose which blocks are kept"):
        Scenario.model_validate(raw)


@pytest.mark.processes
def test_real_processes_keep_blocks_back_and_their_cores_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With three quarters of the power a pool has nearly the whole chain, however its machine is loaded."""
    monkeypatch.chdir(tmp_path)
    work = "{name: proof_of_work, length: 10, interval_ms: 150.0, hash_rate: 4000.0, window: 0}"
    crowd = "{name: honest, role: honest, count: 2, stake: 0.0, speed: 0.5}"
    pool = "{name: pool, role: adversary, count: 2, stake: 0.0, speed: 1.5, behaviours: [selfish_miner]}"
    settings = [f"mechanism={work}", f"populations=[{crowd}, {pool}]", "output={pictures: false, journal: true}"]
    options = [part for setting in (*settings, *PROCESSES) for part in ("--set", setting)]
    assert cli.main(["run", "selfish_miner", "--engine", "processes", *options]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    summary = yaml.safe_load((folder / "summary.json").read_text("utf-8"))
    assert (summary["chain"]["height"], summary["messages"]["rejected"]) == (10, {})
    assert summary["measures"]["proposed"]["pool"] > 0.5
    assert cli.main(["verify", str(folder)]) == 0
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.processes
def test_a_process_that_mines_in_private_takes_back_what_was_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With three quarters of the power a payment is undone sooner or later, however its machine is loaded."""
    monkeypatch.chdir(tmp_path)
    work = "{name: proof_of_work, length: 24, interval_ms: 150.0, hash_rate: 4000.0, window: 0}"
    crowd = "{name: honest, role: honest, count: 2, stake: 0.0, speed: 0.5}"
    thief = (
        "{name: thief, role: adversary, count: 1, stake: 0.0, speed: 3.0, "
        "behaviours: [{kind: private_double_spender, confirmations: 1}]}"
    )
    settings = [f"mechanism={work}", f"populations=[{crowd}, {thief}]", "output={pictures: false, journal: true}"]
    options = [part for setting in (*settings, *PROCESSES) for part in ("--set", setting)]
    assert cli.main(["run", "private_double_spender", "--engine", "processes", *options]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    summary = yaml.safe_load((folder / "summary.json").read_text("utf-8"))
    spends = summary["measures"]["work"]["double_spends"]
    assert spends["undone"] >= 1
    assert spends["paid"] >= spends["delivered"] >= spends["undone"]
    assert summary["chain"]["reorg_depth_max"] >= 1
    assert (summary["broken_invariant"], summary["messages"]["rejected"]) == (None, {})
    assert cli.main(["verify", str(folder)]) == 0
    assert cli.main(["replay", str(folder)]) == 0

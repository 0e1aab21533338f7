"""Votes of stake from the command line: runs on every engine hold, and forged certificates are found."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

import simulation as pot
from protocol.codec import MAX_FRAME_BYTES, encode
from protocol.mechanisms.stake_bft.messages import CertifiedBlock
from protocol.mechanisms.stake_bft.quorum import SPARE_BYTES, VOTE_BYTES
from protocol.messages import Payout
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis.after_run import find_standstill, must_agree, must_progress
from simulation.commands import cli
from simulation.engines.table import ENGINES
from simulation.mechanisms.stake_bft.keys import MAX_VOTERS
from simulation.runs.chain_file import read_chain, write_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from simulation.scenario.scenario import Scenario
from tests.simulation.mechanisms.stake_bft.scenarios import make_raw
from tests.support.memory_runs import simulate

SCENARIO = CONFIGS / "stake_bft.yaml"
LENGTH, NODES = 4, 4
SETTINGS = (
    f"mechanism={{name: stake_bft, length: {LENGTH}, interval_ms: 300.0}}",
    "populations.rich={name: rich, role: adversary, count: 1, stake: 1000.0, behaviours: [bft_silent]}",
    f"populations.honest.count={NODES - 1}",
    "users={count: 3, transactions: 6}",
    "network.latency.ms=1.0",
    "run.linger_s=30",
    "output={pictures: false, journal: true}",
)
HEAVY = {"processes": pytest.mark.processes}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of three honest nodes and a silent one from the command line, which has ended well."""
    out = tmp_path_factory.mktemp("by_votes")
    options = [part for setting in SETTINGS for part in ("--set", setting)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert cli.main(["run", str(SCENARIO), "--engine", request.param, "--out", str(out), *options]) == 0
    (made,) = out.glob("stake_bft-*")
    return made


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def test_honest_nodes_agree_on_a_whole_chain_whose_certificates_hold(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = read_summary(folder)
    assert (summary["ended"], summary["broken_invariant"]) == ("complete", None)
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (LENGTH, 1.0)
    assert summary["messages"]["rejected"] == {}
    assert summary["training"]["least_signed"] == 0.75
    votes = summary["measures"]["votes"]
    assert (votes["conflicts"], votes["contradictions"], votes["is_whole"]) == (0, 0, True)
    assert 0 < votes["seconds_to_final"] < 1
    assert summary["measures"]["proposed"] == {"honest": 1.0, "rich": 0.0}
    assert cli.main(["verify", str(folder)]) == 0
    assert "pre-commits of more than two thirds of the stake" in capsys.readouterr().out


def test_its_journals_replay(folder: Path) -> None:
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.parametrize("told", ["no-quorum", "bad-certificate"])
def test_a_stored_block_without_its_certificate_is_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], told: str
) -> None:
    edited = tmp_path / folder.name
    shutil.copytree(folder, edited)
    mechanism, blocks = read_chain(edited / "chain.jsonl")
    second, third = blocks[1:3]
    assert isinstance(second, CertifiedBlock)
    assert isinstance(third, CertifiedBlock)
    few = msgspec.structs.replace(third.certificate, signatures=third.certificate.signatures[1:])
    another = second.certificate if told == "bad-certificate" else few
    forged = msgspec.structs.replace(third, certificate=another)
    packed = [msgspec.msgpack.encode(block) for block in (*blocks[:2], forged)]
    write_chain(edited / "chain.jsonl", mechanism, packed)
    assert cli.main(["verify", str(edited)]) == 1
    assert f"chain.jsonl: the block at height 3 is refused: {told}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["populations.rich.stake=0.0", "populations.honest.stake=0.0"], "nobody has any stake, so nobody may vote"),
        (
            ["populations.honest.count=7000"],
            "populations: a block has no room for the votes of 7,001 owners; give stake to 7,000 nodes or fewer",
        ),
        (["mechanism.growth_ms=0.0", "network.latency.ms=500.0"], "mechanism.vote_ms: messages take up to 500 ms"),
        (["mechanism.vote_ms=0.0"], "mechanism.vote_ms: write more than 0, not 0.0"),
        (["mechanism.reward=fees"], "mechanism.reward: write 'proposer' or 'stake'"),
        (["mechanism.timeout_ms=3.0"], "mechanism.timeout_ms: unknown key"),
        (["protocol.stakeholders=2"], "protocol.stakeholders: stake_bft has no such rule; leave it out"),
        (["mechanism={name: proof_of_work, vote_ms: 5.0}"], "vote_ms: unknown key"),
    ],
)
def test_keys_that_mean_nothing_are_refused_before_the_run(settings: list[str], told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(SCENARIO, settings)
    assert told in str(caught.value)


def test_a_block_without_transfers_has_room_for_as_many_owners_as_a_scenario_may_have() -> None:
    payout = len(encode(Payout(account=bytes(32), amount=2**62 - 1)))
    assert MAX_VOTERS * (VOTE_BYTES + payout) + 2 * SPARE_BYTES <= MAX_FRAME_BYTES


@pytest.mark.many_runs
@pytest.mark.parametrize("reward", ["proposer", "stake"])
def test_no_reward_rule_breaks_the_books(reward: str) -> None:
    users = {"count": 4, "transactions": 10, "per_second": 10.0, "fee": 0.5}
    ended = simulate(make_raw(mechanism={"reward": reward}, users=users, length=3))
    assert (ended.reason, ended.broken) == ("complete", None)
    paid = [node.balance for node in ended.tally.nodes.values()]
    assert all(paid) is (reward == "stake")
    assert sum(paid) * MICRO_COINS_PER_COIN > 0


# ---- what is promised ----


def test_what_is_final_stays_so_across_a_cut_that_heals() -> None:
    cut = {"start_s": 2.0, "heal_s": 20.0, "groups": [["honest-0", "honest-1"], ["honest-2", "honest-3"]]}
    raw = make_raw(network={"latency": {"kind": "constant", "ms": 10.0}, "partitions": [cut], "loss": 0.1})
    scenario = Scenario.model_validate(raw)
    assert must_agree(scenario)
    assert must_progress(scenario)
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    assert find_standstill(ended.world.scenario, ended.tally, ended.reason) is None


@pytest.mark.parametrize(("disk", "lost", "promised"), [("kept", 2, True), ("lost", 1, True), ("lost", 2, False)])
def test_who_loses_its_disk_counts_as_dishonest(disk: str, lost: int, promised: bool) -> None:
    outages = [{"node": f"honest-{index}", "down_s": 1.0, "up_s": 2.0, "disk": disk} for index in range(lost)]
    assert must_agree(Scenario.model_validate(make_raw(5, network={"outages": outages}))) is promised


def test_nodes_that_were_down_with_their_disks_go_on_where_they_were() -> None:
    outages = [{"node": f"honest-{index}", "down_s": 2.45, "up_s": 5.0 + index, "disk": "kept"} for index in range(3)]
    ended = simulate(make_raw(network={"latency": {"kind": "constant", "ms": 40.0}, "outages": outages}))
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.bft.contradictions == set()


def test_a_network_that_loses_its_quorum_stops_and_says_why() -> None:
    outages = [{"node": f"honest-{index}", "down_s": 2.5, "up_s": None, "disk": "kept"} for index in range(2)]
    ended = simulate(make_raw(network={"outages": outages}))
    assert ended.reason == "standstill"
    assert ended.tally.compute_agreement()[1].height == 2
    assert ended.broken is None


@pytest.mark.parametrize(("stake", "doubts"), [(0.0, 1), (166.0, 1), (167.0, 0)])
def test_a_node_that_decides_alone_is_doubted_before_the_run(stake: float, doubts: int) -> None:
    told = pot.load(SCENARIO, {"populations.honest.stake": stake}).list_doubts()
    assert len(told) == doubts
    assert all("populations.rich.stake: rich-0 holds" in doubt for doubt in told)


def test_the_one_node_of_a_network_may_decide_alone() -> None:
    assert pot.load(SCENARIO, {"populations.honest.count": 0}).list_doubts() == []

"""Proof of work from the command line: runs on every engine hold, and say whether any work is shown."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.rules import Rules
from protocol.types import MICRO_COINS_PER_COIN
from simulation.commands import cli
from simulation.commands.report.sources import read_run
from simulation.engines.table import ENGINES
from simulation.records.work_facts import Hashed
from simulation.runs.chain_file import read_chain, write_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario, load_stored_scenario
from simulation.scenario.world.building import build_world
from simulation.scenario.world.key_pairs import make_keys
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw
from tests.support.memory_runs import simulate

SCENARIO = CONFIGS / "proof_of_work.yaml"
LENGTH, TRANSFERS = 6, 6
SETTINGS = (
    f"mechanism={{name: proof_of_work, length: {LENGTH}, interval_ms: 300.0, hash_rate: 4000.0, window: 3}}",
    "populations.fast.count=1",
    "populations.honest.count=3",
    f"users={{count: 3, transactions: {TRANSFERS}}}",
    "run.linger_s=30",
    "output={pictures: false, journal: true}",
)
HEAVY = {"processes": pytest.mark.processes}
CASES = [(name, "drawn") for name in ENGINES] + [("virtual", "hashed")]


@pytest.fixture(scope="module", params=[pytest.param(case, marks=HEAVY.get(case[0], ())) for case in CASES])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    """Return the folder of a run from the command line, which has ended well, and whether it shows work."""
    engine, virtual_work = request.param
    out = tmp_path_factory.mktemp("by_work")
    settings = [*SETTINGS, f"mechanism.virtual_work={virtual_work}"]
    options = [part for setting in settings for part in ("--set", setting)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert cli.main(["run", str(SCENARIO), "--engine", engine, "--out", str(out), *options]) == 0
    (folder,) = out.glob("proof_of_work-*")
    return folder, engine == "processes" or virtual_work == "hashed"


@pytest.fixture
def folder(case: tuple[Path, bool]) -> Path:
    return case[0]


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def test_honest_nodes_agree_on_a_whole_chain(folder: Path) -> None:
    summary = read_summary(folder)
    assert (summary["ended"], summary["broken_invariant"]) == ("complete", None)
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (LENGTH, 1.0)
    assert summary["messages"]["rejected"] == {}
    assert summary["ledger"]["transactions"] <= TRANSFERS


def test_what_is_not_worked_for_is_never_passed_off_as_work(
    case: tuple[Path, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, is_shown = case
    summary, log = read_summary(folder), read_run(folder / "events.jsonl").log
    proof = "hashes" if is_shown else "stand_in"
    assert summary["training"]["proof"] == proof
    assert (summary["measures"]["work"]["tries_drawn"] == 0) is is_shown
    assert json.loads((folder / "chain.jsonl").read_text("utf-8").splitlines()[0])["proof"] == proof
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines if f'"event": "{Hashed.event}"' in line]
    assert {record["drawn"] for record in told} == {not is_shown}
    assert sum(record["found"] for record in told) >= LENGTH
    assert log.warnings == []
    assert cli.main(["verify", str(folder)]) == 0
    assert ("each nonce shows its work" in capsys.readouterr().out) is is_shown


def test_tries_and_targets_are_told(folder: Path) -> None:
    summary = read_summary(folder)
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    work = summary["measures"]["work"]
    assert set(work["power"]) == set(summary["measures"]["proposed"]) == {"fast", "honest"}
    assert sum(work["power"].values()) == pytest.approx(1)
    assert work["tries_each"] == work["tries"] / LENGTH
    assert summary["training"]["hashes_expected"] >= LENGTH * 4
    assert mechanism.name == "proof_of_work"
    assert all(isinstance(block, WorkedBlock) for block in blocks)


def test_its_journals_replay(folder: Path) -> None:
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.parametrize(
    ("field", "told"), [("nonce", "bad-work"), ("target", "wrong-target"), ("window_start", "wrong-window")]
)
def test_a_stored_block_that_was_never_worked_for_is_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, told: str
) -> None:
    """Even where its miner has signed it: signatures are looked at first."""
    edited = tmp_path / folder.name
    shutil.copytree(folder, edited)
    mechanism, blocks = read_chain(edited / "chain.jsonl")
    assert isinstance(blocks[2], WorkedBlock)
    changed = msgspec.structs.replace(blocks[2], **{field: getattr(blocks[2], field) + 1})
    signed = sign(edited, changed)
    packed = [msgspec.msgpack.encode(block) for block in (*blocks[:2], signed)]
    write_chain(edited / "chain.jsonl", mechanism, packed)
    assert cli.main(["verify", str(edited)]) == 1
    assert f"chain.jsonl: the block at height 3 is refused: {told}" in capsys.readouterr().err


def sign(folder: Path, block: WorkedBlock) -> WorkedBlock:
    """Return a block signed by its author, whose key follows from the scenario of the run."""
    world = build_world(load_stored_scenario(folder / "scenario.yaml"), "none", b"")
    pairs = {pair.public: pair for pair in (make_keys(node.key_seed) for node in world.nodes)}
    return pairs[block.author].sign(Rules(world.mechanism).chain_id, block)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["mechanism.expected_hashes=1000000000000"], "expected_hashes: 200000 tries a second find the first block in"),
        (["mechanism.zero_bits=40"], "zero_bits: 200000 tries a second find the first block in 5,497,558 s on average"),
        (["mechanism.zero_bits=40"], "write a smaller number, or a larger hash_rate"),
        (["mechanism.zero_bits=8", "mechanism.expected_hashes=300"], "write one, expected_hashes or zero_bits"),
        (["mechanism.hash=md5"], "mechanism.hash: write 'sha256' or 'sha512'"),
        (["mechanism.windows=3"], "did you mean 'window'?"),
        (["mechanism.clamp=1"], "mechanism.clamp: write 2 or more"),
        (["job.stages=3"], "proof_of_work trains nothing; leave the section out"),
        (["protocol.stakeholders=2"], "protocol.stakeholders: proof_of_work has no such rule; leave it out"),
        (["mechanism={name: proof_of_training, hash_rate: 5.0}"], "hash_rate: unknown key"),
        (["mechanism.name=proof_of_wrok"], "no mechanism is called 'proof_of_wrok'; did you mean 'proof_of_work'?"),
    ],
)
def test_keys_that_mean_nothing_are_refused_before_the_run(settings: list[str], told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(SCENARIO, settings)
    assert told in str(caught.value)


def test_the_first_target_fits_interval_and_power_unless_it_is_given() -> None:
    for settings, expected in (
        ([], 200_000),
        (["mechanism.interval_ms=500.0"], 100_000),
        (["mechanism.expected_hashes=5000"], 5_000),
        (["mechanism.zero_bits=10"], 1_024),
    ):
        keys: Any = load_scenario(SCENARIO, settings).mechanism
        assert keys.count_first(200_000.0) == expected


@pytest.mark.many_runs
def test_a_seed_gives_the_same_records_again_and_another_one_others() -> None:
    first, again, other = (simulate(make_raw(seed=seed)) for seed in (7, 7, 8))
    assert first.lines == again.lines
    assert first.lines != other.lines


@pytest.mark.many_runs
def test_counted_records_say_the_same_of_all_tries() -> None:
    whole, counted = simulate(make_raw()), simulate(make_raw(output={"pictures": False, "records": "essential"}))
    assert whole.tally.work.tries.total() == counted.tally.work.tries.total() == counted.tally.work.drawn
    assert counted.tally.get_chain(counted.tally.compute_agreement()[1].head)


@pytest.mark.many_runs
@pytest.mark.parametrize("reward", ["issuance", "fees", "both"])
def test_no_reward_rule_breaks_the_books(reward: str) -> None:
    users = {"count": 4, "transactions": 20, "per_second": 10.0, "fee": 0.5}
    ended = simulate(make_raw(mechanism={"reward": reward}, users=users))
    assert (ended.reason, ended.broken) == ("complete", None)
    paid = sum(node.balance for node in ended.tally.nodes.values()) * MICRO_COINS_PER_COIN
    assert (paid > 100 * MICRO_COINS_PER_COIN) is (reward != "fees")
    assert paid > 0

"""Chain-based proof of stake from the command line: runs on every engine hold, and nonsense is refused before them."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.mechanisms.stake_chain.messages import StakedBlock
from protocol.rules import Rules
from protocol.types import MICRO_COINS_PER_COIN
from simulation.commands import cli
from simulation.engines.table import ENGINES
from simulation.mechanisms.stake_chain.measures import compute_gini, count_for_majority
from simulation.runs.chain_file import read_chain, write_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario, load_stored_scenario
from simulation.scenario.world.building import build_world
from simulation.scenario.world.key_pairs import make_keys
from tests.simulation.mechanisms.stake_chain.scenarios import make_raw
from tests.support.memory_runs import simulate

SCENARIO = CONFIGS / "stake_chain.yaml"
LENGTH, TRANSFERS = 30, 6
SETTINGS = (
    f"mechanism.length={LENGTH}",
    "mechanism.epoch_slots=3",
    "mechanism.unbonding_blocks=4",
    "mechanism.deposits=[{node: late-0, at_s: 0.2, coins: 900.0}]",
    "mechanism.withdrawals=[{node: honest-0, at_s: 0.3, coins: 60.0}]",
    "protocol.slot_ms=100.0",
    "populations.honest.count=2",
    f"users={{count: 3, transactions: {TRANSFERS}}}",
    "run.linger_s=5",
    "output={pictures: false, journal: true}",
)
HEAVY = {"processes": pytest.mark.processes}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run from the command line, which has ended well."""
    out = tmp_path_factory.mktemp("by_stake")
    options = [part for setting in SETTINGS for part in ("--set", setting)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert cli.main(["run", str(SCENARIO), "--engine", request.param, "--out", str(out), *options]) == 0
    (found,) = out.glob("stake_chain-*")
    return found


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def test_honest_nodes_agree_on_a_whole_chain(folder: Path) -> None:
    summary = read_summary(folder)
    assert (summary["ended"], summary["broken_invariant"]) == ("complete", None)
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (LENGTH, 1.0)
    assert summary["messages"]["rejected"] == {}
    assert summary["measures"]["stake"]["accused"] == 0


def test_coins_are_bonded_and_come_back(folder: Path) -> None:
    """A deposit counts, and what was withdrawn is liquid: the life cycle of a stake."""
    told = read_summary(folder)["training"]
    assert (told["deposits"], told["withdrawals"]) == (1, 1)
    assert (told["coins_bonded"], told["coins_unbonding"], told["coins_burnt"]) == (1_640.0, 0.0, 0.0)
    assert (told["stakes"]["late-0"], told["stakes"]["honest-0"]) == (900.0, 40.0)


def test_it_is_verified_and_its_journals_replay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(folder)]) == 0
    assert "drawn by secrets that were committed to before" in capsys.readouterr().out
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.parametrize(("change", "told"), [({"slot": 1}, "not-leader"), ({"reveal": bytes(32)}, "bad-reveal")])
def test_a_stored_block_that_nobody_may_make_is_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], told: str
) -> None:
    """Even where its author has signed it."""
    edited = tmp_path / folder.name
    shutil.copytree(folder, edited)
    mechanism, blocks = read_chain(edited / "chain.jsonl")
    last = blocks[-1]
    assert isinstance(last, StakedBlock)
    moved = {"slot": find_foreign_slot(blocks)} if "slot" in change else change
    world = build_world(load_stored_scenario(edited / "scenario.yaml"), "none", b"")
    pairs = {pair.public: pair for pair in (make_keys(node.key_seed) for node in world.nodes)}
    changed = msgspec.structs.replace(last, **moved)
    signed = pairs[last.author].sign(Rules(world.mechanism).chain_id, changed)
    write_chain(edited / "chain.jsonl", mechanism, [msgspec.msgpack.encode(block) for block in (*blocks[:-1], signed)])
    assert cli.main(["verify", str(edited)]) == 1
    assert f"the block at height {LENGTH} is refused: {told}" in capsys.readouterr().err


def find_foreign_slot(blocks: tuple[Any, ...] | list[Any]) -> int:
    """Return a slot behind the last block that its author does not lead."""
    mechanism = load_scenario(SCENARIO, list(SETTINGS))
    rules = Rules(build_world(mechanism, "none", b"").mechanism)
    record = rules.origin
    for block in blocks[:-1]:
        record = rules.build_record(record, block)
    made: Any = rules.mechanism
    slots = range(blocks[-1].slot, blocks[-1].slot + 100)
    leaders = {slot: made.find_draw(rules, record, slot // made.epoch_slots).find_leader(slot) for slot in slots}
    return next(slot for slot in slots if leaders[slot] != blocks[-1].author)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["populations.honest.stake=0.5"], "populations.1.stake: 0.5 is less than mechanism.least_stake, which is 1;"),
        (["mechanism.least_stake=200.0"], "populations.1.stake: 100 is less than mechanism.least_stake, which is 200"),
        (
            ["mechanism={name: stake_chain}", "populations.rich.stake=0.0", "populations.honest.stake=0.0"],
            "populations: no node has a stake, so nobody ever leads a slot; give one population a stake",
        ),
        (["mechanism.deposits=[{node: lat-0, at_s: 1.0, coins: 5.0}]"], "no node is called 'lat-0'; did you mean"),
        (["mechanism.deposits=[{node: late-0, at_s: 1.0}]"], "mechanism.deposits.0.coins"),
        (["mechanism.deposits=[{node: late-0, at_s: 1.0, coins: 0.5}]"], "leaves late-0 with 0.5 coins at stake"),
        (["mechanism.withdrawals=[{node: late-0, at_s: 0.5, coins: 5.0}]"], "late-0 has 0 coins at stake at 0.5 s"),
        (["mechanism.withdrawals=[{node: rich-0, at_s: 0.5, coins: 299.5}]"], "leaves rich-0 with 0.5 coins at stake"),
        (
            ["users.count=0", "users.transactions=0"],
            "users.count: deposits and withdrawals are handed over with users'",
        ),
        (["run.time_limit_s=5.0"], "40 blocks take 10 s at one a slot, and run.time_limit_s is 5"),
        (["mechanism.least_stake=1.0e-7"], "mechanism.least_stake: write 1e-06 or more"),
        (
            ["mechanism.deposits=[{node: late-0, at_s: 1.0, coins: 0.0}]"],
            "mechanism.deposits.0.coins: write 1e-06 or more",
        ),
        (["mechanism.epoch_slots=0"], "mechanism.epoch_slots: write 1 or more"),
        (["mechanism.slashed_share=1.5"], "mechanism.slashed_share"),
        (["mechanism.drawn_by=dice"], "mechanism.drawn_by: write 'reveals' or 'parent_hash'"),
        (["mechanism.unbonding_block=5"], "did you mean 'unbonding_blocks'?"),
        (["mechanism={name: proof_of_work, slashing: true}"], "slashing: unknown key"),
        (["mechanism.hash_rate=5.0"], "hash_rate: unknown key"),
        (["protocol.stakeholders=2"], "protocol.stakeholders: stake_chain has no such rule; leave it out"),
        (["mechanism.name=stake_chian"], "no mechanism is called 'stake_chian'"),
    ],
)
def test_keys_that_mean_nothing_are_refused_before_the_run(settings: list[str], told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(SCENARIO, settings)
    assert told in str(caught.value)


def test_a_withdrawal_of_all_and_a_deposit_again_are_fine() -> None:
    rows = [
        "mechanism.withdrawals=[{node: rich-0, at_s: 0.5, coins: 300.0}]",
        "mechanism.deposits=[{node: rich-0, at_s: 1.5, coins: 10.0}]",
    ]
    assert load_scenario(SCENARIO, rows).mechanism.name == "stake_chain"


@pytest.mark.processes
def test_a_grinder_among_real_processes_makes_valid_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ("mechanism.length=15", "protocol.slot_ms=100.0", "populations.honest.count=3", "users.transactions=0")
    options = [part for setting in settings for part in ("--set", setting)]
    options += ["--set", "populations.grinders.count=1", "--engine", "processes", "--out", str(tmp_path)]
    assert cli.main(["run", str(CONFIGS / "attacks" / "leader_grinder.yaml"), *options]) == 0
    (folder,) = tmp_path.glob("leader_grinder-*")
    summary = read_summary(folder)
    assert summary["broken_invariant"] is None
    assert summary["messages"]["rejected"] == {}
    assert summary["measures"]["proposed"]["grinders"] > 0
    assert cli.main(["verify", str(folder)]) == 0


@pytest.mark.many_runs
@pytest.mark.parametrize("kind", ["silent", "garbage", "replayer", "double_spender", "private_chain"])
def test_attackers_that_need_no_stake_of_most_break_nothing(kind: str) -> None:
    raw = make_raw(length=30)
    settings = {"kind": kind, **({"release_s": 5.0} if kind == "private_chain" else {})}
    raw["populations"].append({"name": "bad", "role": "adversary", "count": 1, "behaviours": [settings]})
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.rejected_from["honest"].total() == 0


@pytest.mark.many_runs
def test_a_seed_gives_the_same_records_again_and_another_one_others() -> None:
    first, again, other = (simulate(make_raw(seed=seed)) for seed in (7, 7, 8))
    assert first.lines == again.lines
    assert first.lines != other.lines


@pytest.mark.many_runs
@pytest.mark.parametrize("reward", ["issuance", "fees", "both"])
def test_no_reward_rule_breaks_the_books(reward: str) -> None:
    users = {"count": 4, "transactions": 20, "per_second": 10.0, "fee": 0.5}
    ended = simulate(make_raw(mechanism={"reward": reward}, users=users))
    assert (ended.reason, ended.broken) == ("complete", None)
    paid = sum(node.balance for node in ended.tally.nodes.values()) * MICRO_COINS_PER_COIN
    assert (paid > 100 * MICRO_COINS_PER_COIN) is (reward != "fees")
    assert paid > 0


@pytest.mark.parametrize(
    ("counts", "gini", "nakamoto"),
    [([5, 5, 5, 5], 0.0, 3), ([0, 0, 0, 8], 0.75, 1), ([1, 2, 3, 4], 0.25, 2), ([0, 0], None, None), ([], None, None)],
)
def test_hands_are_counted(counts: list[int], gini: float | None, nakamoto: int | None) -> None:
    assert compute_gini(counts) == (pytest.approx(gini) if gini is not None else None)
    assert count_for_majority(counts) == nakamoto

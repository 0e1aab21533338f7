"""Proof of activity from the command line: runs on every engine hold, and what is wrong is said in time."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.mechanisms.proof_of_activity.messages import ActivityBlock
from protocol.messages import Message
from protocol.rules import Rules
from simulation.commands import cli
from simulation.engines.table import ENGINES
from simulation.mechanisms.proof_of_activity.view import ActivityView
from simulation.records.tally import Tally
from simulation.runs.chain_file import read_chain, write_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario, load_stored_scenario
from simulation.scenario.world.building import build_world
from simulation.scenario.world.key_pairs import make_keys
from tests.simulation.mechanisms.proof_of_activity.scenarios import make_raw
from tests.support.memory_runs import simulate

SCENARIO = CONFIGS / "attacks" / "activity_withholder.yaml"
LENGTH = 5
SETTINGS = (
    f"mechanism={{name: proof_of_activity, length: {LENGTH}, interval_ms: 250.0, hash_rate: 4000.0, window: 3}}",
    "populations.honest.count=3",
    "populations.withholders.count=1",
    "users={count: 3, transactions: 6}",
    "run.linger_s=30",
    "output={pictures: false, journal: true}",
)
HEAVY = {"processes": pytest.mark.processes}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run from the command line with a withholder, which has ended well."""
    out = tmp_path_factory.mktemp("by_activity")
    options = [part for setting in SETTINGS for part in ("--set", setting)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        assert cli.main(["run", str(SCENARIO), "--engine", str(request.param), "--out", str(out), *options]) == 0
    (found,) = out.glob("activity_withholder-*")
    return found


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def test_honest_nodes_agree_on_a_whole_chain_and_refuse_nobody(folder: Path) -> None:
    summary = read_summary(folder)
    assert (summary["ended"], summary["broken_invariant"]) == ("complete", None)
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (LENGTH, 1.0)
    assert summary["messages"]["rejected"] == {}


def test_templates_and_shares_are_told(folder: Path) -> None:
    summary = read_summary(folder)
    templates, training = summary["measures"]["templates"], summary["training"]
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    assert templates["found"] == sum(line["event"] == "template" for line in lines)
    assert templates["found"] - templates["dead"] >= LENGTH
    assert training["proof"] == ("hashes" if summary["engine"] == "processes" else "stand_in")
    assert training["coins"]["by_work"] == pytest.approx(training["coins"]["by_stake"], rel=1e-6)
    for what in ("blocks", "closed", "coins"):
        assert sum(shares[what] for shares in training["shares"].values()) == pytest.approx(1)
    block = json.loads((folder / "chain.jsonl").read_text("utf-8").splitlines()[1])
    assert {"miner", "signers", "closer", "hashes"} <= block.keys()


def test_what_became_of_templates_is_shown(folder: Path) -> None:
    summary = read_summary(folder)
    templates = summary["measures"]["templates"]
    shown = ActivityView().list_results(Tally(), summary)
    assert f"{templates['found']} found, {templates['dead']} dead" in shown["templates"]
    assert "tries" in shown["work"]


def test_withholders_sign_for_nobody_else(folder: Path) -> None:
    members = {pair.public for label, pair in find_keys(folder).items() if label.startswith("withholders")}
    _, blocks = read_chain(folder / "chain.jsonl")
    for block in blocks:
        assert isinstance(block, ActivityBlock)
        signers = {block.author, *(signature.author for signature in block.signatures)}
        assert not signers & members or block.template.author in members


def test_it_verifies_and_its_journals_replay(folder: Path) -> None:
    assert cli.main(["verify", str(folder)]) == 0
    assert cli.main(["replay", str(folder)]) == 0


@pytest.mark.parametrize(
    ("what", "told"),
    [("serial", "bad-work"), ("target", "wrong-target"), ("signatures", "too-few-signatures")],
)
def test_a_stored_block_that_was_not_worked_or_signed_for_is_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, told: str
) -> None:
    """Even where its miner and its closer have signed it."""
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    at = next(index for index, block in enumerate(blocks) if isinstance(block, ActivityBlock) and block.signatures)
    block = blocks[at]
    assert isinstance(block, ActivityBlock)
    if what == "signatures":
        changed = msgspec.structs.replace(block, signatures=block.signatures[1:])
    else:
        template = msgspec.structs.replace(block.template, **{what: getattr(block.template, what) + 1})
        changed = msgspec.structs.replace(block, template=sign(folder, template))
    edited = tmp_path / folder.name
    shutil.copytree(folder, edited)
    packed = [msgspec.msgpack.encode(item) for item in (*blocks[:at], sign(folder, changed))]
    write_chain(edited / "chain.jsonl", mechanism, packed)
    assert cli.main(["verify", str(edited)]) == 1
    assert f"chain.jsonl: the block at height {at + 1} is refused: {told}" in capsys.readouterr().err


def find_keys(folder: Path) -> dict[str, Any]:
    world = build_world(load_stored_scenario(folder / "scenario.yaml"), "none", b"")
    return {node.label: make_keys(node.key_seed) for node in world.nodes}


def sign(folder: Path, message: Message) -> Any:
    """Return a message signed by its author, whose key follows from the scenario of the run."""
    world = build_world(load_stored_scenario(folder / "scenario.yaml"), "none", b"")
    pairs = {pair.public: pair for pair in find_keys(folder).values()}
    return pairs[message.author].sign(Rules(world.mechanism).chain_id, message)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ["populations.rich.count=0", "populations.honest.count=2"],
            "mechanism.drawn: a group of 3 is drawn, and 2 nodes have a stake; write a smaller number, or give more",
        ),
        (
            ["populations.rich.stake=0.0", "populations.honest.count=1"],
            "a group of 3 is drawn, and 1 nodes have a stake",
        ),
        (["mechanism.preset=decred", "populations.honest.count=2"], "mechanism.preset: a group of 5 is drawn, and 4"),
        (["mechanism.needed=4"], "mechanism.needed: only 3 are drawn; write 3 or less"),
        (["mechanism.preset=decred", "mechanism.drawn=7"], "mechanism.drawn: preset: decred says this already"),
        (["mechanism.preset=decerd"], "mechanism.preset: write 'decred'"),
        (["mechanism.drawn=0"], "mechanism.drawn: write 1 or more"),
        (["mechanism.shares={miner: 0.5, signers: 0.1, closer: 0.1}"], "miner + signers + closer must be 1, got 0.7"),
        (["mechanism.expected_hashes=1000000000000"], "expected_hashes: 160000 tries a second find the first block in"),
        (["protocol.stakeholders=2"], "protocol.stakeholders: proof_of_activity has no such rule; leave it out"),
        (["mechanism={name: proof_of_work, drawn: 3}"], "drawn: unknown key"),
    ],
)
def test_keys_that_mean_nothing_are_refused_before_the_run(settings: list[str], told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(CONFIGS / "proof_of_activity.yaml", settings)
    assert told in str(caught.value)


def test_a_preset_comes_back_as_it_was_written(tmp_path: Path) -> None:
    scenario: Any = load_scenario(CONFIGS / "decred.yaml")
    stored = tmp_path / "scenario.yaml"
    stored.write_text(scenario.to_yaml(), "utf-8")
    again: Any = load_stored_scenario(stored)
    assert again.mechanism == scenario.mechanism
    assert (again.mechanism.count_drawn(), again.mechanism.count_needed()) == (5, 3)


@pytest.mark.many_runs
@pytest.mark.parametrize("kind", ["silent", "garbage", "replayer", "double_spender", "private_chain"])
def test_attackers_that_need_no_mechanism_break_nothing(kind: str) -> None:
    settings = {"kind": kind, **({"release_s": 5.0} if kind == "private_chain" else {})}
    ended = simulate(
        make_raw({}, {"name": "bad", "role": "adversary", "count": 1, "behaviours": [settings]}, length=12)
    )
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.rejected_from["honest"].total() == 0


@pytest.mark.many_runs
def test_a_seed_gives_the_same_records_again_and_counted_ones_know_of_no_template() -> None:
    first, again = (simulate(make_raw(seed=seed)) for seed in (7, 7))
    assert first.lines == again.lines
    labels = [node.label for node in first.world.nodes]
    tries, found = ActivityView().describe_nodes(first.tally, labels)
    assert (tries, found) == (f"{first.tally.work.tries.total():,}", str(len(first.find("template"))))
    assert "tries a template" in ActivityView().describe_head(first.tally)
    counted = simulate(make_raw(output={"pictures": False, "records": "essential"}))
    assert counted.tally.work.tries.total() == first.tally.work.tries.total()
    assert not counted.tally.activity.templates

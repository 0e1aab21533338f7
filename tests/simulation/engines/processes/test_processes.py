"""Whole runs: operating-system processes, pipes and Keras, as a user starts them."""

import hashlib
import json
from pathlib import Path

import pytest

from protocol.ledger import count_created
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from simulation.analysis.comparison import build_frame
from simulation.records.lines import DEBUG, INFO
from simulation.records.reading import read_log
from simulation.runs.chain_file import read_chain
from simulation.runs.detail import shows_progress
from simulation.scenario.loading import load_scenario
from simulation.scenario.world.building import build_world
from tests.support.processes import SMALL, Finished, Verify, find_traces, get_mnist, launch, sets
from tests.support.scenarios import shipped

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("runs")]

SUMMARY: dict[str, set[str]] = {
    "dataset": {"name", "source", "digest"},
    "chain": {"height", "head", "honest_agreement", "forks", "reorg_depth_max"},
    "training": {"test_accuracy", "coverage", "weights_digest"},
    "attack": {"poisoned_stages_honest", "poisoned_stages_employer", "employer_deceived"},
    "messages": {"sent", "accepted", "ignored", "rejected", "bytes"},
    "ledger": {"supply", "transactions", "coins_transferred"},
    "cost": {
        "wall_s",
        "cpu_s",
        "memory_pss_mb_max",
        "train_cpu_s_useful",
        "train_cpu_s_discarded",
    },
}
NODE = {"label", "population", "pid", "height", "head", "balance", "outcome"}
FILES = {
    "scenario.yaml",
    "pot_sim.log",
    "events.jsonl",
    "chain.jsonl",
    "summary.json",
    "certificate.json",
    "model.keras",
}
RUNS = ("default_run", "majority_run", "troublemakers_run")


def get(request: pytest.FixtureRequest, name: str) -> Finished:
    run: Finished = request.getfixturevalue(name)
    return run


# ---- the default scenario ----


def test_the_default_run_delivers_one_epoch_in_five_blocks(default_run: Finished) -> None:
    summary = default_run.summary
    assert default_run.code == 0
    assert summary["ended"] == "complete"
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (5, 1.0)
    assert (summary["employer"]["height"], summary["employer"]["outcome"]) == (5, "delivered")
    assert summary["training"]["coverage"] == 1.0
    assert summary["attack"]["poisoned_stages_honest"] == 0
    assert summary["attack"]["poisoned_stages_employer"] == 0
    assert summary["attack"]["employer_deceived"] is False
    if get_mnist() is not None:
        assert summary["dataset"]["name"] == "mnist"
        assert summary["training"]["test_accuracy"] >= 0.95


def test_the_default_run_refuses_the_poisoners(default_run: Finished) -> None:
    rejected = default_run.summary["attack"]["refused_by_population"]
    assert set(rejected) == {"poisoners"}
    assert rejected["poisoners"]["different-weights"] > 0
    poisoners = {f"poisoners-{index}" for index in range(3)}
    accepted = [
        record
        for record in default_run.find("accepted")
        if record.who.startswith("honest")
        and record.fields["kind"] in ("declaration", "header", "block", "stakeholder")
    ]
    assert accepted
    assert not poisoners & {record.fields["author"] for record in accepted}


def test_the_summary_has_every_key_of_the_issue(default_run: Finished) -> None:
    summary = default_run.summary
    assert {"scenario", "fingerprint", "engine", "seed", "code_version"} <= set(summary)
    for section, keys in SUMMARY.items():
        assert keys <= set(summary[section]), section
    assert len(summary["nodes"]) == 11
    assert all(set(node) >= NODE for node in summary["nodes"])
    for name in ("sent", "accepted"):
        assert {"declaration", "header", "stakeholder", "block", "transaction"} <= set(summary["messages"][name])
    assert all(value > 0 for value in summary["cost"].values())
    assert len({node["pid"] for node in summary["nodes"]}) == 11


def test_the_ledger_of_the_default_run_adds_up(default_run: Finished) -> None:
    summary = default_run.summary
    bonds = 11 * 1000 + 10 * 100
    subsidies = [1000 - 999 * height**0.5 / (height**0.5 + 10) for height in range(1, 6)]
    _, blocks = read_chain(default_run.folder / "chain.jsonl")
    created = sum(count_created(block.transactions, block.coinbase) for block in blocks) / 1e6
    assert 0.7 * sum(subsidies) < created <= sum(subsidies)  # what absent declarers would earn is not created
    assert summary["ledger"]["supply"] == pytest.approx(bonds + created, abs=1e-4)
    moved = [transaction for block in blocks for transaction in block.transactions]
    assert summary["ledger"]["transactions"] == len(moved) > 0
    assert summary["ledger"]["coins_transferred"] == pytest.approx(sum(item.amount for item in moved) / 1e6)
    fees = sum(item.fee for item in moved) / 1e6
    earned = sum(node["balance"] for node in summary["nodes"] if node["population"] == "honest")
    assert earned == pytest.approx(created + fees, abs=1e-4)


# ---- every run ----


@pytest.mark.parametrize("name", RUNS)
def test_a_run_ends_well_and_leaves_its_folder(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    assert run.code == 0
    assert find_traces(run.told) == []
    found = {path.name for path in run.folder.iterdir()}
    pictures = {"training.png", "chain.png"} if name != "troublemakers_run" else set()
    assert found == FILES | pictures
    summary = run.summary
    assert run.folder.name == f"{summary['scenario']}-{summary['fingerprint']}"
    assert {path.name for path in run.cwd.iterdir()} == {"runs", "pot_sim.log", "stdout.txt", "stderr.txt"}
    assert (run.cwd / "pot_sim.log").read_bytes() == (run.folder / "pot_sim.log").read_bytes()


@pytest.mark.parametrize("name", RUNS)
def test_the_summary_vouches_for_the_files_and_the_scenario(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    summary = run.summary
    for file, digest in summary["files"].items():
        assert hashlib.sha256((run.folder / file).read_bytes()).hexdigest() == digest
    assert set(summary["files"]) == {path.name for path in run.folder.iterdir()} - {"summary.json"}
    scenario = load_scenario(run.folder / "scenario.yaml")
    assert scenario.compute_fingerprint(summary["code_version"]) == summary["fingerprint"]


@pytest.mark.parametrize("name", RUNS)
def test_log_and_events_tell_the_same(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    events = [json.loads(line) for line in (run.folder / "events.jsonl").read_text("utf-8").splitlines()]
    assert len(events) == len(run.records) > 100
    for event, record in zip(events, run.records, strict=True):
        assert event == json.loads(record.to_line().to_json())


@pytest.mark.parametrize("name", RUNS)
def test_without_a_terminal_lines_show_how_a_run_comes_on(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    shown = set(run.out.splitlines())
    for record in run.records:
        assert (record.to_line().to_text() in shown) == shows_progress(record)


@pytest.mark.parametrize("name", RUNS)
def test_info_lines_hold_no_secret_and_no_key(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    public = "\n".join(record.to_line().to_text() for record in run.records if record.level != DEBUG)
    secrets = {str(record.fields["secret"]) for record in run.find("secret")}
    assert len(secrets) >= run.summary["chain"]["height"]
    assert {record.level for record in run.find("secret")} == {DEBUG}
    assert not [secret for secret in secrets if secret[:12] in public]
    assert not [record for record in run.records if record.level != DEBUG and "loss" in "".join(record.fields)]
    scenario = load_scenario(run.folder / "scenario.yaml")
    world = build_world(scenario, run.summary["dataset"]["name"], bytes(32))
    seeds = [node.key_seed for node in world.nodes] + [user.key_seed for user in world.users] + [world.employer_seed]
    everything = (run.folder / "pot_sim.log").read_text("utf-8") + run.told
    assert not [seed for seed in seeds if seed.hex()[:12] in everything]


@pytest.mark.parametrize("name", RUNS)
def test_a_comparison_from_the_log_alone_equals_the_summary(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    log = read_log(run.folder / "pot_sim.log")
    summary = run.summary
    assert log.warnings == []
    tally = log.tally
    assert tally.compute_agreement()[0] == summary["chain"]["honest_agreement"]
    assert tally.count_forks() == summary["chain"]["forks"]
    assert tally.count_poisoned_honest() == summary["attack"]["poisoned_stages_honest"]
    assert tally.count_poisoned_employer() == summary["attack"]["poisoned_stages_employer"]
    assert dict(tally.sent) == summary["messages"]["sent"]
    assert dict(tally.rejected) == summary["messages"]["rejected"]
    assert dict(tally.ignored) == summary["messages"]["ignored"]
    assert tally.sent_bytes == summary["messages"]["bytes"]
    shown = build_frame([log]).iloc[:, 0]
    assert shown["transfers in the chain"] == str(summary["ledger"]["transactions"])
    assert shown["test accuracy"] == f"{summary['training']['test_accuracy']:.2%}"
    assert {label: (node.pid, node.balance, node.outcome) for label, node in tally.nodes.items()} == {
        node["label"]: (node["pid"], node["balance"], node["outcome"]) for node in summary["nodes"]
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_stored_chain_is_the_one_the_summary_tells_of(name: str, request: pytest.FixtureRequest) -> None:
    run = get(request, name)
    _, blocks = read_chain(run.folder / "chain.jsonl")
    summary = run.summary
    assert len(blocks) == summary["employer"]["height"]
    last = blocks[-1]
    assert isinstance(last, WrappedBlock)
    assert last.header.weights_digest.hex() == summary["training"]["weights_digest"]
    evaluated = [record for record in run.find("evaluated") if record.fields["block"] == summary["employer"]["head"]]
    assert evaluated[-1].fields["accuracy"] == summary["training"]["test_accuracy"]


# ---- attacks ----


def test_a_majority_deceives_the_employer_and_no_honest_node(majority_run: Finished) -> None:
    summary = majority_run.summary
    assert summary["attack"]["employer_deceived"] is True
    assert summary["attack"]["poisoned_stages_employer"] > 0
    assert summary["attack"]["poisoned_stages_honest"] == 0
    assert summary["attack"]["refused_by_population"]["poisoners"]["different-weights"] > 0
    honest = [node for node in summary["nodes"] if node["population"] == "honest"]
    assert {node["outcome"] for node in honest} == {"stopped"}
    assert {node["height"] for node in honest} == {0}


def test_troublemakers_are_refused_by_reason_and_stop_nobody(troublemakers_run: Finished) -> None:
    summary = troublemakers_run.summary
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (3, 1.0)
    assert summary["attack"]["poisoned_stages_honest"] == summary["attack"]["poisoned_stages_employer"] == 0
    rejected = summary["attack"]["refused_by_population"]
    assert rejected["garbage"]["malformed"] > 0
    assert rejected["garbage"]["bad-signature"] > 0
    assert rejected["garbage"]["oversized"] > 0
    assert rejected["poisoners"]["different-weights"] > 0
    assert "honest" not in rejected
    assert {node["outcome"] for node in summary["nodes"]} >= {"finished"}
    assert not [node for node in summary["nodes"] if node["outcome"] == "crashed"]


def test_a_silent_node_sends_nothing_and_trains_all_the_same(troublemakers_run: Finished) -> None:
    own = [record for record in troublemakers_run.records if record.who == "silent-0"]
    assert "trained" in {record.event for record in own}
    assert not {"sent", "relayed"} & {record.event for record in own}


def test_lone_poisoners_share_no_secret(troublemakers_run: Finished) -> None:
    weights = {
        record.who: record.fields["weights"]
        for record in troublemakers_run.find("trained", stage=0)
        if record.level == DEBUG
    }
    honest = {weights[f"honest-{index}"] for index in range(7)}
    assert len(honest) == 1
    assert len({weights["poisoners-0"], weights["poisoners-1"], *honest}) == 3


# ---- other networks ----


@pytest.mark.parametrize(
    "settings",
    [("network={topology: ring, client_links: 2}", "users={count: 3, transactions: 5}"), ("job.xla=true",)],
    ids=["gossip in a ring", "xla"],
)
def test_other_networks_and_arithmetic_agree_too(settings: tuple[str, ...], tmp_path: Path, verify: Verify) -> None:
    run = launch(tmp_path, "run", "honest", *sets("populations.honest.count=6", *SMALL, *settings))
    assert run.code == 0
    summary = run.summary
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (2, 1.0)
    assert (summary["employer"]["height"], summary["messages"]["rejected"]) == (2, {})
    if settings[0].startswith("network"):
        assert "relayed" in summary["messages"]["sent"]
    elif not summary["chain"]["forks"]:  # where all are neighbours nothing but rival blocks is passed on
        assert "relayed" not in summary["messages"]["sent"]
    assert verify(run.folder, "--retrain").code == 0


# ---- comparing ----


def test_compare_prints_two_runs_side_by_side(default_run: Finished, majority_run: Finished) -> None:
    logs = [str(default_run.folder), str(majority_run.cwd / "pot_sim.log")]
    told = launch(default_run.cwd.parent, "compare", *logs)
    assert told.code == 0
    lines = {line[:26].strip(): line[26:].split() for line in told.out.splitlines()}
    assert lines["scenario"] == ["default", "majority_attack"]
    assert lines["employer deceived"] == ["no", "yes"]
    assert lines["poisoned stages, honest"] == ["0", "0"]
    assert lines["honest height"] == ["5", "0"]
    assert default_run.folder.name in told.out.replace("\n", "")


def test_info_is_what_any_participant_could_see(default_run: Finished) -> None:
    levels = {record.event: record.level for record in default_run.records}
    assert {event for event, level in levels.items() if level == DEBUG} >= {"trained", "won", "secret", "phase", "node"}
    assert {event for event, level in levels.items() if level == INFO} >= {"sent", "accepted", "rejected", "appended"}


def test_the_genesis_of_a_run_can_be_built_again_from_its_folder(default_run: Finished) -> None:
    stored, _ = read_chain(default_run.folder / "chain.jsonl")
    start = as_training(stored).genesis
    scenario = load_scenario(default_run.folder / "scenario.yaml")
    assert scenario == shipped("default")
    world = build_world(scenario, default_run.summary["dataset"]["name"], start.job.dataset_digest)
    again = as_training(world.mechanism).genesis
    assert (again.parameters, again.accounts, again.seed) == (start.parameters, start.accounts, start.seed)

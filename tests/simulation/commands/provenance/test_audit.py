"""`audit`: who did what, when and for how much, and whether that comes to what the ledger says."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.rules import Rules
from protocol.types import SIGNATURE_BYTES, STAMP_BYTES
from simulation.commands.cli import main
from simulation.foundation.mechanism_parts import SHIPPED
from simulation.foundation.project import ROOT
from simulation.runs.chain_file import read_chain
from tests.simulation.commands.provenance.conftest import SCENARIOS, STAMP_BITS
from tests.support.stored_runs import run_made_up

Told = dict[str, Any]


def audit(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, list[Told]]:
    """Return the records of an audit that ends well, by kind."""
    capsys.readouterr()
    assert main(["audit", str(folder), "--json", *options]) == 0
    found: dict[str, list[Told]] = defaultdict(list)
    for line in capsys.readouterr().out.splitlines():
        told = json.loads(line)
        found[told["record"]].append(told)
    return found


def test_every_account_comes_to_what_the_ledger_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = audit(folder, capsys)
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    rules = Rules(mechanism)
    record = rules.origin
    for block in blocks:
        record = rules.build_record(record, block)
    state, keys = record.state, {item["key"]: item for item in told["key"]}
    assert {bytes.fromhex(key) for key in keys} >= set(state.accounts)
    for owner, account in state.accounts.items():
        found = keys[owner.hex()]
        assert (found["balance"], found["bonded"]) == (account.balance, state.stakes.get_stake(owner))
        assert found.get("unbonding", 0) == account.bond.leaving
    (chain,) = told["chain"]
    assert chain["supply"] == state.supply == chain["supply_at_genesis"] + chain["created"]
    assert sum(item["balance"] + item["bonded"] + item.get("unbonding", 0) for item in keys.values()) == state.supply
    assert sum(item["fees_paid"] for item in keys.values()) == sum(tx.fee for b in blocks for tx in b.transactions) > 0
    assert sum(item["transferred"] for item in keys.values()) == sum(item["received"] for item in keys.values())


def test_running_balances_follow_from_the_amounts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = audit(folder, capsys)["event"]
    balances: Counter[str] = Counter()
    for event in events:
        balances[event["key"]] += event.get("amount", 0)
        assert event["balance"] == balances[event["key"]] >= 0
    heights = [event["height"] for event in events]
    assert heights == sorted(heights)
    assert not any(event["did"] == "had changed by the rules" for event in events)


WORDS = {
    "proof_of_training": {"declared the stage", "proposed the block", "signed the block", "wrapped the block"},
    "proof_of_work": {"mined the block"},
    "stake_chain": {"led the slot"},
    "stake_bft": {"proposed the block", "pre-committed to the block"},
    "proof_of_activity": {"mined the template", "signed the template", "closed the block"},
    "round_robin": {"made the block"},
}


AUTHORS = {
    "proof_of_training": "wrapped the block",
    "stake_bft": "proposed the block",
    "proof_of_activity": "closed the block",
}
"""What the author of a block did, where others did something too."""


@pytest.mark.parametrize("name", WORDS)
def test_each_mechanism_says_who_did_what(
    name: str, folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    events = audit(folders[name], capsys)["event"]
    mechanism, blocks = read_chain(folders[name] / "chain.jsonl")
    assert mechanism.name == name
    done = Counter((event["did"], event["height"], event["key"]) for event in events if event["did"] in WORDS[name])
    for block in blocks:
        made = AUTHORS.get(name) or next(iter(WORDS[name]))
        assert done[made, block.height, block.author.hex()] == 1
        if isinstance(block, WrappedBlock):
            assert done["proposed the block", block.height, block.header.author.hex()] == 1
            for item in block.header.declarations:
                assert done["declared the stage", block.height, item.author.hex()] == 1
    assert {did for did, _, _ in done} == WORDS[name]


def test_a_payout_says_what_of_it_is_fees(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = audit(folder, capsys)["event"]
    _, blocks = read_chain(folder / "chain.jsonl")
    for block in blocks:
        paid = [event for event in events if event["did"] == "was paid" and event["height"] == block.height]
        assert sum(event.get("fee", 0) for event in paid) == sum(item.fee for item in block.transactions)
        assert sum(event["share"] for event in paid) == pytest.approx(1)


def test_an_account_that_is_opened_for_a_stranger_is_told(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    events = audit(folders["proof_of_work"], capsys)["event"]
    (opened,) = [event for event in events if event["did"] == "opened an account"]
    assert (opened["name"], opened.get("other_name")) == ("filler-0", None)
    shown = audit(folders["proof_of_work"], capsys, "--key", opened["other"][:12])
    assert [event["did"] for event in shown["event"]][:1] == ["received"]
    assert [item["key"] for item in shown["key"]] == [opened["other"]]


def test_coins_that_are_bonded_and_come_back_are_followed(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """So they are where nothing but the chain says who has bonded what."""
    bonded = audit(folders["stake_chain"], capsys, "--key", "late-0")
    (deposit,) = [event for event in bonded["event"] if event["did"] == "bonded"]
    assert (deposit["staked"], deposit["bonded"]) == (300_000_000, 300_000_000)
    assert deposit["amount"] + deposit["fee"] == -300_000_000
    assert bonded["key"][0]["bonded"] == bonded["key"][0]["deposited"] == 300_000_000
    back = audit(folders["stake_chain"], capsys, "--key", "honest-0")
    (withdrawal,) = [event for event in back["event"] if event["did"] == "began to unbond"]
    (release,) = [event for event in back["event"] if event["did"] == "got back"]
    assert (withdrawal["staked"], release["amount"]) == (-50_000_000, 50_000_000)
    assert release["height"] == withdrawal["height"] + 4
    assert back["key"][0]["released"] == 50_000_000


def test_stake_that_was_taken_is_burnt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = yaml.safe_load((ROOT / "configs/attacks/nothing_at_stake.yaml").read_text("utf-8"))
    keys = {**raw["mechanism"], "length": 10}
    told = audit(run_made_up(tmp_path, {**raw, "mechanism": keys, "output": {"pictures": False}}), capsys)
    lost = [event for event in told["event"] if event["did"] == "lost stake"]
    accused = {event["key"] for event in told["event"] if event["did"] == "signed two blocks of one slot"}
    assert {event["key"] for event in lost} == accused != set()
    (chain,) = told["chain"]
    assert chain["burnt"] == -sum(event["staked"] for event in lost)
    assert chain["supply"] == chain["supply_at_genesis"] + chain["created"] - chain["burnt"]


def test_one_key_is_chosen_by_label_or_by_digits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_label = audit(folder, capsys, "--key", "honest-0")
    (account,) = by_label["key"]
    assert account["name"] == "honest-0"
    assert audit(folder, capsys, "--key", account["key"]) == by_label
    assert audit(folder, capsys, "--key", f"0x{account['key'][:12].upper()}", "--key", "honest-0") == by_label
    assert {event["key"] for event in by_label["event"]} == {account["key"]}
    everything = audit(folder, capsys)["event"]
    assert by_label["event"] == [event for event in everything if event["key"] == account["key"]]


def test_what_a_training_chain_delivers_can_be_traced(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folders["proof_of_training"]
    (product,) = audit(folder, capsys)["product"]
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert product["dataset_digest"] == summary["dataset"]["digest"]
    assert product["weights_digest"] == summary["training"]["weights_digest"]
    assert (product["stages_done"], product["stages"]) == (2, 2)
    assert len(bytes.fromhex(product["model_digest"])) == 32
    assert not audit(folders["proof_of_work"], capsys)["product"]


def test_tables_show_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = audit(folder, capsys, "--key", "honest-0")
    assert main(["audit", str(folder), "--key", "honest-0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(told["chain"][0]["chain"] in line for line in lines)
    rows = [line for line in lines if line.split()[2:3] == ["honest-0"]]
    assert len(rows) == len(told["event"])
    last = lines[-1].split()
    assert last[0] == "honest-0"
    assert told["key"][0]["bonded"] == round(float(last[-1].replace(",", "")) * 1e6)


def test_a_chain_needs_nothing_beside_it(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chain.jsonl").write_bytes((folder / "chain.jsonl").read_bytes())
    bare, whole = audit(tmp_path, capsys), audit(folder, capsys)
    assert {item["name"] for item in bare["key"]} == {None}
    assert [item["balance"] for item in bare["key"]] == [item["balance"] for item in whole["key"]]


def test_every_mechanism_of_the_package_has_a_run_here() -> None:
    assert set(SCENARIOS) == {*SHIPPED, "round_robin"}


@pytest.mark.parametrize("name", ["stake_chain", "stake_bft", "proof_of_activity"])
def test_a_mechanism_that_knows_nothing_of_stamps_has_them(name: str, folders: dict[str, Path]) -> None:
    """Transfers that bond coins are stamped like any others."""
    mechanism, blocks = read_chain(folders[name] / "chain.jsonl")
    transfers = [transaction for block in blocks for transaction in block.transactions]
    assert mechanism.stamp_bits == STAMP_BITS
    assert transfers
    assert {len(item.signature) for item in transfers} == {SIGNATURE_BYTES + STAMP_BYTES}
    summary = json.loads((folders[name] / "summary.json").read_text("utf-8"))
    assert (summary["ended"], summary["messages"]["rejected"]) == ("complete", {})

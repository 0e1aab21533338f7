"""`block` and `transaction`: finding one by height or digits; and chains that do not hold, or are not there."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from protocol.mechanisms.proof_of_work.mechanism import ProofOfWork, as_work
from protocol.rules import Rules
from simulation.commands.cli import main
from simulation.commands.provenance.finding import LookUpError, find_block, find_transaction
from simulation.commands.provenance.opened_chain import OpenedChain, open_chain
from simulation.commands.provenance.showing import show_coins
from simulation.runs.chain_file import read_chain, write_chain

EMPTY = "chain.jsonl: the file is empty: no genesis, no block"


def look_up(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return what a command tells as JSON, if it ends well."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_block_is_found_by_height_and_by_digits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    rules, height = Rules(mechanism), len(blocks)
    names = [rules.chain_id.hex(), *(rules.hash_message(block).hex() for block in blocks)]
    for number, name in ((0, names[0]), (2, names[2]), (height, names[height])):
        told = look_up(capsys, "block", str(folder), str(number))
        assert told == look_up(capsys, "block", str(folder), name)
        assert told == look_up(capsys, "block", str(folder), f"0x{name[:12]}")
        assert (told["block"], told["height"], told["confirmations"]) == (name, number, height - number + 1)
        assert told["parent"] == (names[number - 1] if number else None)
        assert told["child"] == (names[number + 1] if number < height else None)
    assert [item["amount"] for item in told["coinbase"]] == [payout.amount for payout in blocks[-1].coinbase]


def test_a_transaction_is_found_with_its_block(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    rules = Rules(mechanism)
    block = next(block for block in blocks if block.transactions)
    transaction = block.transactions[-1]
    name = rules.hash_message(transaction).hex()
    told = look_up(capsys, "transaction", str(folder), name[:12])
    assert (told["transaction"], told["block"]) == (name, rules.hash_message(block).hex())
    assert (told["from"], told["to"]) == (transaction.author.hex(), transaction.recipient.hex())
    assert (told["amount"], told["fee"]) == (transaction.amount, transaction.fee)
    assert (told["height"], told["place"]) == (block.height, len(block.transactions) - 1)
    assert told["confirmations"] == len(blocks) - block.height + 1
    shown = look_up(capsys, "block", str(folder), str(block.height))["transactions"]
    assert shown[-1] == {key: told[key] for key in shown[-1]}


@pytest.mark.parametrize("arguments", [("block", "0"), ("block", "1"), ("transaction", "")])
def test_tables_are_readable(arguments: tuple[str, str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, blocks = read_chain(folder / "chain.jsonl")
    chain = open_chain(folder)
    name = chain.rules.hash_message(next(tx for block in blocks for tx in block.transactions)).hex()
    command, told = arguments[0], arguments[1] or name
    assert main([command, str(folder), told]) == 0
    wanted = name if command == "transaction" else chain.records[int(told)].hash.hex()
    assert wanted in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "told", "wanted"),
    [
        ("block", "99", "there is no such block in the chain; write a height from 0 to "),
        ("block", "0" * 64, "there is no such block"),
        ("block", "honest-0", "there is no such block"),
        ("block", "abc", "there is no such block"),
        ("transaction", "f" * 64, "there is no such transaction in the chain; write 4 or more digits of its hash, 0x"),
        ("transaction", "0", "there is no such transaction"),
        ("audit", "honest-99", "there is no such key in the chain; write a label such as "),
        ("audit", "ab", "there is no such key"),
    ],
)
def test_what_is_not_there_is_exit_2(
    command: str, told: str, wanted: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--key", told] if command == "audit" else [told]
    assert main([command, str(folder), *arguments]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert wanted in found.err
    assert found.err.count("\n") == 1


def test_what_may_be_several_things_is_named(folder: Path) -> None:
    chain = open_chain(folder)
    crowded = next(record for record in chain.records if record.block and len(record.block.transactions) > 1)
    with pytest.raises(LookUpError, match=rf"^'{crowded.height}' stands for \d+ transactions; write one of 0x[0-9a-f]"):
        find_transaction(chain, str(crowded.height))
    assert find_block(chain, str(crowded.height)) is crowded


def test_digits_are_a_height_that_the_chain_has_and_with_0x_always_a_hash() -> None:
    hashes = {3: "1234", 7: "9999", 8: "0012", 1234: "abcd"}
    records = [SimpleNamespace(height=n, hash=bytes.fromhex(hashes.get(n, "e000").ljust(64, "f"))) for n in range(1300)]
    chain = OpenedChain(cast(Any, None), cast(Any, tuple(records)), None, {})
    wanted = {
        "1234": 1234,
        "0x1234": 3,
        "12": 12,
        "9999": 7,
        "0x9999": 7,
        "0012": 8,
        "0": 0,
        "abcd": 1234,
        "1299": 1299,
    }
    assert {told: find_block(chain, told).height for told in wanted} == wanted
    for told in ("1300", "0x12", "00", "01234"):
        with pytest.raises(LookUpError, match="no such block in the chain; write a height from 0 to 1299, or 4"):
            find_block(chain, told)


def test_a_folder_without_a_chain_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    cases = {
        "nowhere": "no such folder; write the folder of a run",
        "file": "a file; write the folder of a run",
        ".": "there is no chain.jsonl in it; write the folder of a run that has ended",
    }
    for name, wanted in cases.items():
        for command in (["audit"], ["block", "1"], ["transaction", "1"]):
            assert main([command[0], str(tmp_path / name), *command[1:]]) == 2
            told = capsys.readouterr()
            assert (told.out, told.err.count("\n")) == ("", 1)
            assert wanted in told.err


def test_a_chain_of_an_unknown_mechanism_is_exit_2(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folders["proof_of_work"] / "chain.jsonl").read_text("utf-8")
    (tmp_path / "chain.jsonl").write_text(text.replace("proof_of_work", "proof_of_patience"), "utf-8")
    assert main(["audit", str(tmp_path)]) == 2
    assert 'of the mechanism "proof_of_patience", which is not known here' in capsys.readouterr().err


@pytest.fixture
def damaged(folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a chain whose last block is cut in the middle."""
    copied = tmp_path / "damaged"
    shutil.copytree(folder, copied)
    packed = (copied / "chain.jsonl").read_bytes()
    (copied / "chain.jsonl").write_bytes(packed[:-100])
    return copied


def test_what_holds_of_a_damaged_chain_is_shown(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = len((damaged / "chain.jsonl").read_text("utf-8").splitlines())
    for command in (["audit"], ["block", "1"]):
        assert main([command[0], str(damaged), *command[1:]]) == 1
        told = capsys.readouterr()
        assert f"FAILED: chain.jsonl: cut off; the block at height {lines - 1} cannot be read" in told.err
        assert told.out
    assert main(["block", str(damaged), str(lines - 1)]) == 1
    assert "there is no such block" in capsys.readouterr().err


def test_a_chain_without_a_readable_genesis_is_exit_1(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = (folder / "chain.jsonl").read_bytes()
    for changed, wanted in ((b"", EMPTY), (b"x" + packed, "chain.jsonl:1: not a genesis: not JSON")):
        (tmp_path / "chain.jsonl").write_bytes(changed)
        assert main(["audit", str(tmp_path)]) == 1
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", f"FAILED: {wanted}\n")


def test_a_block_that_does_not_hold_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    forged = msgspec.structs.replace(blocks[1], signature=bytes(64))
    name = Rules(mechanism).hash_message(forged).hex()[:12]
    packed = [msgspec.msgpack.encode(block) for block in (blocks[0], forged, *blocks[2:])]
    write_chain(tmp_path / "chain.jsonl", mechanism, packed)
    assert main(["audit", str(tmp_path), "--json"]) == 1
    told = capsys.readouterr()
    assert f"the block at height 2 is refused: bad-signature (block 0x{name})" in told.err
    heights = [json.loads(line)["height"] for line in told.out.splitlines() if '"event"' in line]
    assert max(heights) == 1


@pytest.mark.parametrize(
    ("micro", "shown"),
    [(0, "0.00"), (1, "0.000001"), (1_230_000, "1.23"), (-1_500_000, "-1.50"), (1_234_567_890_120, "1,234,567.89012")],
)
def test_coins_are_shown_exactly(micro: int, shown: str) -> None:
    assert show_coins(micro) == shown


def test_a_chain_of_its_genesis_alone_has_nothing_more_to_tell(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (folder / "chain.jsonl").read_bytes().splitlines(keepends=True)[0]
    (tmp_path / "chain.jsonl").write_bytes(first)
    assert main(["audit", str(tmp_path), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {item["did"] for item in told if item["record"] == "event"} == {"began with"}
    assert main(["block", str(tmp_path), "0"]) == 0
    assert "this is the genesis" in capsys.readouterr().out
    assert main(["transaction", str(tmp_path), "0"]) == 2
    assert main(["audit", str(tmp_path)]) == 0


@pytest.mark.parametrize("slot_ns", [0, -1])
def test_a_genesis_by_which_no_time_passes_is_none(
    slot_ns: int, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mechanism, _ = read_chain(folders["proof_of_work"] / "chain.jsonl")
    genesis = as_work(mechanism).genesis
    changed = msgspec.structs.replace(genesis, chain=msgspec.structs.replace(genesis.chain, slot_ns=slot_ns))
    write_chain(tmp_path / "chain.jsonl", ProofOfWork(changed), [])
    assert main(["audit", str(tmp_path)]) == 1
    assert f"chain.jsonl:1: not a genesis: its slots take {slot_ns} ns" in capsys.readouterr().err

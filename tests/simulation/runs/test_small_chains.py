"""Chains of a few blocks, as small as those that introductions draw: each record adds to the ones before it."""

from pathlib import Path

import msgspec
import pytest

from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import compute_header_digest
from protocol.messages import Transaction
from protocol.rules import Rules
from simulation.commands import cli
from simulation.runs.chain_file import read_chain, read_stored_chain, write_chain
from simulation.runs.judged_chain import judge_chain
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.protocol.mechanisms.proof_of_work.test_mining import mine
from tests.support.core import keys

ROWS = 4


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(make_work(length=ROWS))


@pytest.fixture(scope="module")
def blocks(rules: Rules) -> list[WorkedBlock]:
    """Return four blocks with a transfer each."""
    record: ChainRecord = rules.origin
    found = []
    for row in range(ROWS):
        paid = Transaction(author=keys(1).public, nonce=row, recipient=keys(2).public, amount=row + 1, fee=0)
        found.append(mine(rules, record, 2 * row, transactions=(keys(1).sign(rules.chain_id, paid),)))
        record = rules.build_record(record, found[-1])
    return found


def pack(blocks: list[WorkedBlock]) -> list[bytes]:
    return [msgspec.msgpack.encode(block) for block in blocks]


def test_four_records_make_chains_of_one_to_four_each_of_which_begins_with_the_one_before(
    rules: Rules, blocks: list[WorkedBlock], tmp_path: Path
) -> None:
    path, before = tmp_path / "chain.jsonl", b""
    for count in range(1, ROWS + 1):
        write_chain(path, rules.mechanism, pack(blocks[:count]))
        stored = path.read_bytes()
        assert stored.startswith(before)
        assert len(read_chain(path)[1]) == count
        judged = judge_chain(read_stored_chain(path))
        assert (len(judged.records) - 1, judged.fault) == (count, None)
        before = stored


def test_each_block_names_the_hash_of_the_one_before_it(rules: Rules, blocks: list[WorkedBlock]) -> None:
    names = [rules.chain_id, *(rules.hash_message(block) for block in blocks)]
    assert [block.parent for block in blocks] == names[:-1]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("height", range(1, ROWS + 1))
def test_the_first_bad_height_is_that_of_the_record_that_was_altered(
    height: int, rules: Rules, blocks: list[WorkedBlock], tmp_path: Path
) -> None:
    """Whoever alters a record has to sign and work anew from there on; one that only signs anew is found there too."""
    path = tmp_path / "chain.jsonl"
    transfer = msgspec.structs.replace(blocks[height - 1].transactions[0], amount=999)
    altered = msgspec.structs.replace(blocks[height - 1], transactions=(keys(1).sign(rules.chain_id, transfer),))
    for block in (altered, keys(0).sign(rules.chain_id, altered)):
        write_chain(path, rules.mechanism, pack([*blocks[: height - 1], block, *blocks[height:]]))
        judged = judge_chain(read_stored_chain(path))
        assert len(judged.records) == height
        assert f"the block at height {height} is refused: wrong-body" in str(judged.fault)


def test_a_record_that_was_worked_for_anew_breaks_the_link_of_the_next_one(
    rules: Rules, blocks: list[WorkedBlock], tmp_path: Path
) -> None:
    path = tmp_path / "chain.jsonl"
    again = mine(rules, rules.build_record(rules.origin, blocks[0]), blocks[1].slot)
    write_chain(path, rules.mechanism, pack([blocks[0], again, *blocks[2:]]))
    judged = judge_chain(read_stored_chain(path))
    assert len(judged.records) == 3
    assert "the block at height 3 " in str(judged.fault)


@pytest.mark.parametrize("field", ["height", "parent", "slot", "body", "target", "window_start", "author"])
def test_the_digest_that_is_worked_for_depends_on_each_field_and_on_nothing_else(
    field: str, rules: Rules, blocks: list[WorkedBlock]
) -> None:
    block = blocks[0]
    digest = compute_header_digest(rules.chain_id, block)
    value = getattr(block, field)
    other = bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else value + 1
    assert compute_header_digest(rules.chain_id, msgspec.structs.replace(block, **{field: other})) != digest
    same = msgspec.structs.replace(block, nonce=block.nonce + 1, signature=bytes(64))
    assert compute_header_digest(rules.chain_id, same) == digest


def test_a_block_pays_its_builder_once(blocks: list[WorkedBlock]) -> None:
    assert [[line.account for line in block.coinbase] for block in blocks] == [[block.author] for block in blocks]


@pytest.mark.drawing
def test_one_node_alone_makes_a_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    alone = ["populations.fast.count=0", "populations.honest.count=1", "mechanism.length=3", "output.pictures=false"]
    options = [part for setting in (*alone, "users={count: 0, transactions: 0}") for part in ("--set", setting)]
    assert cli.main(["run", "proof_of_work", "--engine", "virtual", "--quiet", *options]) == 0
    (folder,) = tmp_path.glob("runs/proof_of_work-*")
    assert cli.main(["verify", str(folder)]) == 0
    assert cli.main(["report", str(folder)]) == 0
    assert len(read_chain(folder / "chain.jsonl")[1]) == 3

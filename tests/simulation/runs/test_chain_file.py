import json
from pathlib import Path

import pytest

from protocol.codec import encode
from protocol.crypto import compute_content_hash
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, compute_chain_id
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining, as_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from simulation.runs.chain_file import ChainFileError, read_chain, write_chain
from tests.support.core import Cluster, genesis, make_rules


def grow(height: int, nodes: int = 4) -> tuple[TrainingGenesis, tuple[WrappedBlock, ...]]:
    """Return a valid chain of some blocks."""
    cluster = Cluster(genesis(nodes))
    cluster.run(until_height=height)
    chain = cluster.node(0).tree.get_chain()
    blocks = tuple(record.block for record in chain if isinstance(record.block, WrappedBlock))
    assert len(blocks) >= height
    return cluster.genesis, blocks[:height]


def store(folder: Path, start: TrainingGenesis, blocks: tuple[WrappedBlock, ...]) -> Path:
    path = folder / "chain.jsonl"
    write_chain(path, ProofOfTraining(start), [encode(block) for block in blocks])
    return path


def read(path: Path) -> tuple[TrainingGenesis, tuple[WrappedBlock, ...]]:
    """Return genesis and blocks of a stored training chain."""
    mechanism, blocks = read_chain(path)
    return as_training(mechanism).genesis, tuple(block for block in blocks if isinstance(block, WrappedBlock))


@pytest.mark.parametrize("height", [0, 1, 3])
def test_a_chain_is_read_as_it_was_written(height: int, tmp_path: Path) -> None:
    start, blocks = grow(height)
    path = store(tmp_path, start, blocks)
    assert read(path) == (start, blocks)
    before = path.read_bytes()
    store(tmp_path, *read(path))
    assert path.read_bytes() == before


def test_each_line_is_json_that_a_reader_understands(tmp_path: Path) -> None:
    start, blocks = grow(2)
    lines = [json.loads(line) for line in store(tmp_path, start, blocks).read_text("utf-8").splitlines()]
    chain_id = compute_chain_id(start)
    assert [line["height"] for line in lines] == [0, 1, 2]
    assert [line["hash"] for line in lines[1:]] == [compute_content_hash(chain_id, block).hex() for block in blocks]
    assert [line["parent"] for line in lines[1:]] == [line["hash"] for line in lines[:-1]]
    assert lines[2]["training_secret"] == blocks[1].header.training_secret.hex()
    assert bytes.fromhex(lines[1]["bytes"]) == encode(blocks[0])


@pytest.mark.many_runs
@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_changed_byte_is_noticed(flip: int, tmp_path: Path) -> None:
    """0x20 turns hexadecimal digits into capitals; no fact but itself depends on the last signature of a block."""
    path = store(tmp_path, *grow(1, nodes=2))
    whole = path.read_bytes()
    unnoticed = []
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= flip
        path.write_bytes(changed)
        try:
            start, blocks = read(path)
        except ChainFileError:
            continue
        rules = make_rules(start)
        if all(rules.is_signed(block) for block in blocks):
            unnoticed.append(position)
    assert unnoticed == []


def test_every_cut_is_noticed_or_ends_at_a_whole_line(tmp_path: Path) -> None:
    start, blocks = grow(2, nodes=2)
    path = store(tmp_path, start, blocks)
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 0x0A]
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(ChainFileError, match=r"chain\.jsonl"):
            read_chain(path)
    for count, cut in enumerate(ends):
        path.write_bytes(whole[:cut])
        assert read(path) == (start, blocks[:count])


@pytest.mark.parametrize(
    "addition", ["\n", " \n", "{}\n", "null\n", '{"bytes": 3}\n', '{"bytes": "zz"}\n', '{"bytes": "00"}\n', "[" * 99999]
)
def test_an_additional_line_is_noticed(addition: str, tmp_path: Path) -> None:
    path = store(tmp_path, *grow(1))
    path.write_text(path.read_text("utf-8") + addition, "utf-8")
    with pytest.raises(ChainFileError, match=r"chain\.jsonl"):
        read_chain(path)


def test_a_fact_that_does_not_follow_from_the_bytes_is_noticed(tmp_path: Path) -> None:
    path = store(tmp_path, *grow(1))
    first, second = path.read_text("utf-8").splitlines()
    facts = json.loads(second)
    del facts["bytes"]
    for key, value in facts.items():
        changed = {
            **json.loads(second),
            key: value + 1 if isinstance(value, int) else value[:-1] + ("0" if value[-1] != "0" else "1"),
        }
        path.write_text(f"{first}\n{json.dumps(changed)}\n", "utf-8")
        with pytest.raises(ChainFileError, match=r"chain\.jsonl:2"):
            read_chain(path)


def test_the_line_of_the_damage_is_named(tmp_path: Path) -> None:
    path = store(tmp_path, *grow(2))
    lines = path.read_text("utf-8").splitlines()
    for number in range(3):
        changed = [
            line.replace('"hash": "', '"hash": "0', 1) if index == number else line for index, line in enumerate(lines)
        ]
        path.write_text("".join(f"{line}\n" for line in changed), "utf-8")
        with pytest.raises(ChainFileError, match=rf"chain\.jsonl:{number + 1}:"):
            read_chain(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"{}", b"\x00" * 50 + b"\n"])
def test_what_is_no_chain_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    path.write_bytes(content)
    with pytest.raises(ChainFileError):
        read_chain(path)


def test_a_file_without_a_whole_line_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    for content, told in ((b"", "the file is empty: no genesis, no block"), (b"{", "cut off in its first line")):
        path.write_bytes(content)
        with pytest.raises(ChainFileError, match=told):
            read_chain(path)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ('{"bytes": "00", "bytes": "00"}', "the key 'bytes' stands twice"),
        ("[" * 99_999, "nested too deep"),
        ("[]", "the line has no field bytes with hexadecimal text"),
        ('{"bytes": 3}', "the line has no field bytes with hexadecimal text"),
        ('{"bytes": "zz"}', "its bytes do not stand for one"),
        ('{"bytes": "00"}', "its bytes do not stand for one"),
    ],
)
def test_a_damaged_line_is_told_in_our_own_words(number: int, line: str, told: str, tmp_path: Path) -> None:
    path = store(tmp_path, *grow(1))
    lines = path.read_text("utf-8").splitlines()
    lines[number - 1] = line
    path.write_text("".join(f"{text}\n" for text in lines), "utf-8")
    with pytest.raises(ChainFileError) as caught:
        read_chain(path)
    what = "a genesis" if number == 1 else "a block"
    assert str(caught.value) == f"chain.jsonl:{number}: not {what}: {told}"


def test_a_chain_of_an_unknown_mechanism_is_called_that(tmp_path: Path) -> None:
    path = store(tmp_path, *grow(1))
    text = path.read_text("utf-8")
    path.write_text(text.replace('{"height"', '{"mechanism": "proof_of_patience", "height"', 1), "utf-8")
    with pytest.raises(
        ChainFileError, match=r'chain\.jsonl:1: of the mechanism "proof_of_patience", which is not known'
    ):
        read_chain(path)


def test_a_chain_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChainFileError, match="cannot be read"):
        read_chain(tmp_path / "chain.jsonl")

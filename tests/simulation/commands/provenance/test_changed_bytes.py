"""Whatever is changed in a block of a stored chain is found at its height, or at the next."""

import json
from pathlib import Path
from random import Random

import msgspec
import pytest

from protocol.rules import Rules
from simulation.commands.cli import main
from simulation.runs.chain_file import read_chain, read_stored_chain, write_chain
from simulation.runs.judged_chain import JudgedChain, judge_chain

CHANGES = 24


def judge_changed(folder: Path, number: int, packed: bytes) -> JudgedChain:
    """Return what comes of a chain, one block of which has other bytes, with all else in its line as it must be."""
    path = folder / "chain.jsonl"
    mechanism, _ = read_chain(path)
    original = path.read_bytes()
    lines = original.splitlines(keepends=True)
    try:
        changed = Rules(mechanism).decode_block(packed)
        write_chain(path, mechanism, [msgspec.msgpack.encode(changed)])
        lines[number] = path.read_bytes().splitlines(keepends=True)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = json.loads(lines[number])
        lines[number] = json.dumps({**told, "bytes": packed.hex()}).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    try:
        return judge_chain(read_stored_chain(path))
    finally:
        path.write_bytes(original)


def test_every_changed_byte_of_a_block_is_found(folder: Path, tmp_path: Path) -> None:
    """A change that leaves the canonical bytes as they were is none."""
    (tmp_path / "chain.jsonl").write_bytes((folder / "chain.jsonl").read_bytes())
    _, blocks = read_chain(folder / "chain.jsonl")
    rng, found = Random(20), set()  # noqa: S311 - a test's own draws
    for _ in range(CHANGES):
        number = rng.randrange(1, len(blocks) + 1)
        packed = bytearray(msgspec.msgpack.encode(blocks[number - 1]))
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
        judged = judge_changed(tmp_path, number, bytes(packed))
        assert judged.fault is not None
        assert judged.records[-1].height in {number - 1, number}
        assert f"at height {len(judged.records)} " in judged.fault
        found.add(judged.fault.partition("height ")[2][2:].partition(" (")[0])
    assert len(found) > 1, "every change is found by the same check"


def test_every_changed_character_of_the_file_is_found(folder: Path, tmp_path: Path) -> None:
    path, original = tmp_path / "chain.jsonl", (folder / "chain.jsonl").read_bytes()
    rng = Random(21)  # noqa: S311 - a test's own draws
    start = original.index(b"\n") + 1
    for _ in range(CHANGES):
        place = rng.randrange(start, len(original) - 1)
        changed = bytearray(original)
        changed[place] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        judged = judge_chain(read_stored_chain(path))
        assert judged.fault is not None
        assert judged.records[-1].height in {original[:place].count(b"\n") - 1, original[:place].count(b"\n")}


def test_a_changed_genesis_makes_another_chain(folder: Path, tmp_path: Path) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    packed = [msgspec.msgpack.encode(block) for block in blocks]
    changed = msgspec.structs.replace(mechanism.genesis, seed=mechanism.genesis.seed + 1)  # type: ignore[type-var]
    write_chain(tmp_path / "chain.jsonl", type(mechanism)(changed), packed)
    judged = judge_chain(read_stored_chain(tmp_path / "chain.jsonl"))
    assert len(judged.records) == 1
    assert "the block at height 1 " in str(judged.fault)


@pytest.mark.parametrize("name", ["proof_of_work", "proof_of_training"])
def test_verify_names_the_first_block_that_does_not_hold(
    name: str, folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even if a later line cannot be read at all."""
    for file in folders[name].iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    mechanism, blocks = read_chain(tmp_path / "chain.jsonl")
    forged = msgspec.structs.replace(blocks[0], signature=bytes(64))
    packed = [msgspec.msgpack.encode(block) for block in (forged, *blocks[1:])]
    write_chain(tmp_path / "chain.jsonl", mechanism, packed)
    whole = (tmp_path / "chain.jsonl").read_bytes()
    digest = Rules(mechanism).hash_message(forged).hex()[:12]
    for changed in (whole, whole[:-200]):
        (tmp_path / "chain.jsonl").write_bytes(changed)
        assert main(["verify", str(tmp_path)]) == 1
        told = capsys.readouterr().err
        assert f"FAILED: chain.jsonl: the block at height 1 is refused: bad-signature (block 0x{digest})" in told


def test_a_block_that_lies_about_its_height_is_named_by_its_place(folder: Path, tmp_path: Path) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    packed = [msgspec.msgpack.encode(block) for block in (blocks[1], *blocks[1:])]
    write_chain(tmp_path / "chain.jsonl", mechanism, packed)
    fault = judge_chain(read_stored_chain(tmp_path / "chain.jsonl")).fault
    assert "the block at height 1 does not build on the one before it" in str(fault)

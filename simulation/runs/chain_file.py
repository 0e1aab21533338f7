"""``chain.jsonl``: the genesis and every block of a chain, one a line, readable and exact.

Each line holds the canonical bytes as hexadecimal text and, beside them, the facts a reader looks for. The facts follow
from the bytes, so a line whose facts or form were changed no longer equals the line its bytes give. Bytes that were
changed are for `simulation.commands.checks.verify` to judge.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from protocol.codec import encode
from protocol.crypto import compute_content_hash
from protocol.mechanisms.proof_of_training.job import TrainingGenesis, compute_chain_id, encode_genesis
from protocol.mechanisms.proof_of_training.messages import WrappedBlock


class ChainFileError(ValueError):
    """A stored chain is damaged; the text says at which line and how."""


def write_chain(path: Path, genesis: TrainingGenesis, blocks: Iterable[bytes]) -> None:
    """Write a chain.

    Args:
        path: The file.
        genesis: What the chain starts from.
        blocks: Canonical bytes of the blocks, lowest first.
    """
    lines = [_genesis_line(genesis)]
    lines += [
        _block_line(compute_chain_id(genesis), msgspec.msgpack.decode(block, type=WrappedBlock)) for block in blocks
    ]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def read_chain(path: Path) -> tuple[TrainingGenesis, tuple[WrappedBlock, ...]]:
    """Return a stored chain; whether its blocks are valid is for the caller to judge.

    Raises:
        ChainFileError: A line is not what its own bytes give.
    """
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ChainFileError(f"{path.name}: cannot be read: {error}") from None
    if lines[-1] != "" or len(lines) < 2:
        raise ChainFileError(f"{path.name}: cut off")
    genesis = _read_line(path, 1, lines[0], TrainingGenesis)
    if _genesis_line(genesis) != lines[0]:
        raise ChainFileError(f"{path.name}:1: the line was changed")
    chain_id = compute_chain_id(genesis)
    blocks = []
    for number, line in enumerate(lines[1:-1], start=2):
        block = _read_line(path, number, line, WrappedBlock)
        if _block_line(chain_id, block) != line:
            raise ChainFileError(f"{path.name}:{number}: the line was changed")
        blocks.append(block)
    return genesis, tuple(blocks)


def _read_line(path: Path, number: int, line: str, kind: Any) -> Any:  # noqa: ANN401 - TrainingGenesis or WrappedBlock
    try:
        return msgspec.msgpack.decode(bytes.fromhex(json.loads(line)["bytes"]), type=kind)
    except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise ChainFileError(f"{path.name}:{number}: not a block: {error}") from None


def _genesis_line(genesis: TrainingGenesis) -> str:
    job = genesis.job
    facts = {
        "height": 0,
        "hash": compute_chain_id(genesis).hex(),
        "stages": job.stages,
        "dataset": job.dataset,
        "profile": job.profile,
        "accounts": len(genesis.accounts),
        "bytes": encode_genesis(genesis).hex(),
    }
    return json.dumps(facts)


def _block_line(chain_id: bytes, block: WrappedBlock) -> str:
    header = block.header
    facts = {
        "height": block.height,
        "hash": compute_content_hash(chain_id, block).hex(),
        "parent": block.parent.hex(),
        "slot": header.slot,
        "proposer": header.author.hex(),
        "wrapper": block.author.hex(),
        "weights_digest": header.weights_digest.hex(),
        "training_secret": header.training_secret.hex(),
        "declarations": len(header.declarations),
        "transactions": len(block.transactions),
        "bytes": encode(block).hex(),
    }
    return json.dumps(facts)

"""``chain.jsonl``: the genesis and every block of a chain, one a line, readable and exact.

Each line holds the canonical bytes as hexadecimal text and, beside them, the facts a reader looks for. The facts follow
from the bytes, so a line whose facts or form were changed no longer equals the line its bytes give. Bytes that were
changed are for `simulation.commands.checks.verify` to judge.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from protocol.mechanism import Mechanism
from protocol.mechanisms import find_mechanism, list_mechanisms
from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.foundation import read_json, show_value
from simulation.records import CHAIN_NAME, write_text_in_one_step
from simulation.runs.chain_lines import find_lines

T = TypeVar("T")


class ChainFileError(ValueError):
    """A stored chain is damaged; the text says at which line and how."""


def write_chain(path: Path, mechanism: Mechanism, blocks: Iterable[bytes]) -> None:
    """Write a chain.

    Args:
        path: The file.
        mechanism: How the chain's blocks are agreed on, and what it starts from.
        blocks: Canonical bytes of the blocks, lowest first.

    Raises:
        OSError: The file cannot be written; nothing is left of it.
    """
    rules = Rules(mechanism)
    lines = [_genesis_line(rules), *(_block_line(rules, rules.decode_block(block)) for block in blocks)]
    write_text_in_one_step(path, "".join(f"{line}\n" for line in lines))


def read_chain(path: Path) -> tuple[Mechanism, tuple[AnyBlock, ...]]:
    """Return a stored chain; whether its blocks are valid is for the caller to judge.

    Raises:
        ChainFileError: A line is not what its own bytes give.
    """
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except OSError as error:
        raise ChainFileError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ChainFileError(f"{path.name}: byte {error.start + 1} is not UTF-8 text") from None
    if lines[-1] != "" or len(lines) < 2:
        raise ChainFileError(f"{path.name}: cut off")
    mechanism = _read_line(path, 1, lines[0], _decode_genesis)
    rules = Rules(mechanism)
    if _genesis_line(rules) != lines[0]:
        raise ChainFileError(f"{path.name}:1: the line was changed")
    blocks = []
    for number, line in enumerate(lines[1:-1], start=2):
        block = _read_line(path, number, line, lambda told: rules.decode_block(bytes.fromhex(told["bytes"])))
        if _block_line(rules, block) != line:
            raise ChainFileError(f"{path.name}:{number}: the line was changed")
        blocks.append(block)
    return mechanism, tuple(blocks)


def _read_line(path: Path, number: int, line: str, decode: Callable[[Any], T]) -> T:
    where, what = f"{path.name}:{number}", "a genesis" if number == 1 else "a block"
    try:
        told = read_json(line)
    except ValueError as error:
        raise ChainFileError(f"{where}: not {what}: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("bytes"), str):
        raise ChainFileError(f"{where}: not {what}: the line has no field bytes with hexadecimal text")
    try:
        return decode(told)
    except ChainFileError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, LookupError, msgspec.DecodeError):
        raise ChainFileError(f"{where}: not {what}: its bytes do not stand for one") from None


def _decode_genesis(told: dict[str, Any]) -> Mechanism:
    name = told.get("mechanism", "proof_of_training")  # the first mechanism's chains do not say
    if name not in list_mechanisms():
        raise ChainFileError(f"{CHAIN_NAME}:1: of the mechanism {show_value(name)}, which is not known here")
    mechanism: Mechanism = find_mechanism(name).decode_genesis(bytes.fromhex(told["bytes"]))
    return mechanism


def _genesis_line(rules: Rules) -> str:
    facts = {
        "height": 0,
        "hash": rules.chain_id.hex(),
        **find_lines(rules.mechanism.name).describe_genesis(rules.mechanism),
        "accounts": len(rules.genesis.accounts),
        "bytes": rules.mechanism.encode_genesis().hex(),
    }
    return json.dumps(facts)


def _block_line(rules: Rules, block: AnyBlock) -> str:
    facts = {
        "height": block.height,
        "hash": rules.hash_message(block).hex(),
        "parent": block.parent.hex(),
        "slot": block.slot,
        **find_lines(rules.mechanism.name).describe_block(block),
        "transactions": len(block.transactions),
        "bytes": rules.encode(block).hex(),
    }
    return json.dumps(facts)

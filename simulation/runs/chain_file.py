"""``chain.jsonl``: the genesis and every block of a chain, one a line, readable and exact.

Each line holds the canonical bytes as hexadecimal text and, beside them, the facts a reader looks for. The facts follow
from the bytes, so a line whose facts or form were changed no longer equals the line its bytes give. Bytes that were
changed are for `simulation.commands.checks.verify` to judge.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from protocol.mechanism import Mechanism
from protocol.mechanisms import find_mechanism, list_mechanisms
from protocol.messages import AnyBlock
from protocol.rules import Rules
from protocol.stamps import MAX_STAMP_BITS
from simulation.foundation import EXIT_FAILED, SimulationError, read_json, show_value
from simulation.records import CHAIN_NAME, write_text_in_one_step
from simulation.runs.chain_lines import find_lines

T = TypeVar("T")


class ChainFileError(SimulationError, ValueError):
    """A stored chain is damaged; the text says at which line and how."""

    exit_code = EXIT_FAILED


class UnknownMechanismError(ChainFileError):
    """A stored chain is of a mechanism that is not known here."""


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


class StoredChain(NamedTuple):
    """A stored chain as far as it can be read; whether its blocks are valid is for the caller to judge."""

    mechanism: Mechanism
    blocks: tuple[AnyBlock, ...]
    """Those before the first damaged line, lowest first."""
    damage: str | None
    """What is wrong with the line after them; None where the whole file can be read."""


def read_chain(path: Path) -> tuple[Mechanism, tuple[AnyBlock, ...]]:
    """Return a stored chain; whether its blocks are valid is for the caller to judge.

    Raises:
        ChainFileError: A line is not what its own bytes give.
    """
    stored = read_stored_chain(path)
    if stored.damage is not None:
        raise ChainFileError(stored.damage)
    return stored.mechanism, stored.blocks


def read_stored_chain(path: Path) -> StoredChain:
    """Return a stored chain up to its first damaged block.

    Raises:
        ChainFileError: Not even its genesis can be read.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise ChainFileError(f"{path.name}: cannot be read: {error.strerror}") from None
    *lines, rest = packed.split(b"\n")
    if not lines:
        what = "cut off in its first line, the genesis" if packed else "the file is empty: no genesis, no block"
        raise ChainFileError(f"{path.name}: {what}")
    mechanism = _read_line(path, 1, _read_text(path, lines, 0), _decode_genesis)
    rules = Rules(mechanism)
    if _genesis_line(rules).encode() != lines[0]:
        raise ChainFileError(f"{path.name}:1: the line was changed")
    blocks: list[AnyBlock] = []
    try:
        for number in range(1, len(lines)):
            blocks.append(_read_block(path, rules, number + 1, _read_text(path, lines, number)))
    except ChainFileError as error:
        return StoredChain(mechanism, tuple(blocks), str(error))
    return StoredChain(mechanism, tuple(blocks), f"{path.name}: cut off" if rest else None)


def _read_text(path: Path, lines: Sequence[bytes], index: int) -> str:
    try:
        return lines[index].decode("utf-8")
    except UnicodeDecodeError as error:
        place = sum(len(line) + 1 for line in lines[:index]) + error.start + 1
        raise ChainFileError(f"{path.name}: byte {place} is not UTF-8 text") from None


def _read_block(path: Path, rules: Rules, number: int, line: str) -> AnyBlock:
    block = _read_line(path, number, line, lambda told: rules.decode_block(bytes.fromhex(told["bytes"])))
    if _block_line(rules, block) != line:
        raise ChainFileError(f"{path.name}:{number}: the line was changed")
    return block


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
    bits = told.get("stamp_bits", 0)
    if type(bits) is not int or not 0 <= bits <= MAX_STAMP_BITS:  # true equals 1
        raise ChainFileError(f"{CHAIN_NAME}:1: not a genesis: stamp_bits is {show_value(bits)}")
    name = told.get("mechanism", "proof_of_training")  # the first mechanism's chains do not say
    if name not in list_mechanisms():
        raise UnknownMechanismError(f"{CHAIN_NAME}:1: of the mechanism {show_value(name)}, which is not known here")
    mechanism: Mechanism = find_mechanism(name).decode_genesis(bytes.fromhex(told["bytes"]))
    if mechanism.genesis.chain.slot_ns < 1:  # a stranger's genesis may say anything, and clocks are divided by this
        raise ChainFileError(f"{CHAIN_NAME}:1: not a genesis: its slots take {mechanism.genesis.chain.slot_ns} ns")
    return mechanism.ask_stamps(bits) if bits else mechanism


def _genesis_line(rules: Rules) -> str:
    facts = {
        "height": 0,
        "hash": rules.chain_id.hex(),
        **find_lines(rules.mechanism.name).describe_genesis(rules.mechanism),
        **({"stamp_bits": rules.mechanism.stamp_bits} if rules.mechanism.stamp_bits else {}),
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

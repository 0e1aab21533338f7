"""Finding a block, a transaction or a key by what a user writes: a height, a label, or the first digits of a hash."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from protocol.events import ChainRecord
from protocol.messages import Transaction
from protocol.types import AccountId
from simulation.commands.provenance.opened_chain import OpenedChain
from simulation.foundation import SimulationError

LEAST_DIGITS: Final = 4
"""Digits of a hash or key that are looked at; fewer are a height, or a slip."""

MOST_HEIGHT_DIGITS: Final = 10
"""No chain has a height of more."""

MOST_LISTED: Final = 5
"""Candidates that a sentence names."""

FoundT = TypeVar("FoundT")


class LookUpError(SimulationError, ValueError):
    """What a user wrote stands for nothing, or for several things; the text says what to write instead."""


def find_block(chain: OpenedChain, told: str) -> ChainRecord:
    """Return the block with a height, or with a hash that begins with these digits.

    Digits from 0 to 9 alone are a height if the chain has it, whatever hash begins like that, unless a 0 stands before
    others; with ``0x`` in front they are always a hash's.

    Raises:
        LookUpError: There is none, or more than one.
    """
    number, digits = _read_number(chain, told), _read_digits(told)
    if number is not None:
        return chain.records[number]
    found = [record for record in chain.records if digits is not None and record.hash.hex().startswith(digits)]
    hint = f"write a height from 0 to {chain.head.height}, or {LEAST_DIGITS} or more digits of a hash, 0x in front"
    return _take_one(told, found, "block", hint, lambda record: f"0x{record.hash.hex()} (height {record.height})")


def find_transaction(chain: OpenedChain, told: str) -> tuple[ChainRecord, int, Transaction]:
    """Return the transaction whose hash begins with these digits, or the only one in the block of a height.

    What is a height and what a hash is told apart as by `find_block`.

    Raises:
        LookUpError: There is none, or more than one.
    """
    number, digits, rules = _read_number(chain, told), _read_digits(told), chain.rules
    found = []
    for item in chain.list_transactions():
        is_named = digits is not None and rules.hash_message(item[2]).hex().startswith(digits)
        if item[0].height == number if number is not None else is_named:
            found.append(item)
    hint = (
        f"write {LEAST_DIGITS} or more digits of its hash, 0x in front, which `block` and `audit` show, or the height "
        "of its block"
    )

    def show(item: tuple[ChainRecord, int, Transaction]) -> str:
        return f"0x{rules.hash_message(item[2]).hex()} (height {item[0].height})"

    return _take_one(told, found, "transaction", hint, show)


def find_key(chain: OpenedChain, told: str, known: Iterable[AccountId]) -> AccountId:
    """Return the key that has a label, or that begins with these digits.

    Args:
        chain: The chain.
        told: What the user wrote.
        known: Keys that the chain knows.

    Raises:
        LookUpError: There is none, or more than one.
    """
    keys, digits = list(known), _read_digits(told)
    named = [key for key in keys if chain.names.get(key) == told]
    found = named or [key for key in keys if digits is not None and key.hex().startswith(digits)]
    labels = [chain.names[key] for key in keys if key in chain.names]
    example = f"a label such as {labels[0]}, or " if labels else ""
    hint = f"write {example}{LEAST_DIGITS} or more digits of a public key that the chain has"
    return _take_one(told, found, "key", hint, lambda key: f"{key.hex()} ({chain.name(key)})")


def _read_digits(told: str) -> str | None:
    """Return what a hash may begin with, in small letters; None where that is no such thing."""
    digits = told.lower().removeprefix("0x")
    is_hex = all(digit in "0123456789abcdef" for digit in digits)
    return digits if is_hex and LEAST_DIGITS <= len(digits) <= 64 else None


def _read_number(chain: OpenedChain, told: str) -> int | None:
    """Return the height of the chain that is told; None where it is none."""
    is_number = told.isascii() and told.isdecimal() and len(told) <= MOST_HEIGHT_DIGITS and told == str(int(told))
    return int(told) if is_number and int(told) <= chain.head.height else None


def _take_one(told: str, found: Sequence[FoundT], what: str, hint: str, show: Callable[[FoundT], str]) -> FoundT:
    if len(found) == 1:
        return found[0]
    shown = told if len(told) <= 70 else f"{told[:70]}..."
    if not found:
        raise LookUpError(f"{shown!r}: there is no such {what} in the chain; {hint}")
    rest = f", and {len(found) - MOST_LISTED:,} more" if len(found) > MOST_LISTED else ""
    listed = ", ".join(show(item) for item in found[:MOST_LISTED])
    raise LookUpError(f"{shown!r} stands for {len(found):,} {what}s; write one of {listed}{rest}")

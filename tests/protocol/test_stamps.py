"""Stamps of transfers: what one is good for, what is refused and why, and how many hashes one takes."""

import hashlib
import struct
from typing import Any, Final

import msgspec
import pytest

from protocol.codec import encode, encode_frame
from protocol.events import Judged, MessageReceived
from protocol.mechanism import Mechanism
from protocol.messages import Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.stamps import compute_stamp_digest, count_zero_bits, find_stamp_fault, mint
from protocol.types import SIGNATURE_BYTES
from protocol.verdicts import ACCEPT, ChainReason, LedgerReason, Reject, Verdict
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.protocol.mechanisms.proof_of_work.test_mining import judge as judge_block
from tests.protocol.mechanisms.proof_of_work.test_mining import mine
from tests.support.core import keys
from tests.support.goodness import fits

BITS: Final = 8


def make_rules(bits: int = BITS, **changes: Any) -> Rules:
    return Rules(make_work(**changes).ask_stamps(bits))


def transfer(**changes: Any) -> Transaction:
    return Transaction(
        **{"author": keys(1).public, "nonce": 0, "recipient": keys(2).public, "amount": 5, "fee": 1, **changes}
    )


def judge(rules: Rules, transaction: Transaction) -> Verdict:
    """Return what a node says of a transfer; a refusal leaves no mark."""
    node = Node(rules, keys(0))
    before = node.snapshot()
    commands = node.handle(MessageReceived("peer", encode_frame(rules.chain_id, transaction)), 0)
    (verdict,) = [command.verdict for command in commands if isinstance(command, Judged)]
    assert (node.snapshot() == before) is (verdict is not ACCEPT)
    return verdict


def build_stamp_vectors() -> dict[str, object]:
    """Return all that `tests.protocol.test_vectors` freezes of stamps."""
    name, signature = hashlib.sha256(b"transfer").digest(), bytes(range(64))
    sealed = {str(bits): mint(bits, name, signature) for bits in (1, 8, 12)}
    return {
        "minted": {bits: {"sealed": item.hex(), "tries": tries} for bits, (item, tries) in sealed.items()},
        "digest": compute_stamp_digest(name, sealed["12"][0]).hex(),
        "chain_ids": {str(bits): make_rules(bits).chain_id.hex() for bits in (1, 12)},
    }


def test_a_digest_is_that_of_the_written_definition() -> None:
    name, signature = hashlib.sha256(b"transfer").digest(), bytes(range(64))
    sealed, tries = mint(BITS, name, signature)
    assert sealed == signature + struct.pack(">Q", tries - 1)
    parts = (b"pot/stamp/1", name, sealed)
    digest = hashlib.sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)).digest()
    assert compute_stamp_digest(name, sealed) == digest
    assert digest[0] == 0


def test_a_chain_that_asks_for_none_is_the_same_chain_as_ever() -> None:
    plain = make_work()
    assert plain.compute_chain_id() == Rules(plain).chain_id == Rules(plain.ask_stamps(0)).chain_id
    assert len({plain.compute_chain_id(), *(make_rules(bits).chain_id for bits in (1, 2, 64))}) == 4
    signed = keys(1).sign(Rules(plain).chain_id, transfer())
    assert Rules(plain).sign(keys(1), transfer()) == signed
    assert len(signed.signature) == SIGNATURE_BYTES


def test_a_stamped_transfer_has_the_hash_and_signature_of_the_same_without_a_stamp() -> None:
    rules = make_rules()
    bare, sealed = keys(1).sign(rules.chain_id, transfer()), rules.sign(keys(1), transfer())
    assert sealed.signature[:SIGNATURE_BYTES] == bare.signature
    assert rules.hash_message(sealed) == rules.hash_message(bare)
    assert judge(rules, sealed) is ACCEPT


def with_other_stamp(rules: Rules, sealed: Transaction) -> Transaction:
    """Return a transfer with a stamp that shows too little work."""
    for number in range(1000):
        signature = sealed.signature[:SIGNATURE_BYTES] + struct.pack(">Q", number)
        digest = compute_stamp_digest(rules.hash_message(sealed), signature)
        if count_zero_bits(digest) == BITS - 1:
            return msgspec.structs.replace(sealed, signature=signature)
    raise AssertionError("no such number")


def test_what_shows_too_little_work_is_refused_before_its_signature() -> None:
    rules = make_rules()
    sealed = rules.sign(keys(1), transfer())
    assert judge(rules, with_other_stamp(rules, sealed)) == Reject(LedgerReason.BAD_STAMP)
    bare = msgspec.structs.replace(sealed, signature=sealed.signature[:SIGNATURE_BYTES])
    assert judge(rules, bare) == Reject(LedgerReason.NO_STAMP)
    unsigned = msgspec.structs.replace(sealed, signature=bytes(SIGNATURE_BYTES))
    assert judge(rules, unsigned) == Reject(LedgerReason.NO_STAMP)
    minted, _ = mint(BITS, rules.hash_message(sealed), bytes(SIGNATURE_BYTES))
    assert judge(rules, msgspec.structs.replace(sealed, signature=minted)) == Reject(ChainReason.BAD_SIGNATURE)


@pytest.mark.parametrize("extra", [1, 7])
def test_half_a_stamp_is_none(extra: int) -> None:
    rules = make_rules()
    sealed = rules.sign(keys(1), transfer())
    cut = msgspec.structs.replace(sealed, signature=sealed.signature[: SIGNATURE_BYTES + extra])
    assert judge(rules, cut) == Reject(LedgerReason.NO_STAMP)


@pytest.mark.parametrize("extra", [1, 8])
def test_where_none_is_asked_for_none_is_taken(extra: int) -> None:
    """Else a transfer would have as many forms as there are stamps."""
    rules = Rules(make_work())
    signed = keys(1).sign(rules.chain_id, transfer())
    longer = msgspec.structs.replace(signed, signature=signed.signature + bytes(extra))
    assert judge(rules, longer) == Reject(LedgerReason.UNASKED_STAMP)


@pytest.mark.parametrize("field", ["nonce", "amount", "fee", "recipient", "author"])
def test_a_stamp_is_good_for_one_transfer(field: str) -> None:
    """Even for its own author, who can sign another one."""
    rules = make_rules(16)
    stamp = rules.sign(keys(1), transfer()).signature[SIGNATURE_BYTES:]
    changed = transfer(**{field: keys(2).public if field == "author" else keys(0).public if "r" in field else 3})
    signed = (keys(2) if field == "author" else keys(1)).sign(rules.chain_id, changed)
    reused = msgspec.structs.replace(signed, signature=signed.signature + stamp)
    assert judge(rules, reused) == Reject(LedgerReason.BAD_STAMP)


def test_a_stamp_is_good_for_one_signature() -> None:
    """So nobody can have others check wrong signatures under a stamp that somebody else has found."""
    rules = make_rules(16)
    sealed = rules.sign(keys(1), transfer())
    wrong = bytes([sealed.signature[0] ^ 1]) + sealed.signature[1:]
    assert judge(rules, msgspec.structs.replace(sealed, signature=wrong)) == Reject(LedgerReason.BAD_STAMP)


def test_a_stamp_of_another_chain_is_good_for_nothing() -> None:
    here, there = make_rules(16), make_rules(16, seed=8)
    stamp = there.sign(keys(1), transfer()).signature[SIGNATURE_BYTES:]
    signed = keys(1).sign(here.chain_id, transfer())
    brought = msgspec.structs.replace(signed, signature=signed.signature + stamp)
    assert judge(here, brought) == Reject(LedgerReason.BAD_STAMP)


def test_a_block_carries_stamped_transfers_only() -> None:
    rules = make_rules()
    sealed = rules.sign(keys(1), transfer())
    bare = keys(1).sign(rules.chain_id, transfer())
    weak = with_other_stamp(rules, sealed)
    verdicts = [judge_block(rules, mine(rules, rules.origin, 3, transactions=(item,))) for item in (sealed, bare, weak)]
    assert verdicts == [ACCEPT, Reject(LedgerReason.NO_STAMP), Reject(LedgerReason.BAD_STAMP)]


def test_a_stamp_is_applied_once() -> None:
    rules = make_rules()
    sealed = rules.sign(keys(1), transfer())
    record = rules.build_record(rules.origin, mine(rules, rules.origin, 3, transactions=(sealed,)))
    assert rules.judge_transfers(record, (sealed,)) == Reject(LedgerReason.NONCE_USED)
    assert rules.judge_transfers(rules.origin, (sealed, sealed)) == Reject(LedgerReason.NONCE_USED)


# ---- what it costs ----


def count_tries(bits: int, many: int) -> list[int]:
    names = [hashlib.sha256(struct.pack(">I", number)).digest() for number in range(many)]
    return [mint(bits, name, bytes(SIGNATURE_BYTES))[1] for name in names]


def test_tries_are_geometric() -> None:
    p = 2.0**-BITS
    assert fits(count_tries(BITS, 2_000), lambda tries: 1 - (1 - p) ** tries)


def test_each_bit_doubles_the_work_and_many_stamps_take_many_times_as_much() -> None:
    """The mean of n geometric numbers lies within 3.3 standard errors of 2^bits, to one in a thousand."""
    many = 1_500
    for bits in (4, 5, 6, 7):
        tries = count_tries(bits, many)
        error = 3.3 * 2**bits * (1 - 2.0**-bits) ** 0.5
        for part in (tries, tries[: many // 3]):
            assert abs(sum(part) / len(part) - 2**bits) < error / len(part) ** 0.5


def test_the_boundary_is_at_the_bit() -> None:
    """A digest with 16 zero bits, four zeros in hexadecimal digits, does for 15 and 16 bits and not for 17."""
    name = hashlib.sha256(b"boundary").digest()
    numbers = (bytes(SIGNATURE_BYTES) + struct.pack(">Q", number) for number in range(2**20))
    sealed = next(item for item in numbers if count_zero_bits(compute_stamp_digest(name, item)) == 16)
    assert compute_stamp_digest(name, sealed).hex().startswith("0000")
    faults = [find_stamp_fault(bits, name, sealed) for bits in (15, 16, 17)]
    assert faults == [None, None, LedgerReason.BAD_STAMP]


def test_every_mechanism_can_ask_for_stamps() -> None:
    asking: Mechanism = make_work().ask_stamps(5)
    again = type(asking).decode_genesis(asking.encode_genesis()).ask_stamps(5)
    assert again.compute_chain_id() == asking.compute_chain_id()
    assert encode(asking.genesis) == encode(make_work().genesis)

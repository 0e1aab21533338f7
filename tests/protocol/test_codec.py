"""Bytes: what goes out comes back, and nothing else comes in."""

import hashlib
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.codec import (
    MAX_ENVELOPE_BYTES,
    MAX_FRAME_BYTES,
    WIRE_VERSION,
    Codec,
    DecodeError,
    encode,
    encode_frame,
)
from protocol.mechanisms.proof_of_training.messages import (
    TRAINED_MESSAGES,
    BlockHeader,
    StakeholderSignature,
    TrainedBlock,
    TrainedHeader,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.messages import (
    UNSIGNED,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    LateBlock,
    Message,
    Payout,
    Sighting,
    Transaction,
)
from protocol.settling import WITNESSES
from protocol.verdicts import FrameReason, Reason, Reject
from tests.support.core import Scene, decode_frame, keys

CHAIN: Final = bytes(range(32))

hashes = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64)
heights = st.integers(0, 2**31 - 1)
large = st.integers(0, 2**62 - 1)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def few(items: st.SearchStrategy[msgspec.Struct]) -> st.SearchStrategy[tuple[msgspec.Struct, ...]]:
    return st.lists(items, max_size=3).map(tuple)


transactions = st.builds(
    Transaction, author=hashes, nonce=large, recipient=hashes, amount=large, fee=large, signature=signatures
)
declarations = st.builds(
    TrainingDeclaration,
    height=heights,
    parent=hashes,
    slot=large,
    author=hashes,
    weights_digest=hashes,
    profile=names,
    commitment=signatures,
    signature=signatures,
)
headers = st.builds(
    BlockHeader,
    height=heights,
    parent=hashes,
    slot=large,
    author=hashes,
    weights_digest=hashes,
    training_secret=hashes,
    declarations=few(declarations),
    signature=signatures,
)
stakeholder_signatures = st.builds(
    StakeholderSignature, height=heights, parent=hashes, header=hashes, author=hashes, signature=signatures
)
blocks = st.builds(
    WrappedBlock,
    header=headers,
    signatures=few(stakeholder_signatures),
    transactions=few(transactions),
    coinbase=few(st.builds(Payout, account=hashes, amount=large)),
    author=hashes,
    signature=signatures,
)
messages: st.SearchStrategy[Message] = st.one_of(
    transactions,
    declarations,
    headers,
    stakeholder_signatures,
    blocks,
    st.builds(HeadAnnouncement, height=heights, head=hashes, author=hashes, signature=signatures),
    st.builds(BlockRequest, locator=st.lists(hashes, max_size=5).map(tuple), author=hashes, signature=signatures),
    st.builds(BlockResponse, blocks=few(blocks), author=hashes, signature=signatures),
)


def find_fault(frame: bytes, chain: bytes = CHAIN) -> Reason | None:
    try:
        decode_frame(chain, frame)
    except DecodeError as error:
        return error.reason
    return None


@given(messages)
def test_every_message_survives_the_round_trip(message: Message) -> None:
    frame = encode_frame(CHAIN, message)
    assert decode_frame(CHAIN, frame) == message
    assert encode_frame(CHAIN, decode_frame(CHAIN, frame)) == frame


@given(st.binary(max_size=300))
@example(b"")
@example(b"\x93\x01\xc4\x20" + CHAIN)
@example(b"\x93\x01\xc4\x20" + CHAIN + b"\x91" * 5_000 + b"\xc0")
def test_any_bytes_are_a_message_or_a_decode_error(frame: bytes) -> None:
    body = frame.removeprefix(b"\x93\x01\xc4\x20" + CHAIN)
    for candidate in (frame, b"\x93\x01\xc4\x20" + CHAIN + body):
        if find_fault(candidate) is None:
            assert encode_frame(CHAIN, decode_frame(CHAIN, candidate)) == candidate


@given(messages, st.data())
def test_a_changed_byte_is_refused_or_gives_another_message(message: Message, data: st.DataObject) -> None:
    frame = encode_frame(CHAIN, message)
    position = data.draw(st.integers(0, len(frame) - 1))
    changed = bytearray(frame)
    changed[position] ^= data.draw(st.integers(1, 255))
    if find_fault(bytes(changed)) is None:
        assert decode_frame(CHAIN, bytes(changed)) != message


@given(transactions, st.sampled_from(["nonce", "amount", "fee"]), st.sampled_from([-1, -(2**40), 2**62, 2**64 - 1]))
def test_an_amount_outside_its_range_does_not_travel(transaction: Transaction, field: str, value: int) -> None:
    changed = msgspec.structs.replace(transaction, **{field: value})
    assert find_fault(encode_frame(CHAIN, changed)) is FrameReason.MALFORMED


# ---- one frame, bent in every way ----

DECLARATION: Final = TrainingDeclaration(
    height=2,
    parent=CHAIN,
    slot=3,
    author=keys(1).public,
    weights_digest=CHAIN,
    profile="test",
    commitment=bytes(64),
    signature=b"\x05" * 64,
)
FRAME: Final = encode_frame(CHAIN, DECLARATION)
UNSIGNED_FRAME: Final = encode_frame(CHAIN, msgspec.structs.replace(DECLARATION, signature=UNSIGNED))
WITHOUT_SIGNATURE: Final = UNSIGNED_FRAME.replace(b"\x99\xab", b"\x98\xab").removesuffix(b"\xc4\x40" + UNSIGNED)
NAMED: Final = encode((WIRE_VERSION, CHAIN, msgspec.structs.asdict(DECLARATION)))
BAD_FRAMES: Final = {
    "version 0": (encode((0, CHAIN, DECLARATION)), FrameReason.WRONG_VERSION),
    "version 2": (encode((WIRE_VERSION + 1, CHAIN, DECLARATION)), FrameReason.WRONG_VERSION),
    "version as text": (encode(("1", CHAIN, DECLARATION)), FrameReason.MALFORMED),
    "version as truth value": (encode((True, CHAIN, DECLARATION)), FrameReason.MALFORMED),
    "chain id of another chain": (encode_frame(CHAIN[::-1], DECLARATION), FrameReason.WRONG_CHAIN),
    "chain id cut short": (encode_frame(CHAIN[:-1], DECLARATION), FrameReason.WRONG_CHAIN),
    "trailing byte": (FRAME + b"\x00", FrameReason.MALFORMED),
    "two frames in one": (FRAME + FRAME, FrameReason.MALFORMED),
    "fourth part": (encode((WIRE_VERSION, CHAIN, DECLARATION, 0)), FrameReason.MALFORMED),
    "no body": (encode((WIRE_VERSION, CHAIN)), FrameReason.MALFORMED),
    "body is nothing": (encode((WIRE_VERSION, CHAIN, None)), FrameReason.MALFORMED),
    "empty body": (encode((WIRE_VERSION, CHAIN, ())), FrameReason.MALFORMED),
    "unknown tag": (FRAME.replace(b"declaration", b"declamation"), FrameReason.MALFORMED),
    "fields by name": (NAMED, FrameReason.MALFORMED),
    "one field more": (FRAME.replace(b"\x99\xab", b"\x9a\xab") + b"\x00", FrameReason.MALFORMED),
    "missing signature": (WITHOUT_SIGNATURE, FrameReason.NOT_CANONICAL),
    "version encoded too long": (FRAME.replace(b"\x93\x01", b"\x93\xcc\x01", 1), FrameReason.NOT_CANONICAL),
    "height encoded too long": (
        FRAME.replace(b"declaration\x02", b"declaration\xcd\x00\x02"),
        FrameReason.NOT_CANONICAL,
    ),
    "height as signed integer": (FRAME.replace(b"declaration\x02", b"declaration\xd0\x02"), FrameReason.NOT_CANONICAL),
    "text header too long": (FRAME.replace(b"\xa4test", b"\xd9\x04test"), FrameReason.NOT_CANONICAL),
    "binary header too long": (FRAME.replace(b"\xc4\x40", b"\xc5\x00\x40"), FrameReason.NOT_CANONICAL),
    "array header too long": (FRAME.replace(b"\x99\xab", b"\xdc\x00\x09\xab"), FrameReason.NOT_CANONICAL),
    "outer array header too long": (b"\xdc\x00\x03" + FRAME[1:], FrameReason.NOT_CANONICAL),
    "hash as text": (
        FRAME.replace(b"\xc4\x20" + CHAIN + b"\x03", b"\xd9\x20" + CHAIN + b"\x03"),
        FrameReason.MALFORMED,
    ),
    "text that is not UTF-8": (FRAME.replace(b"\xa4test", b"\xa4\xff\xfest"), FrameReason.MALFORMED),
    "array that promises too much": (FRAME.replace(b"\x99\xab", b"\xdd\xff\xff\xff\xff\xab"), FrameReason.MALFORMED),
    "too long by a byte": (FRAME + bytes(MAX_FRAME_BYTES + 1 - len(FRAME)), FrameReason.OVERSIZED),
}


@pytest.mark.parametrize(("frame", "reason"), BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_bent_frame_is_rejected_for_its_own_reason(frame: bytes, reason: Reason) -> None:
    assert find_fault(FRAME) is None
    assert frame != FRAME
    assert find_fault(frame) is reason


@pytest.mark.parametrize("length", range(0, len(FRAME), 7))
def test_a_frame_cut_short_is_malformed(length: int) -> None:
    assert find_fault(FRAME[:length]) is FrameReason.MALFORMED


def test_the_longest_allowed_frame_is_read() -> None:
    spare = MAX_FRAME_BYTES - len(FRAME) - 4
    longest = msgspec.structs.replace(DECLARATION, profile="test" + "x" * spare)
    frame = encode_frame(CHAIN, longest)
    assert len(frame) == MAX_FRAME_BYTES
    assert decode_frame(CHAIN, frame) == longest
    longer = msgspec.structs.replace(longest, profile=longest.profile + "x")
    assert find_fault(encode_frame(CHAIN, longer)) is FrameReason.OVERSIZED


def test_a_block_of_the_longest_allowed_frame_fits_whatever_brings_it() -> None:
    """An answer; and a late block with the words of all witnesses that there can be."""
    codec = Codec(CHAIN, TRAINED_MESSAGES)
    header = TrainedHeader(
        height=2,
        parent=CHAIN,
        slot=3,
        author=CHAIN,
        weights_digest=CHAIN,
        training_secret=CHAIN,
        declarations=(msgspec.structs.replace(DECLARATION, profile="x" * 2**16),),
        body=CHAIN,
    )
    short = TrainedBlock(
        header=header, signatures=(), transactions=(), coinbase=(), author=CHAIN, training_secret=CHAIN
    )
    spare = MAX_FRAME_BYTES - len(encode_frame(CHAIN, short))
    longest = "x" * (2**16 + spare)
    padded = msgspec.structs.replace(DECLARATION, profile=longest)
    block = msgspec.structs.replace(short, header=msgspec.structs.replace(header, declarations=(padded,)))
    assert len(encode_frame(CHAIN, block)) == MAX_FRAME_BYTES
    sightings = tuple(Sighting(witness=bytes([number]) * 32, signature=bytes(64)) for number in range(WITNESSES))
    answer = BlockResponse(blocks=(block,), author=CHAIN)
    for message in (block, answer, LateBlock(block=block, sightings=sightings, author=CHAIN)):
        assert codec.decode_frame(encode_frame(CHAIN, message)) == message
    spare = MAX_FRAME_BYTES + MAX_ENVELOPE_BYTES - len(encode_frame(CHAIN, answer))
    too_long = encode_frame(CHAIN, answer) + bytes(spare + 1)
    for frame, reason in ((too_long[:-1], FrameReason.MALFORMED), (too_long, FrameReason.OVERSIZED)):
        with pytest.raises(DecodeError) as caught:
            codec.decode_frame(frame)
        assert caught.value.reason is reason


def test_a_node_reports_the_reason_of_a_bad_frame_and_keeps_no_mark() -> None:
    scene = Scene()
    frame = encode_frame(scene.chain_id, scene.declaration())
    noise = b"".join(hashlib.sha256(bytes([index])).digest() for index in range(20))
    bad = {
        frame + b"\x00": FrameReason.MALFORMED,
        frame[:-1]: FrameReason.MALFORMED,
        noise: FrameReason.MALFORMED,
        b"": FrameReason.MALFORMED,
        bytes(MAX_FRAME_BYTES + 1): FrameReason.OVERSIZED,
        encode((2, scene.chain_id, scene.declaration())): FrameReason.WRONG_VERSION,
        encode_frame(CHAIN, scene.declaration()): FrameReason.WRONG_CHAIN,
        frame.replace(b"declaration\x01", b"declaration\xcc\x01"): FrameReason.NOT_CANONICAL,
    }
    for data, reason in bad.items():
        (judged,) = scene.deliver(data)
        assert (judged.kind, judged.peer, judged.verdict) == ("frame", "peer", Reject(reason))

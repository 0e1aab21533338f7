"""Ways to bend values and bytes, each a function of the bytes and of the generator that owns the draws."""

from random import Random
from typing import Any, Final

import msgspec

from protocol.types import HASH_BYTES

LEAST: Final = -(2**63)
MOST: Final = 2**64 - 1
"""Numbers that the format can just say."""

NUMBERS: Final = (LEAST, -1, 0, 1, 2, 2**31 - 1, 2**31, 2**62 - 1, 2**62, 2**63 - 1, MOST)
TEXTS: Final = ("", "x", "\x00", "\N{SNOWMAN}" * 9, "y" * 10_000)
STRANGE: Final = (None, True, 1.5, float("nan"), "text", b"", (), ((),), {1: 2})
"""Values of a type that no field has, or of a length that hardly any has."""


def change_number(rng: Random, value: int) -> int:
    """Return a number close by or at the edge of some range."""
    near = min(max(value + rng.choice((-2, -1, 1, 1_000)), LEAST), MOST)
    return rng.choice((near, near, rng.choice(NUMBERS)))


def is_readable(record: msgspec.Struct) -> bool:
    """Return whether every field of a record has a value that its type allows."""
    try:
        msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def draw_value(rng: Random, depth: int) -> object:
    """Return a random value of any type that the format knows."""
    scalars = (rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice(STRANGE), rng.randbytes(rng.choice((0, 32, 64))))
    if depth == 0 or rng.random() < 0.6:
        return rng.choice(scalars)
    values = [draw_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return values if rng.random() < 0.8 else dict(enumerate(values))


def flip_bits(rng: Random, frame: bytes) -> bytes:
    """Return the bytes with one to eight bits turned over."""
    bent = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 8)) if bent else 0):
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
    return bytes(bent)


def cut(rng: Random, frame: bytes) -> bytes:
    """Return the bytes without their end, or without a part of their middle."""
    start = rng.randint(0, len(frame))
    return frame[:start] if rng.random() < 0.5 else frame[:start] + frame[start + rng.randint(1, 40) :]


def put_in(rng: Random, frame: bytes) -> bytes:
    """Return the bytes with a few more somewhere, often at the end."""
    position = rng.choice((len(frame), rng.randint(0, len(frame))))
    return frame[:position] + rng.randbytes(rng.randint(1, 8)) + frame[position:]


def splice(rng: Random, first: bytes, second: bytes) -> bytes:
    """Return the beginning of one frame and the end of another."""
    return first[: rng.randint(0, len(first))] + second[rng.randint(0, len(second)) :]


def change_envelope(rng: Random, frame: bytes) -> bytes:
    """Return a frame whose message is intact and whose version, chain or shape is not."""
    envelope: list[Any] = list(msgspec.msgpack.decode(frame))
    part = rng.randrange(5)
    if part == 0:
        envelope[0] = rng.choice((*NUMBERS, *STRANGE))
    elif part == 1:
        chain_id = bytes(envelope[1])
        envelope[1] = rng.choice((flip_bits(rng, chain_id), chain_id[:-1], bytes(HASH_BYTES), *STRANGE))
    elif part == 2:
        envelope.insert(rng.randint(0, 3), rng.choice(STRANGE))
    elif part == 3:
        del envelope[rng.randrange(3)]
    else:  # the same three values, said with more bytes than needed
        return rng.choice((b"\xdc\x00\x03" + frame[1:], frame[:1] + b"\xcc" + frame[1:], b"\xdd\x00\x00\x00" + frame))
    return msgspec.msgpack.encode(envelope)

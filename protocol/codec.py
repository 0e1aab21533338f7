"""Canonical bytes of every value, and back.

What is hashed, signed and sent is the same MessagePack bytes, written by msgspec with structs as arrays. A frame is
``[wire version, chain id, message]``. A frame that is too long, has trailing bytes or does not re-encode to itself is
refused, so no two frames mean the same message. Only one that brings blocks of others may be longer than a block's
own frame, by what it has besides: else a block could be valid that nobody can be given who has missed it.
"""

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any, Final

import msgspec

from protocol.messages import BlockResponse, LateBlock, Message
from protocol.types import Hash32
from protocol.verdicts import FrameReason

WIRE_VERSION: Final = 1
"""Raised whenever the bytes of a message, or their meaning, change."""

MAX_FRAME_BYTES: Final = 1 << 20
"""A longer frame is refused before it is read: 1 MiB has room for the largest block the rules allow."""

MAX_ENVELOPE_BYTES: Final = 2_048
"""How much longer a frame may be that brings blocks: it has room for an answer's author and signature, and for the
words of all witnesses of a late block."""


class DecodeError(ValueError):
    """The bytes are not a message of this chain; ``reason`` says what is wrong with them."""

    def __init__(self, reason: FrameReason) -> None:
        """Keep the reason a receiver reports."""
        super().__init__(reason.value)
        self.reason = reason


class _Frame(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The outermost array of a frame, with the message still undecoded."""

    version: int
    chain_id: bytes
    body: msgspec.Raw


_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises on bytes that are no message; text that is not UTF-8 has an error of its own."""

_encoder = msgspec.msgpack.Encoder()
_frame_decoder = msgspec.msgpack.Decoder(_Frame)


def encode(value: object) -> bytes:
    """Return the canonical bytes of a struct, tuple, integer, string or byte string."""
    return _encoder.encode(value)


def encode_frame(chain_id: Hash32, message: Message) -> bytes:
    """Return the bytes that travel over a link."""
    return encode((WIRE_VERSION, chain_id, message))


def _find_opening(chain_id: Hash32, kind: type[Message]) -> bytes:
    """Return the bytes that every frame with a type of message begins with: all up to its tag."""
    config, fields = kind.__struct_config__, kind.__struct_fields__
    return b"\x93" + encode(WIRE_VERSION) + encode(chain_id) + bytes([0x91 + len(fields)]) + encode(config.tag)


class Codec:
    """Reads the frames of one chain: which messages there are is for its mechanism to say."""

    def __init__(self, chain_id: Hash32, messages: Iterable[Any]) -> None:
        """Take the chain's name and the types of its messages, which have different tags."""
        self._chain_id: Final = chain_id
        self._decoder: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(reduce(operator.or_, messages))
        self._openings: Final = tuple(_find_opening(chain_id, kind) for kind in (BlockResponse, LateBlock))
        """First bytes of frames that bring blocks."""

    def is_oversized(self, frame: bytes) -> bool:
        """Return whether a frame is too long to be read."""
        if len(frame) <= MAX_FRAME_BYTES:
            return False
        return len(frame) > MAX_FRAME_BYTES + MAX_ENVELOPE_BYTES or not frame.startswith(self._openings)

    def decode_frame(self, frame: bytes) -> Message:
        """Return the message in a frame.

        Raises:
            DecodeError: The frame is oversized, malformed, of another version or chain, or not canonical.
        """
        if self.is_oversized(frame):
            raise DecodeError(FrameReason.OVERSIZED)
        try:
            envelope = _frame_decoder.decode(frame)
        except _UNREADABLE:
            raise DecodeError(FrameReason.MALFORMED) from None
        if envelope.version != WIRE_VERSION:
            raise DecodeError(FrameReason.WRONG_VERSION)
        if envelope.chain_id != self._chain_id:
            raise DecodeError(FrameReason.WRONG_CHAIN)
        try:
            message = self._decoder.decode(envelope.body)
        except _UNREADABLE:
            raise DecodeError(FrameReason.MALFORMED) from None
        if encode_frame(self._chain_id, message) != frame:
            raise DecodeError(FrameReason.NOT_CANONICAL)
        return message

"""Rules that work out equal judgements once, however many participants of one process ask.

Every answer is a pure function of the message, its parent, the judge's own work and the genesis, so remembering it
changes no decision; a slot that is still to come is the only thing that depends on the time, and is never remembered.
Nothing is forgotten: this is for runs, which end.
"""

from collections.abc import Callable, Hashable
from typing import Any

from protocol.codec import DecodeError
from protocol.crypto import verify
from protocol.events import ChainRecord
from protocol.mechanism import Context, Mechanism, MessageT, ResultT
from protocol.messages import AnyBlock, Message
from protocol.rules import Rules
from protocol.types import AccountId, Hash32, Signature
from protocol.verdicts import Verdict

_Key = tuple[int, Hash32, object]
"""All that a judgement of a message depends on, but for slots that are still to come."""


class CachingRules(Rules):
    """Rules that remember.

    The identity of a message serves as a key: `hash_message`, which every judgement begins with, keeps each message it
    has seen alive, so no other object can take its identity.
    """

    def __init__(self, mechanism: Mechanism) -> None:
        """Start with nothing remembered."""
        super().__init__(mechanism)
        self._messages: dict[bytes, Message | DecodeError] = {}
        self._encoded: dict[int, bytes] = {}
        self._frame_hashes: dict[bytes, Hash32] = {}
        self._hashes: dict[int, tuple[Message, Hash32]] = {}
        self._signed: dict[int, bool] = {}
        self._verified: dict[tuple[AccountId, Hash32, Signature], bool] = {}
        self._verdicts: dict[_Key, Verdict] = {}
        self._records: dict[int, ChainRecord] = {}
        self._recalled: dict[Hashable, Any] = {}

    def decode(self, frame: bytes) -> Message:
        """Return the message in a frame; equal frames give the same object."""
        found = self._messages.get(frame)
        if found is None:
            try:
                found = super().decode(frame)
            except DecodeError as error:
                found = error
            self._messages[frame] = found
        if isinstance(found, DecodeError):
            raise DecodeError(found.reason)  # a fresh one: a raised error keeps every frame it went through
        return found

    def encode(self, message: Message) -> bytes:
        """Return a message's canonical bytes."""
        found = self._encoded.get(id(message))
        if found is None:
            self.hash_message(message)
            found = self._encoded[id(message)] = super().encode(message)
        return found

    def hash_frame(self, frame: bytes) -> Hash32:
        """Return what a frame is recognised by."""
        found = self._frame_hashes.get(frame)
        if found is None:
            found = self._frame_hashes[frame] = super().hash_frame(frame)
        return found

    def hash_message(self, message: Message) -> Hash32:
        """Return a message's content hash."""
        found = self._hashes.get(id(message))
        if found is None:
            found = self._hashes[id(message)] = (message, super().hash_message(message))
        return found[1]

    def is_signed(self, message: Message) -> bool:
        """Return whether a message carries its author's own signature."""
        found = self._signed.get(id(message))
        if found is None:
            self.hash_message(message)
            found = self._signed[id(message)] = super().is_signed(message)
        return found

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right."""
        key = (public_key, digest, signature)
        found = self._verified.get(key)
        if found is None:
            found = self._verified[key] = verify(public_key, digest, signature)
        return found

    def judge_once(
        self, judge: Callable[[Context[Any], MessageT], Verdict], context: Context[Any], message: MessageT
    ) -> Verdict:
        """Return what a judge says of a message; a message has one judge."""
        if getattr(message, "slot", 0) > context.slot:
            return judge(context, message)
        key = (id(message), context.parent.hash, context.own)
        found = self._verdicts.get(key)
        if found is None:
            self.hash_message(message)
            found = self._verdicts[key] = judge(context, message)
        return found

    def recall(self, key: Hashable, compute: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Return ``compute(*arguments)``, worked out once for a key."""
        found: ResultT | None = self._recalled.get(key)
        if found is None:
            found = self._recalled[key] = compute(*arguments)
        return found

    def build_record(self, parent: ChainRecord, block: AnyBlock) -> ChainRecord:
        """Return the record of a judged block; all participants share it."""
        found = self._records.get(id(block))
        if found is None:
            self.hash_message(block)
            found = self._records[id(block)] = super().build_record(parent, block)
        return found

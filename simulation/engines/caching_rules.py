"""One memory of judgements for all participants of a process.

Every answer here is a pure function of its arguments and the genesis, so remembering it changes no decision: a thousand
honest nodes that judge the same header against the same training get the same verdict, which is worked out once.
"""

from protocol.codec import DecodeError
from protocol.job import Genesis
from protocol.messages import BlockHeader, Message, TrainingDeclaration, WrappedBlock
from protocol.types import AccountId, Hash32, Signature
from protocol.validation import OwnTraining, Place, PoTRecord, Rules
from protocol.verdicts import Verdict

_Key = tuple[int, Hash32, OwnTraining | None, bool | None]
"""All that a judgement of a message depends on, but for slots that are still to come."""


class SharedRules(Rules):
    """Rules that remember.

    The identity of a message serves as a key: `hash_message`, which every judgement begins with, keeps each message it
    has seen alive, so no other object can take its identity.
    """

    def __init__(self, genesis: Genesis) -> None:
        """Start with nothing remembered."""
        super().__init__(genesis)
        self._messages: dict[bytes, Message | DecodeError] = {}
        self._encoded: dict[int, bytes] = {}
        self._frame_hashes: dict[bytes, Hash32] = {}
        self._hashes: dict[int, tuple[Message, Hash32]] = {}
        self._signed: dict[int, bool] = {}
        self._verified: dict[tuple[AccountId, Hash32, Signature], bool] = {}
        self._secrets: dict[tuple[Hash32, bytes], Hash32] = {}
        self._stakeholders: dict[Hash32, tuple[AccountId, ...]] = {}
        self._verdicts: dict[_Key, Verdict] = {}
        self._records: dict[int, PoTRecord] = {}

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
            found = self._signed[id(message)] = super().is_signed(message)
        return found

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right."""
        key = (public_key, digest, signature)
        found = self._verified.get(key)
        if found is None:
            found = self._verified[key] = super().verify(public_key, digest, signature)
        return found

    def compute_secret(self, height: int, parent: Hash32, losses: bytes) -> Hash32:
        """Return the training secret on a parent."""
        key = (parent, losses)
        found = self._secrets.get(key)
        if found is None:
            found = self._secrets[key] = super().compute_secret(height, parent, losses)
        return found

    def draw_stakeholders(self, parent: PoTRecord, header: BlockHeader) -> tuple[AccountId, ...]:
        """Return the K stakeholders of a header."""
        key = self.hash_message(header)
        found = self._stakeholders.get(key)
        if found is None:
            found = self._stakeholders[key] = super().draw_stakeholders(parent, header)
        return found

    def judge_declaration(self, place: Place, declaration: TrainingDeclaration) -> Verdict:
        """Judge a declaration by itself."""
        if declaration.slot > place.slot:
            return super().judge_declaration(place, declaration)
        key = self._make_key(place, declaration)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = super().judge_declaration(place, declaration)
        return found

    def judge_header(self, place: Place, header: BlockHeader) -> Verdict:
        """Judge a header."""
        if header.slot > place.slot:
            return super().judge_header(place, header)
        key = self._make_key(place, header)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = super().judge_header(place, header)
        return found

    def judge_block(self, place: Place, block: WrappedBlock) -> Verdict:
        """Judge a whole block."""
        if block.header.slot > place.slot:
            return super().judge_block(place, block)
        key = self._make_key(place, block)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = super().judge_block(place, block)
        return found

    def build_record(self, parent: PoTRecord, block: WrappedBlock) -> PoTRecord:
        """Return the record of a judged block; all participants share it."""
        found = self._records.get(id(block))
        if found is None:
            self.hash_message(block)
            found = self._records[id(block)] = super().build_record(parent, block)
        return found

    def _make_key(self, place: Place, message: Message) -> _Key:
        return id(message), place.parent.hash, place.own, place.is_near

"""Rules that work out equal judgements once, however many participants of one process ask.

Every answer is a pure function of the message, its parent, the judge's own work and the genesis, so remembering it
changes no decision; a slot that is still to come is the only thing that depends on the time, and is never remembered.
Nothing is forgotten: this is for runs, which end.

What is worked out once is counted for everybody who asks: how many signatures each would have checked by itself, who
checks none again that it has found right. For that the rules are told who asks.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic

from protocol.codec import DecodeError
from protocol.crypto import verify
from protocol.events import ChainRecord
from protocol.mechanism import Context, Mechanism, MessageT, ResultT
from protocol.messages import NEIGHBOURLY, AnyBlock, Message
from protocol.rules import Rules
from protocol.types import AccountId, Hash32, Signature
from protocol.verdicts import Verdict

_Looked = list[bytearray | None]
"""Who has checked each of some right signatures; None for a wrong one, which everybody checks each time."""


@dataclass(slots=True)
class Answer(Generic[ResultT]):
    """What was worked out once, and the signatures that were looked at for it."""

    result: ResultT
    looked: _Looked
    pending: _Looked
    """Those that some node has not checked yet; the rest is never looked at again, except for a light client."""
    asked: int = 0
    """How often a node has asked for it again."""


NOBODY: Final[frozenset[int]] = frozenset()

_Key = tuple[int, Hash32, object]
"""All that a judgement of a message depends on, but for slots that are still to come."""


class CachingRules(Rules):
    """Rules that remember.

    The identity of a message serves as a key: `hash_message`, which every judgement begins with, keeps each message it
    has seen alive, so no other object can take its identity.
    """

    def __init__(self, mechanism: Mechanism, nodes: int = 0) -> None:
        """Start with nothing remembered.

        Args:
            mechanism: Knows what all parties agreed on.
            nodes: How many nodes may ask, besides a light client.
        """
        super().__init__(mechanism)
        self.asker = 0
        """Who asks: the place of a node, or behind them that of a light client."""
        self._nodes = nodes
        self.checked = [0] * (nodes + 1)
        """Signatures that each of them would have checked by itself."""
        self._messages: dict[bytes, Message | DecodeError] = {}
        self._encoded: dict[int, bytes] = {}
        self._frame_hashes: dict[bytes, Hash32] = {}
        self._hashes: dict[int, tuple[Message, Hash32]] = {}
        self._checkers: dict[tuple[AccountId, Hash32, Signature], bytearray] = {}
        """By each right signature, whether each party has checked it."""
        self._wrong: set[tuple[AccountId, Hash32, Signature]] = set()
        self._signed: dict[int, bytearray] = {}
        """The same by message, of those that are for everybody."""
        self._signed_between: dict[int, set[int] | frozenset[int]] = {}
        """By message between neighbours, who has checked it; `NOBODY` of one that is not right."""
        self._verdicts: dict[_Key, Answer[Verdict]] = {}
        self._looked: _Looked | None = None
        """The signatures looked at for the answer that is being worked out; None where there is none."""
        self._records: dict[int, ChainRecord] = {}
        self._recalled: dict[Hashable, Answer[Any]] = {}

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
        checkers = self._signed.get(id(message))
        if checkers is None:
            return self._is_signed(message)
        if self._looked is not None:
            self._looked.append(checkers)
        asker = self.asker
        if not checkers[asker]:
            checkers[asker] = 1
            self.checked[asker] += 1
        return True

    def _is_signed(self, message: Message) -> bool:
        """Answer for the first who asks, and for all who ask about a message between neighbours or a wrong one."""
        self.hash_message(message)
        if type(message) not in NEIGHBOURLY:
            key = self.find_signature(message)
            is_right = self.verify(*key)
            if is_right:
                self._signed[id(message)] = self._checkers[key]
            return is_right
        few = self._signed_between.get(id(message))
        if few is None:
            is_right = verify(*self.find_signature(message))
            few = self._signed_between[id(message)] = set() if is_right else NOBODY
        if self.asker not in few:
            self.checked[self.asker] += 1
        if isinstance(few, frozenset):
            return False
        few.add(self.asker)
        return True

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right."""
        key = (public_key, digest, signature)
        checkers, asker = self._checkers.get(key), self.asker
        if checkers is None:
            self.checked[asker] += 1
            if key not in self._wrong and verify(public_key, digest, signature):
                checkers = self._checkers[key] = bytearray(len(self.checked))
                checkers[asker] = 1
            else:
                self._wrong.add(key)
        elif not checkers[asker]:
            checkers[asker] = 1
            self.checked[asker] += 1
        if self._looked is not None:
            self._looked.append(checkers)
        return checkers is not None

    def judge_once(
        self, judge: Callable[[Context[Any], MessageT], Verdict], context: Context[Any], message: MessageT
    ) -> Verdict:
        """Return what a judge says of a message; a message has one judge."""
        if getattr(message, "slot", 0) > context.slot:
            return judge(context, message)
        key = (id(message), context.parent.hash, context.own)
        answer = self._verdicts.get(key)
        if answer is None:
            self.hash_message(message)
            answer = self._verdicts[key] = self._work_out(judge, context, message)
        elif answer.looked:
            self._check(answer)
        return answer.result

    def recall(self, key: Hashable, compute: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Return ``compute(*arguments)``, worked out once for a key."""
        answer: Answer[ResultT] | None = self._recalled.get(key)
        if answer is None:
            answer = self._recalled[key] = self._work_out(compute, *arguments)
        elif answer.looked:
            self._check(answer)
        return answer.result

    def _work_out(self, compute: Callable[..., ResultT], *arguments: Any) -> Answer[ResultT]:
        """Return ``compute(*arguments)``, and the signatures that were looked at for it."""
        outer, looked = self._looked, _Looked()
        self._looked = looked
        result = compute(*arguments)
        self._looked = outer
        if outer is not None:
            outer.extend(looked)
        return Answer(result, looked, looked)

    def _check(self, answer: Answer[Any]) -> None:
        """Count the signatures of an answer for who asks for it."""
        asker, nodes, pending = self.asker, self._nodes, answer.looked
        if asker < nodes:
            pending = answer.pending
            answer.asked += 1
            if pending and not answer.asked & (answer.asked - 1):  # now and then
                pending = answer.pending = [
                    checkers for checkers in pending if checkers is None or checkers.find(0, 0, nodes) >= 0
                ]
        for checkers in pending:
            if checkers is None:
                self.checked[asker] += 1
            elif not checkers[asker]:
                checkers[asker] = 1
                self.checked[asker] += 1
        if self._looked is not None:
            self._looked.extend(answer.looked)

    def build_record(self, parent: ChainRecord, block: AnyBlock) -> ChainRecord:
        """Return the record of a judged block; all participants share it."""
        found = self._records.get(id(block))
        if found is None:
            self.hash_message(block)
            found = self._records[id(block)] = super().build_record(parent, block)
        return found

"""Asking neighbours for blocks, and serving them: what one participant remembers of it.

Asking costs next to nothing and an answer may be a megabyte, so each neighbour, whoever it is, gets one answer's worth
of blocks between two announcements, and each block once.
"""

import operator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from protocol.chain import BlockTree
from protocol.codec import MAX_FRAME_BYTES
from protocol.crypto import KeyPair
from protocol.events import Send
from protocol.inbox import Delivery
from protocol.ledger import LedgerState
from protocol.messages import AnyBlock, BlockRequest, BlockResponse
from protocol.rules import Rules
from protocol.turn import SELF, Turn
from protocol.types import Hash32, PeerId
from protocol.verdicts import ACCEPT, ChainReason, FrameReason, Ignore, Reject, Verdict

MAX_BLOCKS_PER_RESPONSE: Final = 32
"""Blocks served for one request at most."""

MAX_LOCATOR: Final = 64
"""Hashes a request may carry; enough for a chain of 2**54 blocks."""

MAX_SERVED_BYTES: Final = MAX_FRAME_BYTES
"""Bytes of blocks that a neighbour is given between two announcements: room for any block that fits a frame of its own,
since an answer may be longer than that (`protocol.codec`)."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a neighbour has been given since the last announcement."""

    last: Hash32
    """The last block it got; empty if there was none."""
    room: int
    """Bytes of blocks that it may still get; less than 0 once the next block did not fit."""


class Missing:
    """Blocks that a neighbour lacks, and how many bytes of them it may have; the same blocks are the same objects."""

    __slots__ = ("blocks", "room")

    def __init__(self, blocks: tuple[AnyBlock, ...], room: int) -> None:
        """Take them, lowest first."""
        self.blocks = blocks
        self.room = room

    def is_same(self, other: "Missing") -> bool:
        """Return whether the same answer is right."""
        is_long = len(self.blocks) == len(other.blocks)
        return self.room == other.room and is_long and all(map(operator.is_, self.blocks, other.blocks))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed answer, which was dear to make."""

    to: Missing
    answer: BlockResponse[Any]
    after: Serving
    """What whoever gets it has been given."""


class CatchUp:
    """Whom a participant has asked for blocks, who owes it an answer, and who has had one."""

    def __init__(self, rules: Rules, keys: KeyPair) -> None:
        """Start with nobody asked and nobody served."""
        self._rules = rules
        self._keys = keys
        self._asked: set[PeerId] = set()
        """Neighbours asked since the last announcement."""
        self._owing: set[PeerId] = set()
        """Neighbours that have yet to answer, however long ago they were asked."""
        self._unfinished: dict[Hash32, PeerId] = {}
        """Last blocks of answers that were full, and who has more."""
        self._served: dict[PeerId, Serving] = {}
        """Neighbours answered since the last announcement."""
        self._prepared: Prepared | None = None
        """The last answer: many neighbours ask for the same."""

    def start_period(self) -> None:
        """Let every neighbour be asked, and ask, once more."""
        self._asked.clear()
        self._unfinished.clear()
        self._served.clear()

    # ---- asking ----

    def ask(
        self, turn: Turn, peer: PeerId, tree: BlockTree[AnyBlock, LedgerState], *, after: Hash32 | None = None
    ) -> None:
        """Ask a neighbour once between two announcements, and again when a full answer is used up.

        Args:
            turn: The call it is part of.
            peer: The neighbour.
            tree: The blocks that the party knows.
            after: Last block of a full answer, which may lie on a branch that is not the head's yet.
        """
        if peer == SELF or (peer in self._asked and after is None):
            return
        self._asked.add(peer)
        self._owing.add(peer)
        request = BlockRequest(locator=tree.get_locator(after), author=self._keys.public)
        turn.add(Send(peer, self._keys.sign(self._rules.chain_id, request)))

    def judge_response(self, peer: PeerId, response: BlockResponse[Any]) -> Verdict:
        """Judge an answer, but not the blocks in it: each must be built on the one before it, as in a chain."""
        if len(response.blocks) > MAX_BLOCKS_PER_RESPONSE:
            return Reject(FrameReason.OVERSIZED)
        if any(after.parent != self._rules.hash_message(block) for block, after in pairwise(response.blocks)):
            return Reject(ChainReason.NOT_CONSECUTIVE)
        return ACCEPT if peer in self._owing else Ignore(ChainReason.UNREQUESTED)

    def unpack(self, turn: Turn, peer: PeerId, response: BlockResponse[Any]) -> None:
        """Let the blocks of an accepted answer be judged in this turn, each as a message of its own."""
        self._owing.remove(peer)
        for block in response.blocks:
            packed = self._rules.encode(block)
            turn.pending.append(Delivery(peer, block, b"", self._rules.hash_frame(packed), len(packed)))
        if len(response.blocks) == MAX_BLOCKS_PER_RESPONSE:
            self._unfinished[self._rules.hash_message(response.blocks[-1])] = peer

    def go_on(self, turn: Turn, block: Hash32, tree: BlockTree[AnyBlock, LedgerState]) -> None:
        """Ask on where the block that was appended was the last of a full answer."""
        peer = self._unfinished.pop(block, None)
        if peer is not None:
            self.ask(turn, peer, tree, after=block)

    # ---- serving ----

    def is_due(self, peer: PeerId, request: BlockRequest) -> bool:
        """Return whether a neighbour may have an answer now: its first one, or the next part of it.

        This is asked before the signature is looked at, so that a request that is sent again costs nothing.
        """
        served = self._served.get(peer)
        return served is None or (served.room > 0 and request.locator[:1] == (served.last,))

    def judge_request(self, request: BlockRequest) -> Verdict:
        """Judge a neighbour's question."""
        return Reject(FrameReason.OVERSIZED) if len(request.locator) > MAX_LOCATOR else ACCEPT

    def serve(self, turn: Turn, peer: PeerId, request: BlockRequest, tree: BlockTree[AnyBlock, LedgerState]) -> None:
        """Send as many blocks after the last common one as the neighbour may have."""
        before = self._served.get(peer)
        room = before.room if before is not None else MAX_SERVED_BYTES
        found = Missing(tree.get_blocks_after(request.locator, MAX_BLOCKS_PER_RESPONSE), room)
        if self._prepared is None or not self._prepared.to.is_same(found):
            self._prepared = self._prepare(found)
        self._served[peer] = self._prepared.after
        turn.add(Send(peer, self._prepared.answer))

    def _prepare(self, found: Missing) -> Prepared:
        room, fitting = found.room, list[AnyBlock]()
        for block in found.blocks:
            room -= len(self._rules.encode(block))
            if room < 0:
                break
            fitting.append(block)
        answer: BlockResponse[Any] = BlockResponse(blocks=tuple(fitting), author=self._keys.public)
        last = self._rules.hash_message(fitting[-1]) if fitting else b""
        return Prepared(found, self._keys.sign(self._rules.chain_id, answer), Serving(last, room))

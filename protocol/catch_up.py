"""Asking neighbours for blocks, and serving them: what one participant remembers of it."""

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

ENVELOPE_BYTES: Final = 1_024
"""Room in a frame for all of a response but its blocks."""


class CatchUp:
    """Whom a participant has asked for blocks, and who owes it an answer."""

    def __init__(self, rules: Rules, keys: KeyPair) -> None:
        """Start with nobody asked."""
        self._rules = rules
        self._keys = keys
        self._asked: set[PeerId] = set()
        """Neighbours asked since the last announcement."""
        self._owing: set[PeerId] = set()
        """Neighbours that have yet to answer, however long ago they were asked."""
        self._unfinished: dict[Hash32, PeerId] = {}
        """Last blocks of answers that were full, and who has more."""

    def forget_asked(self) -> None:
        """Let every neighbour be asked once more."""
        self._asked.clear()
        self._unfinished.clear()

    # ---- asking ----

    def ask(self, turn: Turn, peer: PeerId, tree: BlockTree[AnyBlock, LedgerState], *, is_again: bool = False) -> None:
        """Ask a neighbour once between two announcements, and again when a full answer is used up."""
        if peer == SELF or (peer in self._asked and not is_again):
            return
        self._asked.add(peer)
        self._owing.add(peer)
        request = BlockRequest(locator=tree.get_locator(), author=self._keys.public)
        turn.add(Send(peer, self._keys.sign(self._rules.chain_id, request)))

    def judge_response(self, peer: PeerId, response: BlockResponse[Any]) -> Verdict:
        """Judge an answer, but not the blocks in it."""
        if len(response.blocks) > MAX_BLOCKS_PER_RESPONSE:
            return Reject(FrameReason.OVERSIZED)
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
            self.ask(turn, peer, tree, is_again=True)

    # ---- serving ----

    def judge_request(self, request: BlockRequest) -> Verdict:
        """Judge a neighbour's question."""
        return Reject(FrameReason.OVERSIZED) if len(request.locator) > MAX_LOCATOR else ACCEPT

    def serve(self, turn: Turn, peer: PeerId, request: BlockRequest, tree: BlockTree[AnyBlock, LedgerState]) -> None:
        """Send as many blocks after the last common one as fit into a frame."""
        blocks = tree.get_blocks_after(request.locator, MAX_BLOCKS_PER_RESPONSE)
        room = MAX_FRAME_BYTES - ENVELOPE_BYTES
        fitting = 0
        for block in blocks:
            room -= len(self._rules.encode(block))
            if room < 0:
                break
            fitting += 1
        response = BlockResponse(blocks=blocks[:fitting], author=self._keys.public)
        turn.add(Send(peer, self._keys.sign(self._rules.chain_id, response)))

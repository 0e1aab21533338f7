"""Passing on what others may lack: all must know the same rivals to choose the same head.

Who makes a block may show it to some alone; where all are neighbours, nobody else would tell the others.
"""

from typing import Final

from protocol.chain import BlockTree, HeadChange
from protocol.codec import encode_frame
from protocol.events import Broadcast, ChainRecord, Relay, Send
from protocol.ledger import LedgerState
from protocol.mechanism import Proposer
from protocol.messages import AnyBlock
from protocol.rules import Rules
from protocol.settling import Settling
from protocol.turn import SELF, RecentSet, Turn
from protocol.types import Hash32, PeerId

TIMES_PASSED_ON: Final = 3
"""How often rivals are passed on, once at each look at one's own head: a frame may be lost."""

Tree = BlockTree[AnyBlock, LedgerState]


class Rivals:
    """What one party passes on of blocks that compete with its head, and to whom."""

    def __init__(self, rules: Rules, settling: Settling | None) -> None:
        """Begin with nothing to pass on.

        Args:
            rules: The chain's rules.
            settling: What the party knows of witnesses' words; None where nothing settles.
        """
        self._rules = rules
        self._settling = settling
        self._times_left: dict[Hash32, int] = {}
        """Blocks that others may lack, and how often they are still to be passed on."""
        self._argued: set[PeerId] = set()
        """Neighbours that have been shown, since the last look, why this party has its head."""
        self._forwarded: RecentSet[bytes] = RecentSet()
        """What came too late for this party and was passed on all the same."""

    def note(
        self,
        turn: Turn,
        tree: Tree,
        source: PeerId,
        record: ChainRecord,
        change: HeadChange[AnyBlock, LedgerState] | None,
        *,
        was_whole: bool,
        is_passed_on: bool,
    ) -> None:
        """Pass on what does more than extend the head.

        Args:
            turn: The call it is part of.
            tree: The blocks that the party knows.
            source: Who sent the block.
            record: A block that has been stored.
            change: How the head moved.
            was_whole: Whether the head was a last block before.
            is_passed_on: Whether its frame is passed on anyway.
        """
        versions = tree.get_versions(record.right)
        if was_whole and change is not None:
            rivals = tree.get_competitors()
        elif len(versions) > 1:
            rivals = versions[:2] if record in versions[:2] else ()
        elif change is None or change.abandoned:
            if not is_passed_on:
                self._tell(turn, record, source)
            return
        else:
            return
        for rival in rivals:
            self.tell_all(turn, rival, source)

    def tell_all(self, turn: Turn, record: ChainRecord, source: PeerId = SELF) -> None:
        """Pass on a block now, to all but whoever sent it, and at the next looks."""
        self._times_left[record.hash] = TIMES_PASSED_ON - 1
        self._tell(turn, record, source)

    def look(self, turn: Turn, tree: Tree) -> None:
        """Pass on once more what may have been lost, and have an ear for neighbours again."""
        self._argued.clear()
        for block_hash in list(self._times_left):
            self._tell(turn, tree.require(block_hash), SELF)
            self._times_left[block_hash] -= 1
            if not self._times_left[block_hash]:
                del self._times_left[block_hash]

    def argue(self, turn: Turn, tree: Tree, peer: PeerId, proposer: Proposer | None) -> None:
        """Show a neighbour why it should have this head in place of its own of that height, once between two looks.

        In the middle of a job that is who has declared on it, of a last block its witnesses.
        """
        if proposer is None or peer in self._argued:
            return
        self._argued.add(peer)
        if tree.is_backed(tree.head.hash):
            proposer.argue(turn, peer)
        if tree.is_whole and self._settling is not None:
            for block in [record.block for record in tree.get_competitors() if record.block is not None]:
                late = self._settling.tell(block)
                turn.add(Send(peer, block if late is None else late))

    # ---- what comes too late here ----

    def name_forwarded(self, tree: Tree, block: AnyBlock, frame_hash: Hash32, slot: int) -> bytes | None:
        """Return what a late block is remembered by; None if it has been passed on, or is too late for all."""
        if self._settling is None or not self._settling.is_for_witnesses(tree, block, slot):
            return None
        late = self._settling.tell(block)
        name = frame_hash if late is None else b"".join(item.witness for item in late.sightings) + frame_hash
        return None if name in self._forwarded else name

    def forward(self, turn: Turn, block: AnyBlock, name: bytes, source: PeerId) -> None:
        """Pass on a valid block that may be in time for a witness behind this party."""
        self._forwarded.remember(name)
        self._send_on(turn, block, source)

    def _tell(self, turn: Turn, record: ChainRecord, source: PeerId) -> None:
        if record.block is not None:
            self._send_on(turn, record.block, source)

    def _send_on(self, turn: Turn, block: AnyBlock, source: PeerId) -> None:
        late = self._settling.tell(block) if self._settling is not None else None
        if late is not None:
            turn.add(Broadcast(late))
        else:
            turn.add(Relay(encode_frame(self._rules.chain_id, block), source))

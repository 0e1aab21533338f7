"""What a node and a light client have in common: receiving, judging blocks, following the heaviest chain, catching up.

A participant decides; it never sends, sleeps, trains, logs or reads a clock. `handle` takes an event and the time and
returns what should happen.
"""

from collections.abc import Collection
from typing import Final, TypeVar

from protocol.chain import BlockTree, HeadChange
from protocol.codec import MAX_FRAME_BYTES, DecodeError, encode, encode_frame
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    Command,
    Event,
    Judged,
    MessageReceived,
    Relay,
    Send,
    SetTimer,
    Started,
    Timer,
    TimerFired,
    TimerKind,
    TrainingFinished,
    WeightsCompared,
)
from protocol.inbox import Delivery, Inbox
from protocol.ledger import LedgerState
from protocol.lottery import compute_slot, compute_slot_start
from protocol.messages import BlockRequest, BlockResponse, HeadAnnouncement, Message, WrappedBlock
from protocol.types import AccountId, Hash32, Nanoseconds, PeerId
from protocol.validation import OwnTraining, Place, PoTRecord, Rules, judge_height
from protocol.verdicts import ACCEPT, Ignore, Missing, Reason, Reject, Verdict, Wait

OURSELVES: Final[PeerId] = ""
"""Link name of what a participant sent itself."""

MAX_REMEMBERED: Final = 16_384
"""Frames and refusals remembered at most; older ones are judged again."""

MAX_BLOCKS_PER_RESPONSE: Final = 32
"""Blocks served for one request at most."""

MAX_LOCATOR: Final = 64
"""Hashes a request may carry; enough for a chain of 2**54 blocks."""

ANNOUNCE_EVERY_SLOTS: Final = 20
"""Slots between two looks at one's own head; it is announced if it has not moved in between."""

KeyT = TypeVar("KeyT")


class Memory(dict[KeyT, None]):
    """A set that forgets its oldest member when it is full."""

    def remember(self, key: KeyT) -> None:
        """Add a member."""
        self[key] = None
        if len(self) > MAX_REMEMBERED:
            del self[next(iter(self))]


class Turn:
    """One call of `handle`: the time, the commands so far and the messages still to be judged in it."""

    __slots__ = ("add", "commands", "now", "pending")

    def __init__(self, now: Nanoseconds) -> None:
        """Begin with nothing to do."""
        self.now = now
        self.commands: list[Command] = []
        self.add = self.commands.append
        """Adds a command to the answer."""
        self.pending: list[Delivery] = []


class Participant:
    """A party that follows the chain."""

    is_relaying: bool = False
    """Whether accepted messages are passed on; the driver sets it where the network is not a full mesh."""

    def __init__(self, rules: Rules, keys: KeyPair) -> None:
        """Start at the genesis.

        Args:
            rules: The chain's rules; participants of one process may share them.
            keys: This party's own key.
        """
        self.keys = keys
        self.rules = rules
        self.tree: BlockTree[WrappedBlock, LedgerState] = BlockTree(rules.origin)
        self._inbox = Inbox()
        self._seen: Memory[bytes] = Memory()
        self._refused: Memory[Hash32] = Memory()
        self._asked: set[PeerId] = set()
        """Neighbours asked for blocks since the last announcement."""
        self._owing: set[PeerId] = set()
        """Neighbours that have yet to answer, however long ago they were asked."""
        self._unfinished: dict[Hash32, PeerId] = {}
        """Last blocks of answers that were full, and who has more."""
        self._head_before: Hash32 = rules.origin.hash
        """Head when the announcement timer last rang."""

    # ---- the one entrance ----

    def handle(self, event: Event, now: Nanoseconds) -> list[Command]:
        """Return what should happen because of an event.

        Args:
            event: What happened.
            now: Nanoseconds since the genesis; never less than in an earlier call.
        """
        turn = Turn(now)
        match event:  # the most frequent first
            case MessageReceived():
                self._on_frame(turn, event.peer, event.frame)
            case TimerFired():
                self._on_timer(turn, event.timer)
            case TrainingFinished():
                self._on_training_finished(turn, event)
            case WeightsCompared():
                self._on_weights_compared(turn, event)
            case Started():
                self._on_started(turn)
        if turn.pending:
            self._judge_pending(turn)
        return turn.commands

    def has_seen(self, frame_hash: Hash32) -> bool:
        """Return whether a frame was accepted or rejected before, so that it can be dropped unread."""
        return frame_hash in self._seen

    def snapshot(self) -> bytes:
        """Return everything a refused message must leave unchanged, as bytes."""
        return encode(self._state())

    def _state(self) -> tuple[object, ...]:
        return (self.tree.head.hash, tuple(sorted(record.hash for record in self.tree.get_records())))

    # ---- events ----

    def _on_started(self, turn: Turn) -> None:
        self._set_announcement(turn)

    def _on_timer(self, turn: Turn, timer: Timer) -> None:
        if timer.kind is TimerKind.ANNOUNCE:
            self._asked.clear()
            self._unfinished.clear()
            if self.tree.head.hash == self._head_before:
                self._announce(turn)
            self._head_before = self.tree.head.hash
            self._set_announcement(turn)

    def _on_training_finished(self, turn: Turn, event: TrainingFinished) -> None:
        """Take a training result; a light client never asks for one."""

    def _on_weights_compared(self, turn: Turn, event: WeightsCompared) -> None:
        """Take a distance; a light client never asks for one."""

    def _on_head_changed(self, turn: Turn, change: HeadChange[WrappedBlock, LedgerState]) -> None:
        """Act on a new head."""

    def _announce(self, turn: Turn) -> None:
        """Tell neighbours about the head, so that they notice what they miss."""
        head = self.tree.head
        announcement = HeadAnnouncement(height=head.height, head=head.hash, author=self.keys.public)
        turn.add(Broadcast(self._sign(announcement)))

    def _set_announcement(self, turn: Turn) -> None:
        slot = self._slot(turn) + ANNOUNCE_EVERY_SLOTS
        self._set_timer(turn, Timer(TimerKind.ANNOUNCE, slot))

    # ---- receiving ----

    def _on_frame(self, turn: Turn, peer: PeerId, frame: bytes) -> None:
        if len(frame) > MAX_FRAME_BYTES:
            turn.add(Judged(peer, Reject(Reason.OVERSIZED), "frame"))
            return
        frame_hash = self.rules.hash_frame(frame)
        if frame_hash in self._seen:
            turn.add(Judged(peer, Ignore(Reason.DUPLICATE), "frame"))
            return
        try:
            message = self.rules.decode(frame)
        except DecodeError as error:
            turn.add(Judged(peer, Reject(error.reason), "frame"))
            return
        turn.pending.append(Delivery(peer, message, frame, frame_hash, len(frame)))

    def _judge_pending(self, turn: Turn) -> None:
        for delivery in turn.pending:  # applying one may append more
            verdict = self._judge(turn, delivery)
            if isinstance(verdict, Wait):
                verdict = self._put_aside(turn, delivery, verdict)
            self._report(turn, delivery, verdict)
            if verdict is ACCEPT:
                self._apply(turn, delivery)
                if self.is_relaying and delivery.is_gossip and delivery.peer != OURSELVES:
                    turn.add(Relay(delivery.frame, delivery.peer))
            elif isinstance(verdict, Reject):
                self._remember_refusal(turn, delivery.message, verdict.reason)
            else:
                continue
            if delivery.is_gossip:
                self._seen.remember(delivery.key)

    def _put_aside(self, turn: Turn, delivery: Delivery, wait: Wait) -> Verdict:
        if self._inbox.holds(wait, delivery):
            return Ignore(Reason.DUPLICATE)
        if not self._inbox.has_room(delivery):
            return Ignore(Reason.INBOX_FULL)
        self._inbox.put(wait, delivery)
        if wait.missing is Missing.BLOCK and delivery.frame:
            self._ask_for_blocks(turn, delivery.peer)
        return wait

    def _judge_again(self, turn: Turn, wait: Wait) -> None:
        turn.pending.extend(self._inbox.take(wait))

    def _report(self, turn: Turn, delivery: Delivery, verdict: Verdict) -> None:
        if delivery.peer != OURSELVES:
            message = delivery.message
            height = getattr(message, "height", None)
            header = self.rules.find_header(message)
            block = self._hash(message) if isinstance(message, WrappedBlock) else None
            turn.add(Judged(delivery.peer, verdict, message.kind, height, message.author, header, block))

    # ---- judging: reads only ----

    def _judge(self, turn: Turn, delivery: Delivery) -> Verdict:
        message = delivery.message
        if isinstance(message, WrappedBlock):
            return self._judge_block(turn, message)
        if not self._is_for_me(message):
            return Ignore(Reason.NOT_FOR_ME)
        if not self.rules.is_signed(message):
            return Reject(Reason.BAD_SIGNATURE)
        if isinstance(message, HeadAnnouncement) and message.height < self.tree.head.height:
            return Ignore(Reason.STALE)
        if isinstance(message, BlockResponse):
            if len(message.blocks) > MAX_BLOCKS_PER_RESPONSE:
                return Reject(Reason.OVERSIZED)
            if delivery.peer not in self._owing:
                return Ignore(Reason.UNREQUESTED)
        return ACCEPT

    def _is_for_me(self, message: Message) -> bool:
        """Return whether this kind of party takes such a message at all."""
        return isinstance(message, (WrappedBlock, HeadAnnouncement, BlockResponse))

    def _judge_block(self, turn: Turn, block: WrappedBlock) -> Verdict:
        block_hash = self._hash(block)
        if block_hash in self.tree:
            return Ignore(Reason.DUPLICATE)
        if not self.rules.verify(block.author, block_hash, block.signature):
            return Reject(Reason.BAD_SIGNATURE)
        if block_hash in self._refused:
            return Reject(Reason.REFUSED_BLOCK)
        if not self._is_bonded(block.author):
            return Reject(Reason.NOT_BONDED)
        place = self._find_place(turn, block.height, block.parent, block.header.weights_digest)
        return self.rules.judge_block(place, block) if isinstance(place, Place) else place

    def _find_place(self, turn: Turn, height: int, parent_hash: Hash32, weights_digest: Hash32) -> Place | Verdict:
        """Return what a message on this parent is judged against, or why it cannot be judged."""
        if parent_hash in self._refused:
            return Reject(Reason.REFUSED_PARENT)
        parent = self.tree.get(parent_hash)
        if parent is None:
            return Wait(Missing.BLOCK, parent_hash)
        verdict = judge_height(self.rules, parent, height)
        if verdict is not ACCEPT:
            return verdict
        own = self._find_own_training(parent)
        if isinstance(own, Wait):
            return own
        is_near = self._find_nearness(own, weights_digest)
        return Place(rules=self.rules, parent=parent, now=turn.now, own=own, is_near=is_near)

    def _find_own_training(self, parent: PoTRecord) -> OwnTraining | Wait | None:
        """Return the party's own result on a parent; a light client has none and never will."""
        return None

    def _find_nearness(self, own: OwnTraining | None, weights_digest: Hash32) -> bool | None:
        """Return whether weights lie within the tolerance of the party's own, where that has been found out."""
        return None

    # ---- writing: only after the verdict ----

    def _apply(self, turn: Turn, delivery: Delivery) -> None:
        match delivery.message:
            case WrappedBlock() as block:
                self._append(turn, block)
            case HeadAnnouncement() as announcement:
                if announcement.head not in self.tree and announcement.head not in self._refused:
                    self._ask_for_blocks(turn, delivery.peer)
            case BlockResponse() as response:
                self._owing.remove(delivery.peer)
                turn.pending.extend(self._unpack(delivery.peer, block) for block in response.blocks)
                if len(response.blocks) == MAX_BLOCKS_PER_RESPONSE:
                    self._unfinished[self._hash(response.blocks[-1])] = delivery.peer

    def _unpack(self, peer: PeerId, block: WrappedBlock) -> Delivery:
        """Return a block that came inside a response as a message of its own."""
        packed = self.rules.encode(block)
        return Delivery(peer, block, b"", self.rules.hash_frame(packed), len(packed))

    def _append(self, turn: Turn, block: WrappedBlock) -> None:
        record = self.rules.build_record(self.tree.require(block.parent), block)
        change = self.tree.add(record)
        turn.add(BlockAppended(record, change))
        if change is not None:
            self._on_head_changed(turn, change)
        self._judge_again(turn, Wait(Missing.BLOCK, record.hash))
        peer = self._unfinished.pop(record.hash, None)
        if peer is not None:
            self._ask_for_blocks(turn, peer, is_again=True)

    def _remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Keep in mind a block that can never become valid; its own signature is no part of its hash."""
        if isinstance(message, WrappedBlock) and reason is not Reason.BAD_SIGNATURE:
            block_hash = self._hash(message)
            self._refused.remember(block_hash)
            self._judge_again(turn, Wait(Missing.BLOCK, block_hash))

    # ---- catching up ----

    def _ask_for_blocks(self, turn: Turn, peer: PeerId, *, is_again: bool = False) -> None:
        """Ask a neighbour once between two announcements, and again when a full answer is used up."""
        if peer == OURSELVES or (peer in self._asked and not is_again):
            return
        self._asked.add(peer)
        self._owing.add(peer)
        request = BlockRequest(locator=self.tree.get_locator(), author=self.keys.public)
        turn.add(Send(peer, self._sign(request)))

    def _serve_blocks(self, turn: Turn, peer: PeerId, locator: Collection[Hash32]) -> None:
        blocks = self.tree.get_blocks_after(tuple(locator), MAX_BLOCKS_PER_RESPONSE)
        room = MAX_FRAME_BYTES - 1024
        fitting = 0
        for block in blocks:
            room -= len(encode(block))
            if room < 0:
                break
            fitting += 1
        turn.add(Send(peer, self._sign(BlockResponse(blocks=blocks[:fitting], author=self.keys.public))))

    # ---- small helpers ----

    def _hash(self, message: Message) -> Hash32:
        return self.rules.hash_message(message)

    def _is_bonded(self, account: AccountId) -> bool:
        """Return whether an account may speak at all; bonds are those of the genesis, so any state tells."""
        return self.tree.head.state.stakes.get_stake(account) > 0

    def _slot(self, turn: Turn) -> int:
        return compute_slot(turn.now, self.rules.genesis.parameters.slot_ns)

    def _set_timer(self, turn: Turn, timer: Timer) -> None:
        turn.add(SetTimer(timer, compute_slot_start(timer.slot, self.rules.genesis.parameters.slot_ns)))

    def _sign(self, message: "MessageT") -> "MessageT":
        return self.keys.sign(self.rules.chain_id, message)

    def _publish(self, turn: Turn, message: "MessageT") -> "MessageT":
        """Sign a message, send it to everyone and judge it like anyone else's."""
        signed = self._sign(message)
        turn.add(Broadcast(signed))
        frame = encode_frame(self.rules.chain_id, signed)
        turn.pending.append(Delivery(OURSELVES, signed, frame, self.rules.hash_frame(frame), len(frame)))
        return signed


MessageT = TypeVar("MessageT", bound=Message)

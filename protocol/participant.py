"""What a node and a light client have in common: receiving, judging, following the heaviest branch, catching up.

A participant decides; it never sends, sleeps, works, logs or reads a clock. `handle` takes an event and the time and
returns what should happen. A frame is received, judged, and then applied or its refusal remembered, in the order of
this file. What a node does to earn blocks is its proposer's; a light client has none.
"""

from typing import Any, Final

from protocol.catch_up import CatchUp
from protocol.chain import BlockTree, HeadChange
from protocol.codec import MAX_FRAME_BYTES, DecodeError, encode, encode_frame
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainRecord,
    ChainTimer,
    Command,
    Event,
    HeadMoved,
    Judged,
    MessageReceived,
    Relay,
    RightUsedTwice,
    SetTimer,
    Started,
    Timer,
    TimerFired,
    TimerKind,
    WorkFinished,
)
from protocol.inbox import Delivery, Inbox
from protocol.ledger import LedgerState
from protocol.mechanism import Context, MessageT, Proposer
from protocol.mempool import Mempool
from protocol.messages import (
    BLOCK_KIND,
    AnyBlock,
    BlockRequest,
    BlockResponse,
    HeadAnnouncement,
    LateBlock,
    Message,
    Transaction,
    list_carried,
)
from protocol.rivals import Rivals
from protocol.rules import Rules
from protocol.settling import Settling
from protocol.slots import compute_slot, compute_slot_start
from protocol.turn import SELF, RecentSet, Turn
from protocol.types import Hash32, Nanoseconds, PeerId
from protocol.verdicts import ACCEPT, ChainMissing, ChainReason, FrameReason, Ignore, Reason, Reject, Verdict, Wait

MAX_VERSIONS: Final = 2
"""Blocks of one right taken from whoever sends them: two prove that it was used twice."""

MAX_VERSIONS_NEEDED: Final = 16
"""Blocks of one right taken where others wait for them, because they may have been built on; more only where a block
proves that most stake has, or in answers that were asked for: these have a bound of their own, and who has filled the
places must keep nobody from the branch that others are on."""

UNSETTLED: Final = frozenset({ChainReason.BAD_SIGNATURE, ChainReason.WRONG_BODY})
"""Refusals of a block that say nothing about its hash: another block with that hash may be right, or be needed."""

ANNOUNCE_EVERY_SLOTS: Final = 20
"""Slots between two looks at one's own head; it is announced if it has not moved in between."""

TOO_LATE: Final = Ignore(ChainReason.TOO_LATE)


class Participant:
    """A party that follows the chain."""

    def __init__(self, rules: Rules, keys: KeyPair, *, is_relaying: bool = False) -> None:
        """Start at the genesis.

        Args:
            rules: The chain's rules; participants of one process may share them.
            keys: This party's own key.
            is_relaying: Whether accepted messages are passed on, as they must be where the network is no full mesh.
        """
        self.keys: Final = keys
        self.rules: Final = rules
        self.is_relaying: Final = is_relaying
        self.tree: BlockTree[AnyBlock, LedgerState] = BlockTree(
            rules.origin,
            last_height=rules.chain.length,
            settled_after=rules.chain.settled_after_slots,
            final_depth=rules.mechanism.final_depth,
            keeps_first=rules.mechanism.keeps_first,
        )
        self.proposer: Proposer | None = None
        """What it does to earn blocks; None for a light client, which follows and no more."""
        self.mempool: Mempool | None = None
        """Transfers that wait for a block; None for a light client."""
        self._inbox = Inbox()
        self._catch_up = CatchUp(rules, keys)
        self._turned_away: bytes = b""
        """The last frame there was no room for."""
        self._seen: RecentSet[bytes] = RecentSet()
        self._refused: RecentSet[Hash32] = RecentSet()
        """Hashes of blocks that can never become valid."""
        self._head_before: Hash32 = rules.origin.hash
        """Head when the announcement timer last rang."""
        after = rules.chain.settled_after_slots
        self._settling = Settling(rules, keys, settled_after=after) if after is not None else None
        self._rivals = Rivals(rules, self._settling)

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
                self._receive(turn, event.peer, event.frame)
            case TimerFired():
                self._ring(turn, event.timer)
            case WorkFinished():
                if self.proposer is not None:
                    self.proposer.finish(turn, event.task, event.result)
            case Started():
                self._start(turn)
        if turn.pending:
            self._judge_pending(turn)
        return turn.commands

    def has_seen(self, frame_hash: Hash32) -> bool:
        """Return whether a frame was accepted or rejected before, so that it can be dropped unread."""
        return frame_hash in self._seen

    def has_turned_away(self, frame_hash: Hash32) -> bool:
        """Return whether a frame is the last one that had to wait and found no room: over another link it may."""
        return frame_hash == self._turned_away

    def snapshot(self) -> bytes:
        """Return everything a refused message must leave unchanged, as bytes."""
        blocks = tuple(sorted(record.hash for record in self.tree.get_records()))
        waiting = self.mempool.snapshot() if self.mempool is not None else ()
        collected = self.proposer.snapshot() if self.proposer is not None else ()
        return encode((self.tree.head.hash, blocks, waiting, collected))

    # ---- starting, and looking at one's own head now and then ----

    def _start(self, turn: Turn) -> None:
        self._set_announcement(turn)
        if self.proposer is not None:
            self.proposer.begin(turn)

    def _set_announcement(self, turn: Turn) -> None:
        slot = compute_slot(turn.now, self.rules.chain.slot_ns) + ANNOUNCE_EVERY_SLOTS
        self.set_timer(turn, ChainTimer.ANNOUNCE, slot)

    def _ring(self, turn: Turn, timer: Timer) -> None:
        if timer.kind is not ChainTimer.ANNOUNCE:
            if self.proposer is not None:
                self.proposer.ring(turn, timer)
            return
        self._catch_up.start_period()
        if self.proposer is not None:
            for wait, message in self._inbox.list_waits():
                if wait.missing is not ChainMissing.BLOCK:
                    self.proposer.fetch(turn, wait, message)  # it may be there by now
        if self.tree.head.hash == self._head_before and self.proposer is not None:
            self._announce(turn)
            self.proposer.remind(turn)
        self._head_before = self.tree.head.hash
        self._rivals.look(turn, self.tree)
        self._set_announcement(turn)

    def _announce(self, turn: Turn) -> None:
        """Tell neighbours about the head, so that they notice what they miss."""
        head = self.tree.head
        announcement = HeadAnnouncement(height=head.height, head=head.hash, author=self.keys.public)
        turn.add(Broadcast(self.keys.sign(self.rules.chain_id, announcement)))

    # ---- receiving ----

    def _receive(self, turn: Turn, peer: PeerId, frame: bytes) -> None:
        if self.rules.is_oversized(frame):
            turn.add(Judged(peer, Reject(FrameReason.OVERSIZED), "frame"))
            return
        frame_hash = self.rules.hash_frame(frame)
        if frame_hash in self._seen:
            turn.add(Judged(peer, Ignore(ChainReason.DUPLICATE), "frame"))
            return
        try:
            message = self.rules.decode(frame)
        except DecodeError as error:
            turn.add(Judged(peer, Reject(error.reason), "frame"))
            return
        turn.pending.append(Delivery(peer, message, frame, frame_hash, len(frame)))

    def _judge_pending(self, turn: Turn) -> None:
        for delivery in turn.pending:  # applying one may append more
            verdict = self.judge(turn, delivery)
            if isinstance(verdict, Wait):
                verdict = self._put_aside(turn, delivery, verdict)
            self._report(turn, delivery, verdict)
            if verdict is ACCEPT:
                self._apply(turn, delivery)
                if self.is_relaying and delivery.is_gossip and delivery.peer != SELF:
                    turn.add(Relay(delivery.frame, delivery.peer))
            elif isinstance(verdict, Reject):
                self._remember_refusal(turn, delivery.message, verdict.reason)
            else:
                if self.is_relaying and verdict == TOO_LATE:
                    self._forward(turn, delivery)
                continue
            if delivery.is_gossip:
                self._seen.remember(delivery.key)
        if self.proposer is not None:
            self.proposer.end(turn)

    # ---- judging: reads only ----

    def judge(self, turn: Turn, delivery: Delivery) -> Verdict:
        """Return what this participant thinks of a message."""
        message = delivery.message
        if isinstance(message, self.rules.mechanism.block):
            return self._judge_block(turn, message, is_gossip=delivery.is_gossip)
        if self.proposer is None and not isinstance(message, HeadAnnouncement | BlockResponse | LateBlock):
            return Ignore(ChainReason.NOT_FOR_ME)
        if isinstance(message, BlockRequest) and not self._catch_up.is_due(delivery.peer, message):
            return Ignore(ChainReason.TOO_OFTEN)  # before its signature is looked at
        if isinstance(message, Transaction):
            verdict = self.rules.judge_stamp(message)  # costs less than its signature
            if verdict is not ACCEPT:
                return verdict
        verdict = self._judge_sender(delivery)
        if verdict is not ACCEPT:
            return verdict
        match message:
            case HeadAnnouncement():
                return Ignore(ChainReason.STALE) if self._is_stale(message) else ACCEPT
            case BlockResponse():
                return self._catch_up.judge_response(delivery.peer, message)
            case BlockRequest():
                return self._catch_up.judge_request(message)
            case LateBlock() if self._settling is not None:
                return self._settling.judge(self.tree, message, compute_slot(turn.now, self.rules.chain.slot_ns))
            case Transaction() if self.mempool is not None:
                return self.mempool.judge(self.tree.head.state, message)
        if not self.rules.mechanism.may_speak(self.tree.head.state, message.author):
            return Reject(ChainReason.NOT_BONDED)
        return self.proposer.judge(turn, message) if self.proposer is not None else Ignore(ChainReason.NOT_FOR_ME)

    def _judge_sender(self, delivery: Delivery) -> Verdict:
        """Judge whether a message is its author's own, and brings no block that nobody can send by itself."""
        message = delivery.message
        if not self.rules.is_signed(message):
            return Reject(ChainReason.BAD_SIGNATURE)
        is_long = delivery.size > MAX_FRAME_BYTES
        is_fat = is_long and not all(map(self.rules.fits_frame, list_carried(message)))
        return Reject(FrameReason.OVERSIZED) if is_fat else ACCEPT

    def _is_stale(self, announcement: HeadAnnouncement) -> bool:
        """Return whether an announced head is known to be no better than the own one."""
        head = self.tree.head
        if announcement.height >= head.height:
            return False
        return announcement.head in self.tree or not self.rules.mechanism.may_outweigh(announcement.height, head)

    def _judge_block(self, turn: Turn, block: AnyBlock, *, is_gossip: bool) -> Verdict:
        last = self.tree.head.block
        if self.proposer is None and last is not None and self.is_complete:
            verdict = self.rules.mechanism.judge_after_last(last, block)
            if verdict is not ACCEPT:
                return verdict
        block_hash = self.rules.hash_message(block)
        if block_hash in self.tree:
            return Ignore(ChainReason.DUPLICATE)
        if not self.rules.is_signed(block):
            return Reject(ChainReason.BAD_SIGNATURE)
        if not self.rules.mechanism.is_whole(block):
            return Reject(ChainReason.WRONG_BODY)
        if block_hash in self._refused:
            return Reject(ChainReason.REFUSED_BLOCK)
        most = MAX_VERSIONS_NEEDED if self._inbox.has_waiting(Wait(ChainMissing.BLOCK, block_hash)) else MAX_VERSIONS
        is_full = len(self.tree.get_versions(self.rules.mechanism.find_right(block))) >= most
        if is_full and is_gossip and not self._is_built_on(block_hash):
            return Ignore(ChainReason.EQUIVOCATION)  # honest parties pass on two, and others may have had two others
        if not self.rules.mechanism.may_speak(self.tree.head.state, block.author):
            return Reject(ChainReason.NOT_BONDED)
        context = self.find_context(turn, block, block.height, block.parent)
        if not isinstance(context, Context):
            return context
        if self._settling is not None:
            verdict = self._settling.judge_time(self.tree, context.parent, block, context.slot)
            if verdict is not ACCEPT:
                return verdict
        return self.rules.judge_block(context, block)

    def _is_built_on(self, block_hash: Hash32) -> bool:
        """Return whether a block waits for this one that proves that most stake works on it."""
        mechanism, waiting = self.rules.mechanism, self._inbox.get_waiting(Wait(ChainMissing.BLOCK, block_hash))
        blocks = (message for message in waiting if isinstance(message, mechanism.block))
        return any(mechanism.shows_majority(self.rules, block) for block in blocks)

    def find_context(self, turn: Turn, message: Message, height: int, parent: Hash32) -> Context[Any] | Verdict:
        """Return what a message on a parent is judged against, or why it cannot be judged."""
        if parent in self._refused:
            return Reject(ChainReason.REFUSED_PARENT)
        record = self.tree.get(parent)
        if record is None:
            return Wait(ChainMissing.BLOCK, parent)
        verdict = self.rules.judge_height(record, height)
        if verdict is not ACCEPT:
            return verdict
        own = self.proposer.find_own(record, message) if self.proposer is not None else None
        if isinstance(own, Wait):
            return own
        return Context(rules=self.rules, parent=record, now=turn.now, own=own)

    def is_refused(self, block: Hash32) -> bool:
        """Return whether a block was refused."""
        return block in self._refused

    @property
    def is_complete(self) -> bool:
        """Whether its chain has all the blocks it can have."""
        return self.tree.head.height == self.rules.chain.length

    def _put_aside(self, turn: Turn, delivery: Delivery, wait: Wait) -> Verdict:
        if self._inbox.holds(wait, delivery):
            return Ignore(ChainReason.DUPLICATE)
        if not self._inbox.has_room(delivery):
            self._turned_away = delivery.key
            return Ignore(ChainReason.INBOX_FULL)
        self._inbox.put(wait, delivery)
        if wait.missing is ChainMissing.BLOCK:
            if delivery.frame:
                self._catch_up.ask(turn, delivery.peer, self.tree)
        elif self.proposer is not None:
            self.proposer.fetch(turn, wait, delivery.message)
        return wait

    def judge_again(self, turn: Turn, wait: Wait) -> None:
        """Judge in this turn what has waited for something."""
        turn.pending.extend(self._inbox.take(wait))

    def _report(self, turn: Turn, delivery: Delivery, verdict: Verdict) -> None:
        if delivery.peer != SELF:
            message = delivery.message
            height = getattr(message, "height", None)
            proposal = self.rules.mechanism.find_proposal(self.rules, message)
            block = self.rules.hash_message(message) if message.kind == BLOCK_KIND else None
            turn.add(Judged(delivery.peer, verdict, message.kind, height, message.author, proposal, block))

    # ---- writing: only after the verdict ----

    def _apply(self, turn: Turn, delivery: Delivery) -> None:
        message = delivery.message
        if isinstance(message, self.rules.mechanism.block):
            self._append(turn, message, delivery)
            return
        match message:
            case HeadAnnouncement():
                if message.head not in self.tree and message.head not in self._refused:
                    self._catch_up.ask(turn, delivery.peer, self.tree)
                if message.head != self.tree.head.hash and message.height == self.tree.head.height:
                    self._rivals.argue(turn, self.tree, delivery.peer, self.proposer)
            case BlockResponse():
                self._catch_up.unpack(turn, delivery.peer, message)
            case BlockRequest():
                self._catch_up.serve(turn, delivery.peer, message, self.tree)
            case LateBlock() if self._settling is not None:
                self._settling.remember(message)
                frame = encode_frame(self.rules.chain_id, message.block)
                key = self.rules.hash_frame(frame)
                turn.pending.append(Delivery(delivery.peer, message.block, frame, key, len(frame)))
            case Transaction() if self.mempool is not None:
                self.mempool.add(self.tree.head.state, message)
            case _ if self.proposer is not None:
                self.proposer.apply(turn, message)

    def _append(self, turn: Turn, block: AnyBlock, delivery: Delivery) -> None:
        record = self.rules.build_record(self.tree.require(block.parent), block)
        versions = self.tree.get_versions(record.right)
        was_whole, slot = self.tree.is_whole, compute_slot(turn.now, self.rules.chain.slot_ns)
        if self._settling is not None and (was_whole or record.height == self.rules.chain.length):
            self._settling.note(self.tree, block, slot)
        change = self.tree.add(record, slot)
        turn.add(BlockAppended(record, change))
        if versions:
            self._report_double_use(turn, versions[0], record)
        if change is not None:
            self._follow(turn, change)
        if record.right is not None or self._settling is not None:
            is_passed_on = self.is_relaying and delivery.is_gossip
            self._rivals.note(
                turn, self.tree, delivery.peer, record, change, was_whole=was_whole, is_passed_on=is_passed_on
            )
        self.judge_again(turn, Wait(ChainMissing.BLOCK, record.hash))
        self._catch_up.go_on(turn, record.hash, self.tree)

    def back(self, turn: Turn, block: Hash32) -> None:
        """Take a block for one that owners of more than half of all stake work on."""
        change = self.tree.back(block, compute_slot(turn.now, self.rules.chain.slot_ns))
        if change is not None:
            turn.add(HeadMoved(self.tree.head, change))
            self._rivals.tell_all(turn, self.tree.head)
            self._follow(turn, change)

    def _forward(self, turn: Turn, delivery: Delivery) -> None:
        """Pass on a valid block that comes too late here, where it may be in time for a witness behind this party."""
        block = delivery.message
        if not isinstance(block, self.rules.mechanism.block):
            return
        slot = compute_slot(turn.now, self.rules.chain.slot_ns)
        name = self._rivals.name_forwarded(self.tree, block, delivery.key, slot)
        context = self.find_context(turn, block, block.height, block.parent)
        if name is not None and isinstance(context, Context) and self.rules.judge_block(context, block) is ACCEPT:
            self._rivals.forward(turn, block, name, delivery.peer)

    def _report_double_use(self, turn: Turn, first: ChainRecord, second: ChainRecord) -> None:
        head = self.tree.head
        author = self.rules.mechanism.find_double_user(first.block, second.block)
        turn.add(RightUsedTwice(author, second.height, first.hash, second.hash, head.hash, head.height))

    def _follow(self, turn: Turn, change: HeadChange[AnyBlock, LedgerState]) -> None:
        """Act on a new head."""
        if self.mempool is not None:
            returned = [tx for record in change.abandoned if record.block for tx in record.block.transactions]
            self.mempool.on_head_changed(self.tree.head.state, returned)
        if self.proposer is not None:
            self._inbox.drop_settled(self.tree.head.height)
            self.proposer.begin(turn)
            if change.abandoned and self._settling is not None and not self.tree.is_whole:
                self._announce(turn)  # who knows why it should have kept them can show it at once

    def _remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Keep in mind what can never become valid; a message's own signature is no part of its hash."""
        if message.kind == BLOCK_KIND:
            if reason not in UNSETTLED and reason not in self.rules.mechanism.detached_reasons:
                block_hash = self.rules.hash_message(message)
                self._refused.remember(block_hash)
                self.judge_again(turn, Wait(ChainMissing.BLOCK, block_hash))
        elif self.proposer is not None:
            self.proposer.remember_refusal(turn, message, reason)

    # ---- speaking ----

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Sign a message, send it to everyone and judge it like anyone else's."""
        signed = self.rules.sign(self.keys, message)
        turn.add(Broadcast(signed))
        self.deliver(turn, signed)
        return signed

    def deliver(self, turn: Turn, message: Message) -> None:
        """Judge a signed message, this party's or others', like one that came in; tell nobody of it."""
        frame = encode_frame(self.rules.chain_id, message)
        turn.pending.append(Delivery(SELF, message, frame, self.rules.hash_frame(frame), len(frame)))

    def set_timer(self, turn: Turn, kind: TimerKind, slot: int, parent: Hash32 = b"") -> None:
        """Ring at the start of a slot."""
        at = compute_slot_start(slot, self.rules.chain.slot_ns)
        turn.add(SetTimer(Timer(kind, slot, parent), at))

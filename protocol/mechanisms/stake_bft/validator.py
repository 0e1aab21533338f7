"""A validator's half of a node: Tendermint's algorithm, rule by rule.

Buchman, Kwon and Milosevic, "The latest gossip on BFT consensus" (arXiv:1807.04938), algorithm 1; numbers of lines in
comments are its own. Where it counts processes this counts stake. It assumes that what one honest node hears all hear
in the end; here a proposal shows the pre-votes it appeals to, a block its pre-commits, and a node that stands still
says its last words again, so that no honest node has to pass on what only some were told.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from protocol.codec import encode_frame
from protocol.events import Broadcast, Noted, Relay, Timer
from protocol.mechanism import Context, NodeView, Proposer
from protocol.mechanisms.stake_bft.attempt import Attempt, Step
from protocol.mechanisms.stake_bft.facts import Decided, Equivocated, Proposed, RoundBegun
from protocol.mechanisms.stake_bft.messages import (
    NIL,
    NO_ROUND,
    Certificate,
    CertifiedBlock,
    Precommit,
    Prevote,
    Proposal,
    Vote,
)
from protocol.mechanisms.stake_bft.quorum import leaves_room
from protocol.mechanisms.stake_bft.reasons import BftTimer
from protocol.messages import Message
from protocol.slots import compute_slot
from protocol.turn import SELF, Turn
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reason, Reject, Verdict

if TYPE_CHECKING:
    from protocol.mechanisms.stake_bft.mechanism import StakeBft


MAX_REPORTED: Final = 16
"""Contradictions of one author that are put on record at one height."""


class Validator(Proposer):
    """Votes on one height after the other."""

    def __init__(self, mechanism: "StakeBft", node: NodeView) -> None:
        """Begin at the genesis."""
        self._mechanism: Final = mechanism
        self.node: Final = node
        self._now = Attempt(node.tree.head)

    # ---- rounds ----

    def begin(self, turn: Turn) -> None:
        """Wait for the end of the pause after the head; or go on where a node that was down had stopped."""
        head, rules = self.node.tree.head, self.node.rules
        if head.height >= rules.chain.length:
            self._now = Attempt(head)
            return
        if self._now.parent.hash == head.hash and self._now.round != NO_ROUND:
            for kind in (BftTimer.PROPOSE, BftTimer.PREVOTE, BftTimer.PRECOMMIT):
                self._wait(turn, kind)
            return
        self._now = Attempt(head)
        self.set_timer(turn, BftTimer.BEGIN, max(self.first_slot, compute_slot(turn.now, rules.chain.slot_ns)))

    @property
    def first_slot(self) -> int:
        """The first slot that the block above the head may have."""
        return self._now.parent.slot + self._mechanism.genesis.pace.pause

    def _start_round(self, turn: Turn, round_: int) -> None:
        """Propose, or wait for the proposal (lines 11 to 21)."""
        now, keys, rules = self._now, self.node.keys, self.node.rules
        if round_ > now.round:
            self._leave(turn, round_)
        now.round, now.step, now.said = round_, Step.PROPOSE, []
        now.due.clear()
        now.heard.enter(round_)
        if round_:
            turn.add(Noted(RoundBegun(now.parent.height + 1, round_)))
        self._wait(turn, BftTimer.PROPOSE)
        self._wait(turn, BftTimer.PRECOMMIT)
        if self._mechanism.find_proposer(rules.chain_id, now.parent, round_) == keys.public:
            self.propose(turn)

    def _leave(self, turn: Turn, round_: int) -> None:
        """Vote for nothing where this node has not voted: in the round it leaves, and in that before the one it enters.

        Who is still there may need its vote to get on, and votes that brought this node on may have been for it alone.
        """
        now = self._now
        if now.round != NO_ROUND:
            self._vote_for_nothing(turn, now.step)
        if round_ - 1 > now.round:
            now.round, now.said = round_ - 1, []
            self._vote_for_nothing(turn, Step.PROPOSE)
        now.said_before = now.said

    def _vote_for_nothing(self, turn: Turn, step: Step) -> None:
        """Cast the votes that are left from a step on."""
        if step is Step.PROPOSE:
            self._vote(turn, Prevote, NIL)
        if step is not Step.PRECOMMIT:
            self._vote(turn, Precommit, NIL)

    def propose(self, turn: Turn) -> None:
        """Propose the block that may have been decided already, or a new one."""
        now, keys = self._now, self.node.keys
        if now.valid is not None:
            valid_round, block, prevotes = now.valid
        else:
            valid_round, block, prevotes = NO_ROUND, self.build_block(turn), ()
        proposal = Proposal(
            round=now.round, valid_round=valid_round, prevotes=prevotes, block=block, author=keys.public
        )
        block_hash = self.node.rules.hash_message(block)
        turn.add(Noted(Proposed(now.parent.height + 1, now.round, block_hash, valid_round)))
        self._say(turn, proposal)

    def build_block(self, turn: Turn) -> CertifiedBlock:
        """Return a new block for this round, signed, with as many transfers as leave room for all votes."""
        keys, rules, parent = self.node.keys, self.node.rules, self._now.parent
        slot, transactions = compute_slot(turn.now, rules.chain.slot_ns), self.node.select_transactions()
        while True:
            block = self._mechanism.build_block(
                parent, keys.public, slot=slot, round_=self._now.round, transactions=transactions
            )
            if not transactions or leaves_room(block, len(parent.state.stakes.owners)):
                return keys.sign(rules.chain_id, block)
            transactions = transactions[: len(transactions) // 2]

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Go on without what has not come (lines 57 to 67); a timer of before means nothing."""
        now = self._now
        if not isinstance(timer.kind, BftTimer) or timer.parent != now.parent.hash:
            return
        if now.due.get(timer.kind) != timer.slot or now.is_decided:
            return
        del now.due[timer.kind]
        if timer.kind is BftTimer.BEGIN:
            self._start_round(turn, 0)
        elif timer.kind is BftTimer.PROPOSE and now.step is Step.PROPOSE:
            self._prevote(turn, NIL)
        elif timer.kind is BftTimer.PREVOTE and now.step is Step.PREVOTE:
            self._precommit(turn, NIL)
        elif timer.kind is BftTimer.PRECOMMIT:
            self._start_round(turn, now.round + 1)
        self._go_on(turn)

    def _wait(self, turn: Turn, kind: BftTimer) -> None:
        """Set a time-out of this round, if what it is for is so."""
        now, pace = self._now, self._mechanism.genesis.pace
        is_for = {
            BftTimer.PROPOSE: now.step is Step.PROPOSE,
            BftTimer.PREVOTE: now.step is Step.PREVOTE and now.heard.has_quorum_of_any(Prevote, now.round),
            BftTimer.PRECOMMIT: now.heard.has_quorum_of_any(Precommit, now.round),
        }[kind]
        if is_for:
            first = pace.propose if kind is BftTimer.PROPOSE else pace.vote
            slot = compute_slot(turn.now, self.node.rules.chain.slot_ns)
            self.set_timer(turn, kind, slot + pace.find_timeout(first, now.round))

    def set_timer(self, turn: Turn, kind: BftTimer, slot: int) -> None:
        """Ring in a slot, in place of what was set of that kind before."""
        self._now.due[kind] = slot
        self.node.set_timer(turn, kind, slot, self._now.parent.hash)

    # ---- rules ----

    def _go_on(self, turn: Turn) -> None:
        """Follow the rules until none says anything more."""
        now = self._now
        while now.round != NO_ROUND and not now.is_decided and self._follow_a_rule(turn):
            pass

    def _follow_a_rule(self, turn: Turn) -> bool:
        """Do one thing that is due; return whether there was any."""
        now = self._now
        reached = now.heard.find_reached(now.round)
        if reached is not None:  # line 55
            self._start_round(turn, reached)
            return True
        proposal = now.heard.proposals.get(now.round)
        if proposal is not None and now.step is Step.PROPOSE:  # lines 22 and 28
            self._prevote(turn, self._choose(proposal))
            return True
        polka = now.heard.find_quorum(Prevote, now.round)
        if polka is not None and polka != NIL and proposal is not None:
            is_new = now.valid is None or now.valid[0] < now.round
            block = self.node.rules.hash_message(proposal.block)
            if is_new and block == polka:  # line 36
                self._take_valid(turn, proposal.block, polka)
                return True
        if polka == NIL and now.step is Step.PREVOTE:  # line 44
            self._precommit(turn, NIL)
            return True
        return False

    def _choose(self, proposal: Proposal) -> Hash32:
        """Return what to pre-vote: the proposed block, unless another one is locked that it does not supersede."""
        locked_round, locked = self._now.locked
        block = self.node.rules.hash_message(proposal.block)
        is_free = locked_round == NO_ROUND or block == locked or NO_ROUND < locked_round <= proposal.valid_round
        return block if is_free else NIL

    def _take_valid(self, turn: Turn, block: CertifiedBlock, block_hash: Hash32) -> None:
        now = self._now
        ballot = now.heard.prevotes[now.round]
        now.valid = (now.round, block, ballot.list_signatures(block_hash))
        if now.step is Step.PREVOTE:
            now.locked = (now.round, block_hash)
            self._precommit(turn, block_hash)

    def _prevote(self, turn: Turn, block: Hash32) -> None:
        self._now.step = Step.PREVOTE
        self._vote(turn, Prevote, block)
        self._wait(turn, BftTimer.PREVOTE)

    def _precommit(self, turn: Turn, block: Hash32) -> None:
        self._now.step = Step.PRECOMMIT
        self._vote(turn, Precommit, block)

    def _vote(self, turn: Turn, kind: type[Vote], block: Hash32) -> None:
        parent = self._now.parent
        vote = kind(
            height=parent.height + 1,
            parent=parent.hash,
            round=self._now.round,
            block=block,
            author=self.node.keys.public,
        )
        self._say(turn, vote)

    def _say(self, turn: Turn, message: Message) -> None:
        self._now.said.append(self.node.publish(turn, message))
        self._now.has_just_spoken = True

    def _decide(self, turn: Turn, block: CertifiedBlock, block_hash: Hash32, round_: int) -> None:
        """Take a block for final (line 49); who proposed in the round of the votes tells those who do not vote."""
        now, rules = self._now, self.node.rules
        now.is_decided = True
        signatures = now.heard.precommits[round_].list_signatures(block_hash)
        whole = msgspec.structs.replace(block, certificate=Certificate(round=round_, signatures=signatures))
        turn.add(Noted(Decided(block.height, round_, block_hash, len(signatures))))
        if self._mechanism.find_proposer(rules.chain_id, now.parent, round_) == self.node.keys.public:
            turn.add(Broadcast(whole))
        self.node.deliver(turn, whole)

    def remind(self, turn: Turn) -> None:
        """Say the last words again, unless they are new: somebody may have missed them.

        Where nodes pass on what they hear, who is behind others has missed what they have passed on once: so all that
        is known of these rounds is passed on again.
        """
        now = self._now
        if now.has_just_spoken:
            now.has_just_spoken = False
            return
        for message in (*now.said_before, *now.said):
            turn.add(Broadcast(message))
        if self.node.is_relaying:
            chain_id = self.node.rules.chain_id
            for message in now.heard.list_words(now.round - 1, now.round):
                if message.author != self.node.keys.public:
                    turn.add(Relay(encode_frame(chain_id, message), SELF))

    # ---- messages ----

    def judge(self, turn: Turn, message: Message) -> Verdict:
        """Judge a proposal or a vote: its place, whether its author has said something else, and what it shows."""
        if not isinstance(message, Proposal | Vote):
            return super().judge(turn, message)
        now, head = self._now, self.node.tree.head
        if message.height <= head.height:
            return Ignore(ChainReason.STALE)
        context = self.node.find_context(turn, message, message.height, message.parent)
        if not isinstance(context, Context):
            return context
        if context.parent.hash != now.parent.hash:
            return Ignore(ChainReason.STALE)  # about a branch that this node has left for good
        if not now.heard.has_room(message, now.round):
            return Ignore(ChainReason.STALE)
        first = now.heard.find_first(message)
        if isinstance(message, Proposal) and (first is None or first.author != message.author):
            verdict = self.node.rules.judge_once(self._mechanism.judge_proposal, context, message)
            if verdict is not ACCEPT:
                return verdict
        if first is None:
            return ACCEPT
        return Ignore(ChainReason.DUPLICATE) if self._is_same(first, message) else Reject(ChainReason.EQUIVOCATION)

    def _is_same(self, first: Proposal | Vote, second: Proposal | Vote) -> bool:
        """Return whether two words of one author say the same; it may sign what it says more than once."""
        rounds = [item.valid_round for item in (first, second) if isinstance(item, Proposal)]
        return self._name_block(first) == self._name_block(second) and len(set(rounds)) <= 1

    def apply(self, turn: Turn, message: Message) -> None:
        """Count a proposal or a vote, and follow the rules."""
        if not isinstance(message, Proposal | Vote):
            return
        now = self._now
        now.heard.add(message, now.round)
        if now.is_decided:
            return
        if isinstance(message, Prevote) and message.round == now.round and BftTimer.PREVOTE not in now.due:
            self._wait(turn, BftTimer.PREVOTE)  # line 34
        if isinstance(message, Precommit):
            if message.round == now.round and BftTimer.PRECOMMIT not in now.due:
                self._wait(turn, BftTimer.PRECOMMIT)  # line 47
            decided = now.heard.find_quorum(Precommit, message.round)
            if decided is not None and decided != NIL:
                now.decidable[decided] = message.round
        self._decide_if_due(turn)
        self._go_on(turn)

    def _decide_if_due(self, turn: Turn) -> None:
        now = self._now
        for block_hash, round_ in now.decidable.items():
            block = self._find_block(block_hash)
            if block is not None:
                self._decide(turn, block, block_hash, round_)
                return

    def _find_block(self, block_hash: Hash32) -> CertifiedBlock | None:
        now, rules = self._now, self.node.rules
        known = [proposal.block for proposal in now.heard.proposals.values()]
        known += [now.valid[1]] if now.valid is not None else []
        return next((block for block in known if rules.hash_message(block) == block_hash), None)

    def remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Put on record, once, who has said two things in one step of a round; some steps of an author are enough."""
        if reason is not ChainReason.EQUIVOCATION or not isinstance(message, Proposal | Vote):
            return
        now, name = self._now, self._name_block
        first, reported = now.heard.find_first(message), now.reported.setdefault(message.author, set())
        place = (message.round, message.kind)
        if first is not None and place not in reported and len(reported) < MAX_REPORTED:
            reported.add(place)
            step = message.kind
            turn.add(
                Noted(Equivocated(message.author, message.height, message.round, step, name(first), name(message)))
            )

    def _name_block(self, message: Proposal | Vote) -> Hash32:
        return self.node.rules.hash_message(message.block) if isinstance(message, Proposal) else message.block

    # ---- its state ----

    def snapshot(self) -> tuple[object, ...]:
        """Return where it stands at this height, and what it has heard."""
        now = self._now
        valid = (now.valid[0], now.valid[1].signature) if now.valid is not None else ()
        return (now.parent.hash, now.round, int(now.step), now.locked, valid, now.heard.snapshot())

    def restore(self, before: "Validator") -> None:
        """Take over promises: who forgot them might contradict itself."""
        self._now = before._now

"""A training node's half of a node: it trains, declares, proposes, signs and wraps, and judges what others say of it.

Behaviours that deviate are subclasses: what they may replace is public.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, TypeVar

from protocol.chain import BlockRecord
from protocol.codec import encode_frame
from protocol.cosigning import SignatureBook
from protocol.events import Broadcast, ChainRecord, Noted, Relay, Send, Timer
from protocol.mechanism import Context, MessageT, NodeView, Proposer, find_open_parent
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.building import build_block, build_header, build_signature
from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainedHeader,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.own_work import OwnWork
from protocol.mechanisms.proof_of_training.phases import TRANSITIONS, Phase, Trigger
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.mechanisms.proof_of_training.round import Proposal, Round, has_confidence
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.mechanisms.proof_of_training.work import CompareWeights, TrainingResult, TrainStage
from protocol.messages import Message, Transaction
from protocol.phases import advance
from protocol.slots import compute_slot
from protocol.turn import SELF, RecentSet, Turn
from protocol.types import AccountId, Hash32, PeerId
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reason, Reject, Verdict, Wait

LOOKAHEAD_SLOTS: Final = 4
"""Slots drawn ahead before the node sleeps; bounds the work of a node that seldom wins."""

REMINDERS: Final = 32
"""Collected messages that are sent again with an announcement at most."""

SLOTS_BACK: Final = 32
"""Slots gone by in which a node looks for a right to propose; no declaration is longer under way where a round ends."""

LATE: Final = (TrainingMissing.TRAINING, TrainingMissing.COMPARISON)
"""What no message but a block may wait for at a height gone by."""

NamingT = TypeVar("NamingT", TrainingDeclaration, BlockHeader)
"""A message that names the weights of a stage on its parent."""

LOCAL_REASONS: Final = (ChainReason.BAD_SIGNATURE, ChainReason.WRONG_BODY, ChainReason.EQUIVOCATION)
"""Refusals of a header that say nothing about what its hash is made of."""


class TrainingProposer(Proposer):
    """The proof-of-training half of a node."""

    def __init__(self, judge: TrainingJudge, node: NodeView) -> None:
        """Start at the genesis, with nothing trained."""
        self.node: Final = node
        self.judging: Final = judge
        self.phase = Phase.TRAINING
        self.work: Final = OwnWork(judge, node.rules)
        self._rounds: dict[Hash32, Round] = {}
        self._used: dict[tuple[AccountId, int], Hash32] = {}
        """Headers by author and slot, where a right to propose is good for one on whatever parent."""
        self._proposed: set[int] = set()
        """Slots of this node's own headers, whatever it thought of them itself when it came to judge them."""
        self._drawn: tuple[Right, int, Hash32] | None = None
        self._has_won = False
        """The draw that was made last, and its result: each declaration of a slot asks for the same one."""
        self._refused_headers: RecentSet[Hash32] = RecentSet()

    @property
    def head(self) -> ChainRecord:
        """The block that the round is about."""
        return self.node.tree.head

    def snapshot(self) -> tuple[object, ...]:
        """Return everything a refused message must leave unchanged, as plain values."""
        rounds = tuple((parent, round_.snapshot()) for parent, round_ in sorted(self._rounds.items()))
        return (self.phase.value, self.work.list_trained(), rounds)

    def restore(self, before: "TrainingProposer") -> None:
        """Take over training results and what was collected and signed from the disk.

        Without the latter the node would declare a second time, which is equivocation.
        """
        self.work.restore(before.work)
        self._rounds = dict(before._rounds)
        self._used = dict(before._used)
        self._proposed = set(before._proposed)

    # ---- the round: training, declaring, proposing ----

    def begin(self, turn: Turn) -> None:
        """Begin work on the head, and forget rounds that are long over."""
        floor = self.head.height - 1
        for parent in [key for key in self._rounds if self.node.tree.require(key).height < floor]:
            del self._rounds[parent]
            self.work.forget(parent)
        below = self.node.tree.get(self.head.parent)
        if below is not None:
            self._used = {right: header for right, header in self._used.items() if right[1] >= below.slot}
            self._proposed = {slot for slot in self._proposed if slot >= below.slot}
        self.enter_round(turn)

    def enter_round(self, turn: Turn) -> None:
        """Train the head's next stage, or go on at once if that is done already."""
        if self.head.height == self.node.rules.chain.length:
            self.advance(turn, Trigger.JOB_COMPLETE)
            return
        self.advance(turn, Trigger.HEAD_MOVED)
        task = self.work.get_task(self.head)
        if self.work.has_trained(task):
            self._open_round(turn)
        else:
            self.work.train(turn, task)

    def _open_round(self, turn: Turn) -> None:
        """Take part in the round on the head, whose stage is trained."""
        head = self.head
        own = self.work.get_own(head)
        turn.add(Noted(SecretKnown(head.height + 1, head.hash, own.secret, own.weights_digest)))
        self.advance(turn, Trigger.TRAINED)
        round_ = self.open_round(head.hash)
        slot = compute_slot(turn.now, self.node.rules.chain.slot_ns)
        if round_.is_revealed:
            self.advance(turn, Trigger.SECRET_REVEALED)
        if not self.is_closed(round_):
            self.draw(turn, Right.DECLARE, slot)
        self.draw(turn, Right.PROPOSE, slot)
        self.serve_proposals(turn, round_)

    def advance(self, turn: Turn, trigger: Trigger) -> None:
        """Go to the next phase, and have it on record if it is another one."""
        before = self.phase
        self.phase = advance(TRANSITIONS, before, trigger)
        if self.phase is not before:
            turn.add(Noted(PhaseChanged(self.phase, self.head.height + 1)))

    def draw(self, turn: Turn, right: Right, first: int) -> None:
        """Set a timer for the next slot won from ``first`` on, or for the end of the look-ahead."""
        slot = next((s for s in range(first, first + LOOKAHEAD_SLOTS) if self.wins_slot(right, s)), None)
        self.node.set_timer(turn, right, first + LOOKAHEAD_SLOTS if slot is None else slot, self.head.hash)

    def wins_slot(self, right: Right, slot: int) -> bool:
        """Return whether this node has won a right on the head, and may still use it."""
        if right is Right.PROPOSE and not self.may_propose(slot):
            return False
        head = self.head
        drawn = (right, slot, head.hash)
        if drawn != self._drawn:
            self._drawn, self._has_won = drawn, self.judging.has_won(right, head, slot, self.node.keys.public)
        return self._has_won

    def may_propose(self, slot: int) -> bool:
        """Return whether a right to propose in a slot, if it is won, is good on the head and has not been used."""
        if not self.judging.has_single_rights:
            return True
        return slot > self.head.slot and slot not in self._proposed

    def is_closed(self, round_: Round) -> bool:
        """Return whether declarations no longer count in a round."""
        return round_.is_revealed and not self.judging.has_open_rounds

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Use a right in the slot it was won in, and look for the next one."""
        if timer.parent != self.head.hash or self.phase not in (Phase.DECLARING, Phase.SIGNING):
            return
        right = timer.kind
        if not isinstance(right, Right):
            return
        round_ = self.open_round(timer.parent)
        has_won = self.wins_slot(right, timer.slot)
        if has_won:
            turn.add(Noted(LotteryWon(right, self.head.height + 1, timer.slot)))
        if right is Right.PROPOSE:
            if has_won:
                self.propose(turn, timer.slot)
            self.draw(turn, right, timer.slot + 1)
        elif not self.is_closed(round_) and not round_.has_declared:
            if has_won:
                self.declare(turn, timer.slot)
            else:
                self.draw(turn, right, timer.slot)

    def declare(self, turn: Turn, slot: int) -> None:
        """Commit to the node's own result in the name of a slot."""
        head = self.head
        own = self.work.get_own(head)
        height = head.height + 1
        keys, rules = self.node.keys, self.node.rules
        secret = self.judging.find_secret(own, keys.public)
        self.publish(
            turn,
            TrainingDeclaration(
                height=height,
                parent=head.hash,
                slot=slot,
                author=keys.public,
                weights_digest=own.weights_digest,
                profile=self.judging.genesis.job.profile,
                commitment=commit(keys, rules.chain_id, height, head.hash, secret),
            ),
        )
        self.open_round(head.hash).has_declared = True

    def propose(self, turn: Turn, slot: int) -> None:
        """Show the secret with the declarations collected so far, if they are enough."""
        head = self.head
        own = self.work.get_own(head)
        included = self.open_round(head.hash).choose_declarations(head.state.stakes, slot, own.weights_digest)
        authors = frozenset(item.author for item in included)
        if not has_confidence(self.judging.genesis.parameters.confidence, head.state.stakes, authors):
            return
        self._proposed.add(slot)
        self.publish(turn, self.build_header(included, slot))

    def build_header(self, included: tuple[TrainingDeclaration, ...], slot: int) -> BlockHeader:
        """Return a proposal on the head that carries some declarations; under version 2 it says which transfers too."""
        carried = self.choose_transactions() if self.judging.has_repairs else ()
        own, author = self.work.get_own(self.head), self.node.keys.public
        return build_header(self.judging, self.head, own, included, carried, author=author, slot=slot)

    def use_passed_rights(self, turn: Turn, first: int) -> None:
        """Propose with the first right from a declaration's slot on, if that was the declaration that was missing.

        Who has kept declarations back has had enough of them in that slot; so a right of that slot must not be lost to
        those who hear of the last one a little later.
        """
        if self.phase not in (Phase.DECLARING, Phase.SIGNING):
            return
        now = compute_slot(turn.now, self.node.rules.chain.slot_ns)
        for slot in range(max(first, now - SLOTS_BACK), now + 1):
            if self.wins_slot(Right.PROPOSE, slot):
                self.propose(turn, slot)
            if slot in self._proposed:
                return

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Sign and send a message of this node's own."""
        return self.node.publish(turn, message)

    def remind(self, turn: Turn) -> None:
        """Say once more what may have been lost while the head stands still: it could hold up a round for ever.

        Where messages are passed on, one that was lost behind a neighbour that has it never comes again by itself. So
        under open rounds a node sends some of what it has collected, another part each time.
        """
        round_ = self.read_round(self.head.hash)
        own = round_.declarations.get(self.node.keys.public)
        is_open = self.phase is Phase.DECLARING or (self.phase is Phase.SIGNING and self.judging.has_open_rounds)
        if own is not None and is_open:
            turn.add(Broadcast(own))
        if self.judging.has_open_rounds and self.node.is_relaying:
            collected = round_.list_messages()
            first = compute_slot(turn.now, self.node.rules.chain.slot_ns) * REMINDERS
            for number in range(min(REMINDERS, len(collected))):
                message = collected[(first + number) % len(collected)]
                turn.add(Relay(encode_frame(self.node.rules.chain_id, message), SELF))

    def argue(self, turn: Turn, peer: PeerId) -> None:
        """Show a neighbour that has another head of the same height who has declared on this one."""
        for declaration in self.read_round(self.head.hash).declarations.values():
            turn.add(Send(peer, declaration))

    # ---- slow work ----

    def finish(self, turn: Turn, task: Hashable, result: object) -> None:
        """Take a trained stage or a distance, and judge what has waited for it."""
        match task:
            case TrainStage() if isinstance(result, TrainingResult):
                self.work.take_result(task, result)
                if self.phase is Phase.TRAINING:
                    if task == self.work.get_task(self.head):
                        self._open_round(turn)
                    else:
                        self.enter_round(turn)
                self.node.judge_again(turn, Wait(TrainingMissing.TRAINING, task))
                if not turn.pending:
                    self.work.train_wanted(turn)
            case CompareWeights() if result is None or isinstance(result, int):
                self.work.take_distance(task, result)
                self.node.judge_again(turn, Wait(TrainingMissing.COMPARISON, task))
            case _:
                raise TypeError(f"no task of proof of training: {task!r} gave {result!r}")

    def fetch(self, turn: Turn, wait: Wait, message: Message) -> None:
        """Start what a message that was put aside waits for; only a block has a stage trained."""
        key = wait.key
        if isinstance(key, CompareWeights):
            self.work.compare(turn, key)
        elif isinstance(key, TrainStage) and isinstance(message, WrappedBlock):
            self.work.want(key)

    def end(self, turn: Turn) -> None:
        """Train what blocks of this turn wait for."""
        self.work.train_wanted(turn)

    # ---- judging: reads only ----

    def find_own(self, parent: ChainRecord, message: Message) -> OwnTraining | Wait | None:
        """Return the node's own result on a parent, held against the weights a message names."""
        named = message.header if isinstance(message, WrappedBlock) else message
        if not isinstance(named, TrainingDeclaration | BlockHeader):
            raise TypeError(f"a {message.kind} names no weights")
        return self.work.find_own(parent, named.weights_digest)

    def judge(self, turn: Turn, message: Message) -> Verdict:
        """Judge a declaration, a header or a stakeholder's signature."""
        match message:
            case TrainingDeclaration():
                return self.judge_declaration(turn, message)
            case BlockHeader():
                return self.judge_header(turn, message)
            case StakeholderSignature():
                return self.judge_signature(message)
        raise TypeError(f"no message of proof of training: {message!r}")

    def judge_declaration(self, turn: Turn, declaration: TrainingDeclaration) -> Verdict:
        """Judge a declaration by itself, and against what was collected."""
        verdict = self._judge_in_context(turn, self.judging.judge_declaration, declaration)
        if verdict is not ACCEPT:
            return verdict
        round_ = self.read_round(declaration.parent)
        known = round_.declarations.get(declaration.author)
        if known is not None:
            is_same = self._hash(known) == self._hash(declaration)
            return Ignore(ChainReason.DUPLICATE) if is_same else Reject(ChainReason.EQUIVOCATION)
        return Ignore(TrainingReason.WINDOW_CLOSED) if self.is_closed(round_) else ACCEPT

    def judge_header(self, turn: Turn, header: BlockHeader) -> Verdict:
        """Judge a header by itself, and against its author's others."""
        if isinstance(header, TrainedHeader) and header.body != compute_body_digest(header.transactions):
            return Reject(ChainReason.WRONG_BODY)  # before it may wait, and take room of an author who never made it
        if self.judging.has_single_rights:  # before all that is dear: who has one right could send many headers
            verdict = self._judge_use(header, self._used.get((header.author, header.slot)))
            if verdict is not ACCEPT:
                return verdict
        verdict = self._judge_in_context(turn, self.judging.judge_proposal, header)
        if verdict is not ACCEPT:
            return verdict
        return self._judge_use(header, self.read_round(header.parent).get_header_in_slot(header.author, header.slot))

    def _judge_use(self, header: BlockHeader, known: Hash32 | None) -> Verdict:
        """Judge a header against the one that its author has already sent with the same right, if there is one."""
        if known is None:
            return ACCEPT
        return Ignore(ChainReason.DUPLICATE) if known == self._hash(header) else Reject(ChainReason.EQUIVOCATION)

    def _judge_in_context(
        self, turn: Turn, judge: Callable[[Context[Any], NamingT], Verdict], message: NamingT
    ) -> Verdict:
        """Judge a message on its parent; what is right, or waits for slow work, is stale at a height gone by."""
        found = self.node.find_context(turn, message, message.height, message.parent)
        verdict = self.node.rules.judge_once(judge, found, message) if isinstance(found, Context) else found
        is_open = verdict is ACCEPT or (isinstance(verdict, Wait) and verdict.missing in LATE)
        return Ignore(ChainReason.STALE) if is_open and message.height <= self.head.height else verdict

    def judge_signature(self, signature: StakeholderSignature) -> Verdict:
        """Judge a stakeholder's signature against the header it is about."""
        if signature.header in self._refused_headers:
            return Reject(TrainingReason.REFUSED_HEADER)
        parent = find_open_parent(self.node, signature.parent)
        if not isinstance(parent, BlockRecord):
            return parent
        proposal = self.read_round(signature.parent).proposals.get(signature.header)
        if proposal is None:
            return Wait(TrainingMissing.HEADER, signature.header)
        header, signers = proposal.header, proposal.book.signers
        own = self.find_own(parent, header) if self.judging.has_own_secrets else None
        if isinstance(own, Wait):
            return own
        verdict = self.judging.judge_signature(self.node.rules, header, signers, signature, own)
        if verdict is not ACCEPT:
            return verdict
        return Ignore(ChainReason.DUPLICATE) if signature.author in proposal.book else ACCEPT

    # ---- writing: only after the verdict ----

    def apply(self, turn: Turn, message: Message) -> None:
        """Collect an accepted message, and act on it."""
        match message:
            case TrainingDeclaration():
                self._collect(turn, message.parent, (message,))
                if self.judging.has_open_rounds and message.parent == self.head.hash:
                    self.use_passed_rights(turn, message.slot)
            case BlockHeader():
                self._add_proposal(turn, message)
            case StakeholderSignature():
                proposal = self.open_round(message.parent).proposals[message.header]
                proposal.book.add(message)
                self._serve(turn, message.header, proposal)

    def _add_proposal(self, turn: Turn, header: BlockHeader) -> None:
        parent = self.node.tree.require(header.parent)
        header_hash = self._hash(header)
        proposal = Proposal(header, SignatureBook(self.judging.draw_stakeholders(self.node.rules, parent, header)))
        round_ = self.open_round(header.parent)
        round_.add_proposal(header_hash, proposal)
        if self.judging.has_single_rights:
            self._used[header.author, header.slot] = header_hash
        if self.judging.has_open_rounds:
            known = round_.declarations
            self._collect(turn, header.parent, [item for item in header.declarations if item.author not in known])
        if parent.hash == self.head.hash:
            self.advance(turn, Trigger.SECRET_REVEALED)
        self._serve(turn, header_hash, proposal)
        self.node.judge_again(turn, Wait(TrainingMissing.HEADER, header_hash))

    def _collect(self, turn: Turn, parent: Hash32, declarations: Iterable[TrainingDeclaration]) -> None:
        """Keep judged declarations on a block; those of more than half of all stake back it."""
        round_, stakes = self.open_round(parent), self.node.tree.require(parent).state.stakes
        for declaration in declarations:
            is_new = declaration.author not in round_.declarations
            round_.add_declaration(declaration)
            round_.declared_stake += stakes.get_stake(declaration.author) if is_new else 0
        if self.judging.has_ranked_ties and 2 * round_.declared_stake > stakes.total:
            self.node.back(turn, parent)

    def serve_proposals(self, turn: Turn, round_: Round) -> None:
        """Sign or wrap what this node was drawn for."""
        for header_hash, proposal in round_.proposals.items():
            self._serve(turn, header_hash, proposal)

    def _serve(self, turn: Turn, header_hash: Hash32, proposal: Proposal) -> None:
        """Sign or wrap, if this node was drawn for it and the header still builds on the head.

        One that builds on a version of a block goes on too: else who made the versions could show the second one
        whenever a header on the first is about to get its block, and each time a right would be lost.
        """
        header, book = proposal.header, proposal.book
        if header.parent != self.head.hash and not self._is_version(header.parent):
            return
        author = self.node.keys.public
        if author in book.signers and not proposal.has_signed:
            proposal.has_signed = True
            self.publish(turn, build_signature(self.judging, self.node.rules, header, author, self.show_secret(header)))
        if author == book.wrapper and book.is_complete and not proposal.has_wrapped:
            proposal.has_wrapped = True
            self.publish(turn, self._build_block(header, book))

    def _is_version(self, block: Hash32) -> bool:
        """Return whether a block would be the head if there were no other version of it, and is judged here."""
        record, tree = self.node.tree.require(block), self.node.tree
        is_next = tree.is_doubtful(record) and record.height >= self.head.height
        return is_next and self.work.has_trained(self.work.get_task(record))

    def _build_block(self, header: BlockHeader, book: SignatureBook[StakeholderSignature]) -> WrappedBlock:
        parent = self.node.tree.require(header.parent)
        return build_block(
            self.judging,
            header,
            (*book.signers, book.wrapper),
            book.get_signatures(),
            () if self.judging.has_repairs else self.choose_transactions(),
            stakes=parent.state.stakes,
            secret=self.show_secret(header),
        )

    def show_secret(self, header: BlockHeader) -> Hash32:
        """Return what shows that this node has trained what a header says; nobody looks where secrets are shared."""
        own = self.work.get_own(self.node.tree.require(header.parent))
        return self.judging.find_secret(own, self.node.keys.public)

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers of a block that this node may choose them for."""
        return self.node.select_transactions()

    def remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Keep in mind a header that can never become valid; its own signature is no part of its hash."""
        if isinstance(message, BlockHeader) and reason not in LOCAL_REASONS:
            header_hash = self._hash(message)
            self._refused_headers.remember(header_hash)
            self.node.judge_again(turn, Wait(TrainingMissing.HEADER, header_hash))

    # ---- small helpers ----

    def _hash(self, message: Message) -> Hash32:
        return self.node.rules.hash_message(message)

    def read_round(self, parent: Hash32) -> Round:
        """Return what was collected for a parent, without making room for more."""
        return self._rounds.get(parent) or Round()

    def open_round(self, parent: Hash32) -> Round:
        """Return what was collected for a parent, to be added to."""
        return self._rounds.setdefault(parent, Round())

"""A node: trains, declares, proposes, signs, wraps, and checks everybody else against its own training."""

from typing import Final

from protocol.books import Proposal, Round, SignatureBook, has_confidence
from protocol.chain import HeadChange
from protocol.comparisons import Comparisons
from protocol.crypto import Domain, KeyPair
from protocol.events import (
    Broadcast,
    CompareWeights,
    LotteryWon,
    PhaseChanged,
    SecretKnown,
    StartTraining,
    Timer,
    TimerKind,
    TrainingFinished,
    WeightsCompared,
)
from protocol.inbox import Delivery
from protocol.ledger import LedgerState
from protocol.mempool import Mempool
from protocol.messages import (
    BlockHeader,
    BlockRequest,
    Message,
    StakeholderSignature,
    TrainingDeclaration,
    Transaction,
    WrappedBlock,
)
from protocol.participant import MAX_LOCATOR, Memory, Participant, Turn
from protocol.phases import Phase, Trigger, advance
from protocol.training import TrainingResult, commit
from protocol.types import Hash32, Task, WeightsPair
from protocol.validation import (
    OwnTraining,
    Place,
    PoTRecord,
    Rules,
    build_coinbase,
    judge_stakeholder_signature,
)
from protocol.verdicts import ACCEPT, Ignore, Missing, Reason, Reject, Verdict, Wait

LOOKAHEAD_SLOTS: Final = 4
"""Slots drawn ahead before the node sleeps; bounds the work of a node that seldom wins."""

Work = TrainingDeclaration | BlockHeader | StakeholderSignature
"""What only owners of a bond may send."""

_WORK: Final = (TrainingDeclaration, BlockHeader, StakeholderSignature)


class PoTNode(Participant):
    """The proof-of-training node as a function of (event, time)."""

    def __init__(self, rules: Rules, keys: KeyPair) -> None:
        """Start at the genesis, with nothing trained."""
        super().__init__(rules, keys)
        self.phase = Phase.TRAINING
        self.mempool = Mempool()
        self._results: dict[Task, TrainingResult] = {}
        self._in_training: Task | None = None
        self._wanted: dict[Task, None] = {}
        """Training that blocks on other branches than the head's wait for, in order of arrival."""
        self._comparisons = Comparisons(rules.genesis.tolerance)
        self._own: dict[Hash32, OwnTraining] = {}
        """Own result on each parent that it was needed for."""
        self._rounds: dict[Hash32, Round] = {}
        self._refused_headers: Memory[Hash32] = Memory()

    def restore(self, before: "PoTNode") -> None:
        """Take over what a node that was down had on its disk: blocks, training results and what it has signed.

        Without the last it would declare a second time, which is equivocation.
        """
        self.tree = before.tree
        self._results = dict(before._results)
        self._rounds = dict(before._rounds)

    def _state(self) -> tuple[object, ...]:
        return (
            *super()._state(),
            self.phase.value,
            tuple(sorted(self._results)),
            tuple((parent, book.snapshot()) for parent, book in sorted(self._rounds.items())),
            self.mempool.snapshot(),
        )

    # ---- the round: training, declaring, proposing ----

    def _on_started(self, turn: Turn) -> None:
        super()._on_started(turn)
        self._enter_round(turn)

    def _on_training_finished(self, turn: Turn, event: TrainingFinished) -> None:
        task = Task(event.result.stage, event.base)
        if self._in_training == task:
            self._in_training = None
        self._results[task] = event.result
        if task == self._get_task(self.tree.head) and self.phase is Phase.TRAINING:
            self._open_round(turn)
        elif self.phase is Phase.TRAINING:
            self._enter_round(turn)
        self._judge_again(turn, Wait(Missing.TRAINING, task))
        if not turn.pending:
            self._train_wanted(turn)

    def _on_weights_compared(self, turn: Turn, event: WeightsCompared) -> None:
        pair = WeightsPair(event.own, event.other)
        self._comparisons.settle(pair, event.distance)
        self._judge_again(turn, Wait(Missing.COMPARISON, pair))

    def _on_head_changed(self, turn: Turn, change: HeadChange[WrappedBlock, LedgerState]) -> None:
        returned = [tx for record in change.abandoned if record.block for tx in record.block.transactions]
        self.mempool.on_head_changed(self.tree.head.state, returned)
        self._inbox.drop_settled(self.tree.head.height)
        floor = self.tree.head.height - 1
        for parent in [key for key in self._rounds if self.tree.require(key).height < floor]:
            del self._rounds[parent]
            self._own.pop(parent, None)
        self._enter_round(turn)

    def _enter_round(self, turn: Turn) -> None:
        """Begin work on the head: train its next stage, or go on at once if that is done already."""
        stage = self.tree.head.height
        if stage == self.rules.genesis.job.stages:
            self._advance(turn, Trigger.JOB_COMPLETE)
            return
        self._advance(turn, Trigger.HEAD_MOVED)
        task = self._get_task(self.tree.head)
        if task in self._results:
            self._open_round(turn)
        elif self._in_training is None:
            self._train(turn, task)

    def _get_task(self, parent: PoTRecord) -> Task:
        """Return what has to be trained on a parent.

        Where near weights count as the same, all go on from those of the block, so that differences do not pile up.
        """
        if parent.block is None or not self.rules.genesis.tolerance:
            return Task(parent.height)
        return Task(parent.height, parent.block.header.weights_digest)

    def _train(self, turn: Turn, task: Task) -> None:
        self._in_training = task
        turn.add(StartTraining(task.stage, task.base))

    def _train_wanted(self, turn: Turn) -> None:
        """Train what a block on another branch waits for, if the head leaves time for it."""
        while self._wanted and self._in_training is None:
            task = next(iter(self._wanted))
            del self._wanted[task]
            if task not in self._results:
                self._train(turn, task)

    def _open_round(self, turn: Turn) -> None:
        """The stage on the head is trained: take part in its round."""
        head = self.tree.head
        own = self._get_own_training(head)
        turn.add(SecretKnown(head.height + 1, head.hash, own.secret, own.weights_digest))
        self._advance(turn, Trigger.TRAINED)
        book = self._get_round(head.hash)
        if book.is_revealed:
            self._advance(turn, Trigger.SECRET_REVEALED)
        else:
            self._draw(turn, TimerKind.DECLARE, self._slot(turn))
        self._draw(turn, TimerKind.PROPOSE, self._slot(turn))
        for header_hash, proposal in book.proposals.items():
            self._serve_proposal(turn, header_hash, proposal)

    def _advance(self, turn: Turn, trigger: Trigger) -> None:
        before = self.phase
        self.phase = advance(before, trigger)
        if self.phase is not before:
            turn.add(PhaseChanged(self.phase, self.tree.head.height + 1))

    def _draw(self, turn: Turn, role: TimerKind, first: int) -> None:
        """Set a timer for the next slot won from ``first`` on, or for the end of the look-ahead."""
        head = self.tree.head
        slot = next((s for s in range(first, first + LOOKAHEAD_SLOTS) if self._has_won(role, s)), None)
        self._set_timer(turn, Timer(role, first + LOOKAHEAD_SLOTS if slot is None else slot, head.hash))

    def _has_won(self, role: TimerKind, slot: int) -> bool:
        domain = Domain.DECLARATION_LOTTERY if role is TimerKind.DECLARE else Domain.HEADER_LOTTERY
        return self.rules.has_won(domain, self.tree.head, slot, self.keys.public)

    def _on_timer(self, turn: Turn, timer: Timer) -> None:
        super()._on_timer(turn, timer)
        if timer.kind is TimerKind.ANNOUNCE or timer.parent != self.tree.head.hash:
            return
        if self.phase not in (Phase.DECLARING, Phase.SIGNING):
            return
        book = self._get_round(timer.parent)
        has_won = self._has_won(timer.kind, timer.slot)
        if has_won:
            turn.add(LotteryWon(timer.kind, self.tree.head.height + 1, timer.slot))
        if timer.kind is TimerKind.PROPOSE:
            if has_won:
                self._propose(turn, timer.slot)
            self._draw(turn, timer.kind, timer.slot + 1)
        elif not book.is_revealed and not book.has_declared:
            if has_won:
                self._declare(turn, timer.slot)
            else:
                self._draw(turn, timer.kind, timer.slot)

    def _declare(self, turn: Turn, slot: int) -> None:
        head = self.tree.head
        own = self._get_own_training(head)
        height = head.height + 1
        self._publish(
            turn,
            TrainingDeclaration(
                height=height,
                parent=head.hash,
                slot=slot,
                author=self.keys.public,
                weights_digest=own.weights_digest,
                profile=self.rules.genesis.job.profile,
                commitment=commit(self.keys, self.rules.chain_id, height, head.hash, own.secret),
            ),
        )
        self._get_round(head.hash).has_declared = True

    def _propose(self, turn: Turn, slot: int) -> None:
        head = self.tree.head
        own = self._get_own_training(head)
        included = self._get_round(head.hash).choose_declarations(head.state.stakes, slot, own.weights_digest)
        authors = frozenset(item.author for item in included)
        if not has_confidence(self.rules.genesis.parameters.confidence, head.state.stakes, authors):
            return
        self._publish(
            turn,
            BlockHeader(
                height=head.height + 1,
                parent=head.hash,
                slot=slot,
                author=self.keys.public,
                weights_digest=own.weights_digest,
                training_secret=own.secret,
                declarations=included,
            ),
        )

    def _announce(self, turn: Turn) -> None:
        """Tell about the head, and declare once more: a declaration that was lost could hold up a round for ever."""
        super()._announce(turn)
        own = self._read_round(self.tree.head.hash).declarations.get(self.keys.public)
        if own is not None and self.phase is Phase.DECLARING:
            turn.add(Broadcast(own))

    # ---- judging ----

    def _judge_pending(self, turn: Turn) -> None:
        super()._judge_pending(turn)
        self._train_wanted(turn)

    def _put_aside(self, turn: Turn, delivery: Delivery, wait: Wait) -> Verdict:
        verdict = super()._put_aside(turn, delivery, wait)
        key = wait.key
        if verdict is not wait:
            return verdict
        if isinstance(key, WeightsPair):
            if self._comparisons.ask(key):
                turn.add(CompareWeights(key.own, key.other))
        elif isinstance(key, Task) and isinstance(delivery.message, WrappedBlock):
            self._wanted[key] = None
        return wait

    def _judge(self, turn: Turn, delivery: Delivery) -> Verdict:
        message = delivery.message
        if isinstance(message, _WORK):
            return self._judge_work(turn, message)
        verdict = super()._judge(turn, delivery)
        if verdict is ACCEPT and isinstance(message, Transaction):
            return self.mempool.judge(self.tree.head.state, message)
        if verdict is ACCEPT and isinstance(message, BlockRequest) and len(message.locator) > MAX_LOCATOR:
            return Reject(Reason.OVERSIZED)
        return verdict

    def _is_for_me(self, message: Message) -> bool:
        return True

    def _judge_work(self, turn: Turn, message: Work) -> Verdict:
        if not self.rules.is_signed(message):
            return Reject(Reason.BAD_SIGNATURE)
        if not self._is_bonded(message.author):
            return Reject(Reason.NOT_BONDED)
        if isinstance(message, TrainingDeclaration):
            return self._judge_declaration(turn, message)
        if isinstance(message, BlockHeader):
            return self._judge_header(turn, message)
        return self._judge_stakeholder_signature(message)

    def _judge_declaration(self, turn: Turn, declaration: TrainingDeclaration) -> Verdict:
        place = self._find_place(turn, declaration.height, declaration.parent, declaration.weights_digest)
        verdict = self.rules.judge_declaration(place, declaration) if isinstance(place, Place) else place
        if verdict is not ACCEPT:
            return self._settle_stale(verdict, declaration.height)
        if declaration.height <= self.tree.head.height:
            return Ignore(Reason.STALE)
        book = self._read_round(declaration.parent)
        known = book.declarations.get(declaration.author)
        if known is not None:
            is_same = self._hash(known) == self._hash(declaration)
            return Ignore(Reason.DUPLICATE) if is_same else Reject(Reason.EQUIVOCATION)
        return Ignore(Reason.WINDOW_CLOSED) if book.is_revealed else ACCEPT

    def _judge_header(self, turn: Turn, header: BlockHeader) -> Verdict:
        place = self._find_place(turn, header.height, header.parent, header.weights_digest)
        verdict = self.rules.judge_header(place, header) if isinstance(place, Place) else place
        if verdict is not ACCEPT:
            return self._settle_stale(verdict, header.height)
        if header.height <= self.tree.head.height:
            return Ignore(Reason.STALE)
        known = self._read_round(header.parent).get_header_in_slot(header.author, header.slot)
        if known is not None:
            return Ignore(Reason.DUPLICATE) if known == self._hash(header) else Reject(Reason.EQUIVOCATION)
        return ACCEPT

    def _settle_stale(self, verdict: Verdict, height: int) -> Verdict:
        """Let no message but a block wait for training or a comparison at a height gone by: it would be stale then."""
        if isinstance(verdict, Wait) and verdict.missing is not Missing.BLOCK and height <= self.tree.head.height:
            return Ignore(Reason.STALE)
        return verdict

    def _judge_stakeholder_signature(self, signature: StakeholderSignature) -> Verdict:
        if signature.header in self._refused_headers:
            return Reject(Reason.REFUSED_HEADER)
        if signature.parent in self._refused:
            return Reject(Reason.REFUSED_PARENT)
        parent = self.tree.get(signature.parent)
        if parent is None:
            return Wait(Missing.BLOCK, signature.parent)
        if parent.height < self.tree.head.height:
            return Ignore(Reason.STALE)
        proposal = self._read_round(signature.parent).proposals.get(signature.header)
        if proposal is None:
            return Wait(Missing.HEADER, signature.header)
        verdict = judge_stakeholder_signature(self.rules, proposal.header, proposal.book.signers, signature)
        if verdict is not ACCEPT:
            return verdict
        return Ignore(Reason.DUPLICATE) if signature.author in proposal.book else ACCEPT

    def _find_own_training(self, parent: PoTRecord) -> OwnTraining | Wait | None:
        own = self._own.get(parent.hash)
        if own is None and self._get_task(parent) not in self._results:
            return Wait(Missing.TRAINING, self._get_task(parent))
        return own or self._get_own_training(parent)

    def _find_nearness(self, own: OwnTraining | None, weights_digest: Hash32) -> bool | None:
        if own is None or own.weights_digest == weights_digest:
            return None
        return self._comparisons.get(WeightsPair(own.weights_digest, weights_digest))

    def _get_own_training(self, parent: PoTRecord) -> OwnTraining:
        own = self._own.get(parent.hash)
        if own is None:
            result = self._results[self._get_task(parent)]
            secret = self.rules.compute_secret(parent.height + 1, parent.hash, result.losses)
            own = self._own[parent.hash] = OwnTraining(weights_digest=result.weights_digest, secret=secret)
        return own

    # ---- writing ----

    def _apply(self, turn: Turn, delivery: Delivery) -> None:
        match delivery.message:
            case Transaction() as transaction:
                self.mempool.add(transaction)
            case TrainingDeclaration() as declaration:
                self._get_round(declaration.parent).add_declaration(declaration)
            case BlockHeader() as header:
                self._add_proposal(turn, header)
            case StakeholderSignature() as signature:
                proposal = self._get_round(signature.parent).proposals[signature.header]
                proposal.book.add(signature)
                self._serve_proposal(turn, signature.header, proposal)
            case BlockRequest() as request:
                self._serve_blocks(turn, delivery.peer, request.locator)
            case _:
                super()._apply(turn, delivery)

    def _add_proposal(self, turn: Turn, header: BlockHeader) -> None:
        parent = self.tree.require(header.parent)
        header_hash = self._hash(header)
        book = SignatureBook(self.rules.draw_stakeholders(parent, header))
        proposal = Proposal(header, book)
        self._get_round(header.parent).add_proposal(header_hash, proposal)
        if parent.hash == self.tree.head.hash:
            self._advance(turn, Trigger.SECRET_REVEALED)
            self._serve_proposal(turn, header_hash, proposal)
        self._judge_again(turn, Wait(Missing.HEADER, header_hash))

    def _serve_proposal(self, turn: Turn, header_hash: Hash32, proposal: Proposal) -> None:
        """Sign or wrap, if this node was drawn for it and the header still builds on the head."""
        header, book = proposal.header, proposal.book
        if header.parent != self.tree.head.hash:
            return
        if self.keys.public in book.signers and not proposal.has_signed:
            proposal.has_signed = True
            self._publish(
                turn,
                StakeholderSignature(
                    height=header.height, parent=header.parent, header=header_hash, author=self.keys.public
                ),
            )
        if self.keys.public == book.wrapper and book.is_complete and not proposal.has_wrapped:
            proposal.has_wrapped = True
            self._publish(turn, self._build_block(header, book))

    def _build_block(self, header: BlockHeader, book: SignatureBook) -> WrappedBlock:
        transactions = self._choose_transactions()
        stakeholders = (*book.signers, book.wrapper)
        return WrappedBlock(
            header=header,
            signatures=book.get_signatures(),
            transactions=transactions,
            coinbase=build_coinbase(self.rules, header, stakeholders, transactions),
            author=self.keys.public,
        )

    def _choose_transactions(self) -> tuple[Transaction, ...]:
        return self.mempool.select(self.tree.head.state, self.rules.genesis.parameters.max_transactions)

    def _remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        super()._remember_refusal(turn, message, reason)
        local = (Reason.BAD_SIGNATURE, Reason.EQUIVOCATION)
        if isinstance(message, BlockHeader) and reason not in local:
            header_hash = self._hash(message)
            self._refused_headers.remember(header_hash)
            self._judge_again(turn, Wait(Missing.HEADER, header_hash))

    # ---- small helpers ----

    def _read_round(self, parent: Hash32) -> Round:
        """Return what was collected for a parent, without making room for more."""
        return self._rounds.get(parent) or Round()

    def _get_round(self, parent: Hash32) -> Round:
        return self._rounds.setdefault(parent, Round())

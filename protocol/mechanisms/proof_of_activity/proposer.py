"""A node's half by activity: it mines templates, signs those that draw it, closes blocks, and judges what others say.

Behaviours that deviate are subclasses: what they may replace is public.
"""

from typing import Final

from protocol.chain import BlockRecord
from protocol.cosigning import SignatureBook
from protocol.events import ChainRecord, Noted, Timer
from protocol.mechanism import Context, NodeView, find_open_parent
from protocol.mechanisms.proof_of_activity.facts import TemplateFound
from protocol.mechanisms.proof_of_activity.judging import ActivityJudge
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.reasons import ActivityMissing, ActivityReason, ActivityTimer
from protocol.mechanisms.proof_of_activity.round import MAX_TEMPLATES, Draft, Round
from protocol.mechanisms.proof_of_activity.work import compute_template_digest
from protocol.mechanisms.proof_of_work.miner import Searcher
from protocol.messages import Message, Transaction
from protocol.slots import compute_slot
from protocol.turn import RecentSet, Turn
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reason, Reject, Verdict, Wait

PATIENCE_SLOTS: Final = 2
"""Slots that a closer waits for signatures beyond those that a block needs."""


class ActivityProposer(Searcher[Template]):
    """The proof-of-activity half of a node.

    It goes on mining on its head until there is a block: a template whose owners stay silent is dead, and has cost no
    more than its work.
    """

    def __init__(self, judge: ActivityJudge, node: NodeView) -> None:
        """Start at the genesis, with nothing collected."""
        super().__init__(node)
        self.judging: Final = judge
        self._rounds: dict[Hash32, Round] = {}
        self._refused_templates: RecentSet[Hash32] = RecentSet()
        self._wake: tuple[Hash32, int] | None = None
        """Parent and slot that this node rests on and until."""

    @property
    def head(self) -> ChainRecord:
        """The block that is built on."""
        return self.node.tree.head

    def snapshot(self) -> tuple[object, ...]:
        """Return everything a refused message must leave unchanged, as plain values."""
        return tuple((parent, round_.snapshot()) for parent, round_ in sorted(self._rounds.items()))

    def restore(self, before: "ActivityProposer") -> None:
        """Take over what was collected, signed and closed: a node that forgot could close one template twice."""
        self._rounds = dict(before._rounds)

    # ---- mining ----

    def begin(self, turn: Turn) -> None:
        """Mine on the head, forget rounds that are long over, and serve templates that were here before the head."""
        floor = self.head.height - 1
        for parent in [key for key in self._rounds if self.node.tree.require(key).height < floor]:
            del self._rounds[parent]
        super().begin(turn)
        self._serve_all(turn, self.head.hash)

    def renew(self, before: Template | None, parent: ChainRecord, slot: int) -> Template:
        """Return the template that this node looks for on a parent now."""
        target, window_start = self.judging.find_difficulty(parent)
        return Template(
            height=parent.height + 1,
            parent=parent.hash,
            slot=slot,
            target=target,
            window_start=window_start,
            author=self.node.keys.public,
            serial=self.read_round(parent.hash).found,
            nonce=0,
        )

    def compute_digest(self, template: Template) -> Hash32:
        """Return what a template's nonce is found for."""
        return compute_template_digest(self.node.rules.chain_id, template)

    def offer(self, turn: Turn, found: Template) -> None:
        """Publish a template."""
        self.open_round(found.parent).found += 1
        turn.add(Noted(TemplateFound(found.height, found.parent, self._hash(found), found.target)))
        self.node.publish(turn, found)

    def rest(self, turn: Turn, parent: ChainRecord) -> bool:
        """Rest while all the room of this node's templates is taken by such as others may still be signing.

        One more would take the place of one that is about to get its block. Where targets get so easy that templates
        come faster than signatures, as they do if blocks cannot come as often as they should, none would ever get one.
        """
        own = self.read_round(parent.hash).get_drafts_of(self.node.keys.public)
        if len(own) < MAX_TEMPLATES:
            return False
        wake = (parent.hash, next(iter(own.values())).due_slot)
        if wake[1] <= compute_slot(turn.now, self.node.rules.chain.slot_ns):
            return False
        if wake != self._wake:
            self._wake = wake
            self.node.set_timer(turn, ActivityTimer.CLOSE, wake[1], parent.hash)
        return True

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Close blocks that have been given time enough for more signatures than they need, and rest no longer.

        Such blocks are closed by their miner.
        """
        if timer.kind is ActivityTimer.CLOSE and timer.parent == self.head.hash:
            for template_hash, draft in self.read_round(timer.parent).get_drafts_of(self.node.keys.public).items():
                self._serve(turn, template_hash, draft)
            if not turn.pending:
                self.end(turn)

    # ---- judging: reads only ----

    def judge(self, turn: Turn, message: Message) -> Verdict:
        """Judge a template, or the signature of one that was drawn."""
        match message:
            case Template():
                return self._judge_template(turn, message)
            case Cosignature():
                return self._judge_cosignature(message)
        raise TypeError(f"no message of proof of activity: {message!r}")

    def _judge_template(self, turn: Turn, template: Template) -> Verdict:
        if template.height <= self.head.height:
            return Ignore(ChainReason.STALE)
        template_hash = self._hash(template)
        if self.read_round(template.parent).has_had(template_hash):
            return Ignore(ChainReason.DUPLICATE)
        found = self.node.find_context(turn, template, template.height, template.parent)
        if not isinstance(found, Context):
            return found
        return self.node.rules.judge_once(self.judging.judge_template, found, template)

    def _judge_cosignature(self, signature: Cosignature) -> Verdict:
        if signature.template in self._refused_templates:
            return Reject(ActivityReason.REFUSED_TEMPLATE)
        parent = find_open_parent(self.node, signature.parent)
        if not isinstance(parent, BlockRecord):
            return parent
        if not parent.state.stakes.get_stake(signature.author):  # nothing could draw it: it takes no room here
            return Reject(ChainReason.NOT_BONDED)
        draft = self.read_round(signature.parent).drafts.get(signature.template)
        if draft is None:
            return Wait(ActivityMissing.TEMPLATE, signature.template)
        verdict = self.judging.judge_cosignature(self.node.rules, draft.template, draft.group, signature)
        if verdict is not ACCEPT:
            return verdict
        return Ignore(ChainReason.DUPLICATE) if signature.author in draft.book else ACCEPT

    # ---- writing: only after the verdict ----

    def apply(self, turn: Turn, message: Message) -> None:
        """Collect an accepted message, and act on it."""
        match message:
            case Template():
                self._add_template(turn, message)
            case Cosignature():
                draft = self.open_round(message.parent).drafts[message.template]
                draft.book.add(message)
                self._serve(turn, message.template, draft)

    def _add_template(self, turn: Turn, template: Template) -> None:
        template_hash = self._hash(template)
        group = self.judging.find_group(self.node.rules, self.node.tree.require(template.parent), template)
        due_slot = compute_slot(turn.now, self.node.rules.chain.slot_ns) + PATIENCE_SLOTS
        draft = Draft(template, group, SignatureBook((*group.signers, group.closer)), due_slot)
        self.open_round(template.parent).add(template_hash, draft)
        if not group.is_last and group.closer == self.node.keys.public:
            self.node.set_timer(turn, ActivityTimer.CLOSE, due_slot, template.parent)
        self._serve(turn, template_hash, draft)
        self.node.judge_again(turn, Wait(ActivityMissing.TEMPLATE, template_hash))

    def remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Keep in mind a template that can never become valid; its own signature is no part of its hash."""
        if isinstance(message, Template) and reason is not ChainReason.BAD_SIGNATURE:
            template_hash = self._hash(message)
            self._refused_templates.remember(template_hash)
            self.node.judge_again(turn, Wait(ActivityMissing.TEMPLATE, template_hash))

    # ---- signing and closing ----

    def _serve_all(self, turn: Turn, parent: Hash32) -> None:
        for template_hash, draft in self.read_round(parent).drafts.items():
            self._serve(turn, template_hash, draft)

    def _serve(self, turn: Turn, template_hash: Hash32, draft: Draft) -> None:
        """Sign or close, if this node is to and the template builds on the head, or on a version of a block.

        The latter, since else a closer could show a second version whenever a template on the first is about to get
        its block.
        """
        template, group, author = draft.template, draft.group, self.node.keys.public
        if template.parent != self.head.hash and not self._is_version(template.parent):
            return
        if author in group.signers and not draft.has_signed and self.is_willing(template):
            draft.has_signed = True
            self.node.publish(
                turn,
                Cosignature(height=template.height, parent=template.parent, template=template_hash, author=author),
            )
        if author == group.closer and not draft.has_closed and self._is_time(turn, draft) and self.is_willing(template):
            draft.has_closed = True
            self.node.publish(turn, self._build_block(draft))

    def is_willing(self, template: Template) -> bool:
        """Return whether this node signs or closes for a template that has drawn it: for any that is valid."""
        return True

    def _is_time(self, turn: Turn, draft: Draft) -> bool:
        """Return whether a block has all signatures, or all that it needs and has been given time for more."""
        authors = tuple(signature.author for signature in draft.book.get_signatures())
        is_due = compute_slot(turn.now, self.node.rules.chain.slot_ns) >= draft.due_slot
        return draft.book.is_complete or (is_due and self.judging.has_enough(draft.group, authors))

    def _is_version(self, block: Hash32) -> bool:
        """Return whether a block would be the head if there were no other version of it."""
        record, tree = self.node.tree.require(block), self.node.tree
        return tree.is_doubtful(record) and record.height >= self.head.height

    def _build_block(self, draft: Draft) -> ActivityBlock:
        template, signatures = draft.template, draft.book.get_signatures()
        transactions = self.choose_transactions() if template.parent == self.head.hash else ()
        authors = tuple(signature.author for signature in signatures)
        return ActivityBlock(
            template=template,
            signatures=signatures,
            transactions=transactions,
            coinbase=self.judging.build_coinbase(template, draft.group, authors, transactions),
            author=draft.group.closer,
        )

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers of a block that this node closes."""
        return self.node.select_transactions()

    # ---- small helpers ----

    def _hash(self, message: Message) -> Hash32:
        return self.node.rules.hash_message(message)

    def read_round(self, parent: Hash32) -> Round:
        """Return what was collected for a parent, without making room for more."""
        return self._rounds.get(parent) or Round()

    def open_round(self, parent: Hash32) -> Round:
        """Return what was collected for a parent, to be added to."""
        return self._rounds.setdefault(parent, Round())

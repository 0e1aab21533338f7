"""The rules of proof of activity. Every function reads and returns; the first write comes after the verdict."""

from typing import Any

from protocol.cosigning import draw_places
from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.mechanism import Context, Mechanism, RulesView
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis
from protocol.mechanisms.proof_of_activity.group import Group, form_group
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.reasons import ActivityReason
from protocol.mechanisms.proof_of_activity.rewards import build_coinbase
from protocol.mechanisms.proof_of_activity.work import compute_template_digest
from protocol.mechanisms.proof_of_work.difficulty import find_difficulty
from protocol.mechanisms.proof_of_work.work import does
from protocol.messages import Payout, Transaction
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, Reject, Verdict


class ActivityJudge(Mechanism):
    """The judging half of the mechanism: templates, signatures of those drawn, and blocks of one chain."""

    genesis: ActivityGenesis

    def may_speak(self, ledger: LedgerState, account: AccountId) -> bool:
        """Return that anyone may mine; who is drawn to sign has stake, by the draw itself."""
        return True

    # ---- templates ----

    def find_difficulty(self, parent: ChainRecord) -> tuple[int, int]:
        """Return target and window's first slot of templates on a parent."""
        before = parent.block.template if isinstance(parent.block, ActivityBlock) else None
        return find_difficulty(self.genesis.difficulty, self.genesis.chain.slot_ns, before)

    def judge_template(self, context: Context[Any], template: Template) -> Verdict:
        """Judge a template whose author has been judged: place, target and window by the parent, work by one guess."""
        verdict = context.rules.judge_position(context, template.height, template.slot)
        if verdict is not ACCEPT:
            return verdict
        target, window_start = self.find_difficulty(context.parent)
        if template.target != target:
            return Reject(ActivityReason.WRONG_TARGET)
        if template.window_start != window_start:
            return Reject(ActivityReason.WRONG_WINDOW)
        digest = compute_template_digest(context.rules.chain_id, template)
        is_worked_for = does(self.genesis.proof, self.genesis.hash_name, template.nonce, digest, target)
        return ACCEPT if is_worked_for else Reject(ActivityReason.BAD_WORK)

    def find_group(self, rules: RulesView, parent: ChainRecord, template: Template) -> Group:
        """Return who is drawn by a template's hash from the bonds after its parent.

        To choose another group somebody has to find another template, at full cost.
        """
        drawn_by = rules.hash_message(template)
        places = rules.recall(("places", drawn_by), draw_places, drawn_by, parent.state.stakes, self.genesis.drawn)
        return form_group(places, template.author, are_all_needed=self.genesis.needed == self.genesis.drawn)

    def has_enough(self, group: Group, authors: "tuple[AccountId, ...]") -> bool:
        """Return whether a block may be closed with the signatures of these."""
        return len(group.list_present(authors)) >= self.genesis.needed

    # ---- signatures and blocks ----

    def judge_cosignature(self, rules: RulesView, template: Template, group: Group, signature: Cosignature) -> Verdict:
        """Judge a signature over a known template, whose author has been judged."""
        named = (signature.height, signature.parent, signature.template)
        if named != (template.height, template.parent, rules.hash_message(template)):
            return Reject(ActivityReason.TEMPLATE_MISMATCH)
        return ACCEPT if signature.author in group.signers else Reject(ActivityReason.NOT_DRAWN)

    def judge_proof(self, context: Context[Any], block: ActivityBlock) -> Verdict:
        """Judge a block's template, the signatures of those it drew, and who closes it."""
        rules, template = context.rules, block.template
        if not rules.is_signed(template):
            return Reject(ChainReason.BAD_SIGNATURE)
        verdict = rules.judge_once(self.judge_template, context, template)
        if verdict is not ACCEPT:
            return verdict
        group = self.find_group(rules, context.parent, template)
        if block.author != group.closer:
            return Reject(ActivityReason.WRONG_CLOSER)
        for signature in block.signatures:
            verdict = self.judge_cosignature(rules, template, group, signature)
            if verdict is not ACCEPT:
                return verdict
        authors = tuple(signature.author for signature in block.signatures)
        if authors != tuple(owner for owner in group.signers if owner in authors):
            return Reject(ActivityReason.SIGNERS_NOT_ORDERED)
        if not self.has_enough(group, authors):
            return Reject(ActivityReason.TOO_FEW_SIGNATURES)
        return ACCEPT if all(map(rules.is_signed, block.signatures)) else Reject(ChainReason.BAD_SIGNATURE)

    # ---- money ----

    def build_coinbase(
        self, template: Template, group: Group, authors: "tuple[AccountId, ...]", transactions: tuple[Transaction, ...]
    ) -> tuple[Payout, ...]:
        """Return the one coinbase that is right for a block with the signatures of these."""
        return build_coinbase(
            self.genesis.reward,
            self.genesis.shares,
            template.height,
            sum(transaction.fee for transaction in transactions),
            miner=template.author,
            closer=group.closer,
            present=group.list_present(authors),
            drawn=self.genesis.drawn,
        )

    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: ActivityBlock) -> tuple[Payout, ...]:
        """Return the one coinbase that is right for a block."""
        authors = tuple(signature.author for signature in block.signatures)
        group = self.find_group(rules, parent, block.template)
        return self.build_coinbase(block.template, group, authors, block.transactions)

"""A miner's half of a node: it looks for a nonce on the head, a slice at a time, and so hears of a new head."""

from collections.abc import Hashable
from typing import Final, Protocol

import msgspec

from protocol.events import ChainRecord, StartWork, Timer
from protocol.mechanism import NodeView, Proposer
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_header_digest
from protocol.messages import Transaction
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId


class Templates(Protocol):
    """What a miner needs of its mechanism."""

    def build_template(
        self, head: ChainRecord, author: AccountId, slot: int, transactions: tuple[Transaction, ...]
    ) -> WorkedBlock:
        """Return the block on a head that its miner has yet to find a nonce for."""


class Miner(Proposer):
    """Asks for one search after the other; what comes of one that is for an older head no longer matters."""

    def __init__(self, mechanism: Templates, node: NodeView) -> None:
        """Begin with nothing to look for."""
        self._mechanism: Final = mechanism
        self.node: Final = node
        self._has_begun = False
        self._template: WorkedBlock | None = None
        """The block that lacks a nonce."""
        self._task: SearchNonce | None = None
        """The search under way on the head; None where one is due, or the chain is whole."""

    # ---- what a miner may do otherwise ----

    def choose_parent(self) -> ChainRecord:
        """Return the block that the next one is looked for on: the head."""
        return self.node.tree.head

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers of a block on that."""
        return self.node.select_transactions()

    def offer(self, turn: Turn, block: WorkedBlock) -> None:
        """Take a block that was found: send it to everybody."""
        self.node.publish(turn, block)

    # ---- acting ----

    def begin(self, turn: Turn) -> None:
        """Look for a block on the head; a head that several blocks of one turn move is looked at once."""
        self._has_begun = True
        if not turn.pending:
            self._go_on(turn)

    def end(self, turn: Turn) -> None:
        """Go on when all messages of a turn are judged."""
        if self._has_begun:
            self._go_on(turn)

    def finish(self, turn: Turn, task: Hashable, result: object) -> None:
        """Publish the block where a nonce was found, or go on with the next ones.

        Raises:
            TypeError: The work is no search for a nonce.
        """
        if not isinstance(task, SearchNonce) or not isinstance(result, Searched):
            super().finish(turn, task, result)
        elif task == self._task and isinstance(result, Searched) and self._template is not None:
            if result.nonce is None:
                self._search(turn, task, result.tried)
            else:
                self._task = None
                self.offer(turn, msgspec.structs.replace(self._template, nonce=result.nonce))

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Refuse a timer: it sets none.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"nobody set {timer!r}")

    def _go_on(self, turn: Turn) -> None:
        """Look for a block, unless a search for one with the right parent is under way."""
        template = self._template
        if self._task is None or template is None or template.parent != self.choose_parent().hash:
            self._search(turn)

    def _search(self, turn: Turn, before: SearchNonce | None = None, tried: int = 0) -> None:
        """Ask for a search with the transfers and the slot of now, behind the nonces that have been tried for them."""
        parent, rules = self.choose_parent(), self.node.rules
        if parent.height >= rules.chain.length:
            self._task = None
            return
        slot = max(parent.slot, compute_slot(turn.now, rules.chain.slot_ns))
        transactions, template = self.choose_transactions(), self._template
        if template is None or template.parent != parent.hash or template.transactions != transactions:
            template = self._mechanism.build_template(parent, self.node.keys.public, slot, transactions)
        self._template = template = msgspec.structs.replace(template, slot=slot)
        digest = compute_header_digest(rules.chain_id, self._template)
        start = before.start + tried if before is not None and before.digest == digest else 0
        self._task = SearchNonce(digest, template.target, start)
        turn.add(StartWork(self._task))

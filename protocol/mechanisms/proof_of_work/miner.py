"""A miner's half of a node: it looks for a nonce on the head, a slice at a time, and so hears of a new head."""

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, Final, Generic, Protocol

import msgspec

from protocol.events import ChainRecord, StartWork, Timer
from protocol.mechanism import MessageT, NodeView, Proposer
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_header_digest
from protocol.messages import Transaction
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Hash32


class Searcher(Proposer, Generic[MessageT]):
    """Asks for one search after the other; what comes of one that is for an older head no longer matters."""

    def __init__(self, node: NodeView) -> None:
        """Begin with nothing to look for."""
        self.node: Final = node
        self._has_begun = False
        self._template: MessageT | None = None
        """What lacks a nonce."""
        self._task: SearchNonce | None = None
        """The search under way on the head; None where one is due, or the node rests, or the chain is whole."""

    # ---- what a nonce is looked for ----

    @abstractmethod
    def renew(self, before: MessageT | None, parent: ChainRecord, slot: int) -> MessageT:
        """Return what a nonce is to be found for on a parent now, perhaps what it was before but for its slot."""

    @abstractmethod
    def compute_digest(self, template: MessageT) -> Hash32:
        """Return what the nonce is found for."""

    @abstractmethod
    def offer(self, turn: Turn, found: MessageT) -> None:
        """Take what has its nonce."""

    def choose_parent(self) -> ChainRecord:
        """Return the block that a nonce is looked for on: the head."""
        return self.node.tree.head

    def rest(self, turn: Turn, parent: ChainRecord) -> bool:
        """Return whether nothing is to be looked for on a parent now; whoever rests sees to it that it is woken."""
        return False

    # ---- acting ----

    def begin(self, turn: Turn) -> None:
        """Look for a nonce on the head; a head that several blocks of one turn move is looked at once."""
        self._has_begun = True
        if not turn.pending:
            self._go_on(turn)

    def end(self, turn: Turn) -> None:
        """Go on when all messages of a turn are judged."""
        if self._has_begun:
            self._go_on(turn)

    def finish(self, turn: Turn, task: Hashable, result: object) -> None:
        """Offer what has its nonce, or go on with the next ones.

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
        """Look for a nonce, unless a search for one with the right parent is under way."""
        template: Any = self._template
        if self._task is None or template is None or template.parent != self.choose_parent().hash:
            self._search(turn)

    def _search(self, turn: Turn, before: SearchNonce | None = None, tried: int = 0) -> None:
        """Ask for a search for what is up to date now, behind the nonces that have been tried for it."""
        parent, rules = self.choose_parent(), self.node.rules
        if parent.height >= rules.chain.length or self.rest(turn, parent):
            self._task = None
            return
        old: Any = self._template
        template: Any = self.renew(old, parent, max(parent.slot, compute_slot(turn.now, rules.chain.slot_ns)))
        self._template = template
        digest = before.digest if before is not None and template is old else self.compute_digest(template)
        start = before.start + tried if before is not None and before.digest == digest else 0
        self._task = SearchNonce(digest, template.target, start)
        turn.add(StartWork(self._task))


class Templates(Protocol):
    """What a miner needs of its mechanism."""

    def build_template(
        self, head: ChainRecord, author: AccountId, slot: int, transactions: tuple[Transaction, ...]
    ) -> WorkedBlock:
        """Return the block on a head that its miner has yet to find a nonce for."""


class Miner(Searcher[WorkedBlock]):
    """Looks for blocks that are whole but for their nonces."""

    def __init__(self, mechanism: Templates, node: NodeView) -> None:
        """Begin with nothing to look for."""
        super().__init__(node)
        self._mechanism: Final = mechanism

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers of a block that this node makes."""
        return self.node.select_transactions()

    def renew(self, before: WorkedBlock | None, parent: ChainRecord, slot: int) -> WorkedBlock:
        """Return the block that this node would make on a parent now, with the transfers that it has heard of."""
        transactions = self.choose_transactions()
        if before is None or before.parent != parent.hash or before.transactions != transactions:
            before = self._mechanism.build_template(parent, self.node.keys.public, slot, transactions)
        return before if before.slot == slot else msgspec.structs.replace(before, slot=slot)

    def compute_digest(self, template: WorkedBlock) -> Hash32:
        """Return the digest of a block's header."""
        return compute_header_digest(self.node.rules.chain_id, template)

    def offer(self, turn: Turn, found: WorkedBlock) -> None:
        """Send a block to everybody."""
        self.node.publish(turn, found)

"""A miner's half of a node: it looks for a nonce on the head, a slice at a time, and so hears of a new head."""

from collections.abc import Callable, Hashable
from typing import Final

import msgspec

from protocol.events import ChainRecord, StartWork, Timer
from protocol.mechanism import NodeView, Proposer
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_header_digest
from protocol.messages import Transaction
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId

BuildTemplate = Callable[[ChainRecord, AccountId, int, tuple[Transaction, ...]], WorkedBlock]
"""Returns the block of a head, an author, a slot and transfers, without a nonce."""


class Miner(Proposer):
    """Asks for one search after the other; what comes of one that is for an older head no longer matters."""

    def __init__(self, build_template: BuildTemplate, node: NodeView) -> None:
        """Begin with nothing to look for."""
        self._build_template: Final = build_template
        self._node: Final = node
        self._has_begun = False
        self._template: WorkedBlock | None = None
        """The block that lacks a nonce."""
        self._task: SearchNonce | None = None
        """The search under way on the head; None where one is due, or the chain is whole."""

    def begin(self, turn: Turn) -> None:
        """Look for a block on the head; a head that several blocks of one turn move is looked at once."""
        self._has_begun, self._task = True, None
        if not turn.pending:
            self._search(turn)

    def end(self, turn: Turn) -> None:
        """Go on when all messages of a turn are judged."""
        if self._has_begun and self._task is None:
            self._search(turn)

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
                self._node.publish(turn, msgspec.structs.replace(self._template, nonce=result.nonce))

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Refuse a timer: it sets none.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"nobody set {timer!r}")

    def _search(self, turn: Turn, before: SearchNonce | None = None, tried: int = 0) -> None:
        """Ask for a search with the transfers and the slot of now, behind the nonces that have been tried for them."""
        head, rules = self._node.tree.head, self._node.rules
        if head.height >= rules.chain.length:
            return
        slot = max(head.slot, compute_slot(turn.now, rules.chain.slot_ns))
        transactions, template = self._node.select_transactions(), self._template
        if template is None or template.parent != head.hash or template.transactions != transactions:
            template = self._build_template(head, self._node.keys.public, slot, transactions)
        self._template = template = msgspec.structs.replace(template, slot=slot)
        digest = compute_header_digest(rules.chain_id, self._template)
        start = before.start + tried if before is not None and before.digest == digest else 0
        self._task = SearchNonce(digest, template.target, start)
        turn.add(StartWork(self._task))

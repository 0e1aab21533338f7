"""Transfers that wait for a block. Bounded, and independent of how blocks are agreed."""

import heapq
from collections.abc import Iterable
from typing import Final

from protocol.ledger import Account, LedgerState, find_transfer_fault
from protocol.messages import Transaction
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Verdict

MAX_POOL: Final = 10_000
"""Transfers kept at most."""

MAX_NONCE_LEAD: Final = 256
"""How far a waiting transfer may be ahead of its author's account."""


class Mempool:
    """Pending transfers, one for each author and nonce."""

    def __init__(self) -> None:
        """Start empty."""
        self._pending: dict[AccountId, dict[int, Transaction]] = {}
        self._size = 0

    def __len__(self) -> int:
        """Return the number of pending transfers."""
        return self._size

    def judge(self, state: LedgerState, transaction: Transaction) -> Verdict:
        """Return whether a correctly signed transfer should be kept.

        What the account cannot pay *now* is ignored, not rejected: the sender may know a newer block than this node.
        """
        account = state.accounts.get(transaction.author)
        if account is None:
            return Ignore(LedgerReason.UNKNOWN_ACCOUNT)
        if transaction.nonce < account.nonce:
            return Ignore(LedgerReason.NONCE_USED)
        if transaction.nonce > account.nonce + MAX_NONCE_LEAD:
            return Ignore(LedgerReason.NONCE_GAP)
        if transaction.amount + transaction.fee > account.balance:
            return Ignore(LedgerReason.OVERDRAFT)
        if transaction.nonce in self._pending.get(transaction.author, ()):
            return Ignore(ChainReason.DUPLICATE)
        return Ignore(LedgerReason.POOL_FULL) if self._size >= MAX_POOL else ACCEPT

    def add(self, transaction: Transaction) -> None:
        """Keep a judged transfer."""
        of_author = self._pending.setdefault(transaction.author, {})
        self._size += transaction.nonce not in of_author
        of_author[transaction.nonce] = transaction

    def select(self, state: LedgerState, limit: int) -> tuple[Transaction, ...]:
        """Return transfers a block on ``state`` may carry: highest fee first, each author's in order of nonce."""
        chosen: list[Transaction] = []
        payers = {author: state.accounts[author] for author in self._pending if author in state.accounts}
        queue = [self._rank(author, payer.nonce) for author, payer in payers.items()]
        heapq.heapify(queue)
        while queue and len(chosen) < limit:
            _, author = heapq.heappop(queue)
            payer = payers[author]
            candidate = self._pending[author].get(payer.nonce)
            if candidate is None or find_transfer_fault(payer, candidate) is not None:
                continue
            chosen.append(candidate)
            payers[author] = Account(payer.balance - candidate.amount - candidate.fee, payer.nonce + 1)
            heapq.heappush(queue, self._rank(author, payer.nonce + 1))
        return tuple(chosen)

    def _rank(self, author: AccountId, nonce: int) -> tuple[int, AccountId]:
        candidate = self._pending[author].get(nonce)
        return (-candidate.fee if candidate else 0, author)

    def on_head_changed(self, state: LedgerState, returned: Iterable[Transaction]) -> None:
        """Take back transfers of abandoned blocks and forget those the new state has settled."""
        for transaction in returned:
            if self._size < MAX_POOL:
                self.add(transaction)
        for author in list(self._pending):
            settled = state.get_account(author).nonce
            kept = {nonce: item for nonce, item in self._pending[author].items() if nonce >= settled}
            self._size += len(kept) - len(self._pending[author])
            if kept:
                self._pending[author] = kept
            else:
                del self._pending[author]

    def snapshot(self) -> tuple[tuple[AccountId, int], ...]:
        """Return author and nonce of every pending transfer, sorted."""
        return tuple(sorted((author, nonce) for author, of_author in self._pending.items() for nonce in of_author))

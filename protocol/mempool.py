"""Transfers that wait for a block. Bounded, and independent of how blocks are agreed.

A full pool gives the place of its worst transfer to a better one. What a transfer is worth is the least fee among it
and those of its author that must go before it, as nobody can be paid for it without them; one that cannot be applied
as things are, because of a gap of numbers or for want of coins, is worth nothing. So no number of accounts, and of
transfers that never apply, keeps out one that pays.
"""

import heapq
from collections.abc import Iterable
from typing import Final

from protocol.bonding import RESERVED, BondRules, count_cost
from protocol.ledger import Account, LedgerState, find_transfer_fault, pay
from protocol.messages import Transaction
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Verdict

MAX_POOL: Final = 10_000
"""Transfers kept at most."""

MAX_NONCE_LEAD: Final = 256
"""How far a waiting transfer may be ahead of its author's account; so nobody has more than one more of them."""

MAX_BLOCKS_STUCK: Final = 8
"""Moves of the head for which a transfer is kept that cannot be applied as things are."""

STUCK: Final = -1
"""What a transfer is worth that cannot be applied as things are: less than any fee."""

Claim = tuple[int, int]
"""What orders transfers that want a place: what they are worth, then how few their author has, the best one highest."""


class Mempool:
    """Pending transfers, one for each author and nonce."""

    def __init__(self, deposit: int = 0, bonding: BondRules | None = None) -> None:
        """Start empty.

        Args:
            deposit: Micro-coins that opening an account takes.
            bonding: How the chain takes deposits; None where it takes none.
        """
        self._deposit: Final = deposit
        self._bonding: Final = bonding
        self._pending: dict[AccountId, dict[int, Transaction]] = {}
        self._stuck: dict[tuple[AccountId, int], int] = {}
        """How often the head has moved without a transfer becoming one that can be applied, by author and nonce."""
        self._claims: dict[AccountId, Claim] = {}
        """What each author's last transfer has to say for its place; no other one of its author's is worth less."""
        self._worst: list[tuple[Claim, AccountId]] = []
        """A heap of claims, with some that do not hold any more but never at its top."""
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
        if count_cost(transaction) > account.balance - account.reserve:
            return Ignore(LedgerReason.OVERDRAFT)
        if transaction.recipient in RESERVED:
            fault = account.bond.find_fault(transaction, self._bonding)
            if fault is not None:
                return Ignore(fault)
        elif transaction.recipient not in state.accounts and transaction.amount < self._deposit:
            return Ignore(LedgerReason.BELOW_DEPOSIT)
        if transaction.nonce in self._pending.get(transaction.author, ()):
            return Ignore(ChainReason.DUPLICATE)
        return ACCEPT if self._has_room(state, transaction) else Ignore(LedgerReason.POOL_FULL)

    def add(self, state: LedgerState, transaction: Transaction) -> None:
        """Keep a judged transfer; the worst one goes where the pool is full."""
        author = transaction.author
        of_author = self._pending.setdefault(author, {})
        self._size += transaction.nonce not in of_author
        of_author[transaction.nonce] = transaction
        self._rate(state, author)
        if self._size > MAX_POOL:
            loser = self._worst[0][1]
            self._drop(loser, max(self._pending[loser]))
            self._rate(state, loser)

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
            if candidate is None or not self._is_payable(state, payer, candidate):
                continue
            chosen.append(candidate)
            payers[author] = pay(payer, candidate, self._bonding)
            heapq.heappush(queue, self._rank(author, payer.nonce + 1))
        return tuple(chosen)

    def _rank(self, author: AccountId, nonce: int) -> tuple[int, AccountId]:
        candidate = self._pending[author].get(nonce)
        return (-candidate.fee if candidate else 0, author)

    def _is_payable(self, state: LedgerState, payer: Account, candidate: Transaction) -> bool:
        """Return whether a transfer may be its payer's next one; whom others of this pool pay is not counted on."""
        payee = state.accounts.get(candidate.recipient)
        fault = find_transfer_fault(payer, candidate, payee=payee, deposit=self._deposit, bonding=self._bonding)
        return fault is None

    # ---- who has to go ----

    def _has_room(self, state: LedgerState, transaction: Transaction) -> bool:
        """Return whether there is a free place, or a transfer that has less to say for its own."""
        if self._size < MAX_POOL:
            return True
        of_author = self._pending.get(transaction.author, {})
        lowest = self._walk(state, transaction.author, {**of_author, transaction.nonce: transaction})
        claim = (lowest.get(transaction.nonce, STUCK), -len(of_author) - 1)
        return claim > self._worst[0][0]

    def _walk(self, state: LedgerState, author: AccountId, of_author: dict[int, Transaction]) -> dict[int, int]:
        """Return what each transfer of an author is worth that can be applied as things are, by nonce."""
        payer = state.get_account(author)
        worth: dict[int, int] = {}
        lowest: int | None = None
        while (candidate := of_author.get(payer.nonce)) is not None and self._is_payable(state, payer, candidate):
            lowest = candidate.fee if lowest is None else min(lowest, candidate.fee)
            worth[payer.nonce] = lowest
            payer = pay(payer, candidate, self._bonding)
        return worth

    def _rate(self, state: LedgerState, author: AccountId) -> None:
        """Work out what an author's last transfer has to say for its place."""
        of_author = self._pending.get(author)
        if of_author:
            worth = self._walk(state, author, of_author).get(max(of_author), STUCK)
            claim = self._claims[author] = (worth, -len(of_author))
            heapq.heappush(self._worst, (claim, author))
        else:
            self._pending.pop(author, None)
            self._claims.pop(author, None)
        while self._worst and self._claims.get(self._worst[0][1]) != self._worst[0][0]:
            heapq.heappop(self._worst)
        if len(self._worst) > 2 * MAX_POOL:
            self._worst = sorted((claim, owner) for owner, claim in self._claims.items())

    def _drop(self, author: AccountId, nonce: int) -> None:
        del self._pending[author][nonce]
        self._stuck.pop((author, nonce), None)
        self._size -= 1

    # ---- when the head has moved ----

    def on_head_changed(self, state: LedgerState, returned: Iterable[Transaction]) -> None:
        """Take back transfers of abandoned blocks, and forget those that are settled or have been stuck for long."""
        for author in list(self._pending):
            self._prune(state, author)
        for transaction in returned:
            nonce = state.get_account(transaction.author).nonce
            is_open = nonce <= transaction.nonce <= nonce + MAX_NONCE_LEAD
            is_known = transaction.nonce in self._pending.get(transaction.author, ())
            if is_open and not is_known and self._has_room(state, transaction):
                self.add(state, transaction)

    def _prune(self, state: LedgerState, author: AccountId) -> None:
        of_author = self._pending[author]
        first = state.get_account(author).nonce
        payable = self._walk(state, author, of_author)
        for nonce in list(of_author):
            if nonce in payable:
                self._stuck.pop((author, nonce), None)
                continue
            moves = self._stuck[author, nonce] = self._stuck.get((author, nonce), 0) + 1
            if not first <= nonce <= first + MAX_NONCE_LEAD or moves > MAX_BLOCKS_STUCK:
                self._drop(author, nonce)
        self._rate(state, author)

    def snapshot(self) -> tuple[tuple[AccountId, int], ...]:
        """Return author and nonce of every pending transfer, sorted."""
        return tuple(sorted((author, nonce) for author, of_author in self._pending.items() for nonce in of_author))

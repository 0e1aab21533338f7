"""Accounts, and the rules for moving money between them; how blocks are agreed is no business of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from protocol.genesis import Genesis
from protocol.messages import Payout, Transaction
from protocol.stakes import StakeTable
from protocol.types import AccountId
from protocol.verdicts import LedgerReason


class LedgerError(Exception):
    """Our own books do not add up: a bug, never a peer's fault."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one key owns."""

    balance: int = 0
    """Liquid micro-coins."""
    nonce: int = 0
    """Transfers made so far; the number the next one must carry."""
    reserve: int = 0
    """Micro-coins of the balance that must stay: the deposit that opening the account took."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """All accounts after some block; never changed in place."""

    accounts: Mapping[AccountId, Account]
    stakes: StakeTable
    supply: int
    """Micro-coins in existence, liquid and bonded."""

    @classmethod
    def from_genesis(cls, genesis: Genesis) -> "LedgerState":
        """Return the opening state."""
        accounts = {line.account: Account(balance=line.balance) for line in genesis.accounts}
        stakes = StakeTable({line.account: line.stake for line in genesis.accounts})
        supply = stakes.total + sum(account.balance for account in accounts.values())
        return cls(MappingProxyType(accounts), stakes, supply)

    def get_account(self, owner: AccountId) -> Account:
        """Return an account; one that was never paid is empty."""
        return self.accounts.get(owner, Account())

    def check_supply(self) -> None:
        """Compare the sum of all accounts with the supply.

        Raises:
            LedgerError: They differ.
        """
        total = self.stakes.total + sum(account.balance for account in self.accounts.values())
        if total != self.supply:
            raise LedgerError(f"accounts hold {total} micro-coins, but the supply is {self.supply}")


def pay(payer: Account, transaction: Transaction) -> Account:
    """Return an account after a transfer of its own."""
    balance = payer.balance - transaction.amount - transaction.fee
    return replace(payer, balance=balance, nonce=payer.nonce + 1)


def find_transfer_fault(
    payer: Account | None, transaction: Transaction, *, payee: Account | None, deposit: int = 0
) -> LedgerReason | None:
    """Return why a transfer cannot be its payer's next one, or None if it can.

    The signature is checked elsewhere; this is about money only.

    Args:
        payer: The author's account; None if there is none.
        transaction: The transfer.
        payee: The recipient's account; None if the transfer would open it.
        deposit: Micro-coins that opening an account takes.
    """
    if payer is None:
        return LedgerReason.UNKNOWN_ACCOUNT
    if transaction.nonce < payer.nonce:
        return LedgerReason.NONCE_USED
    if transaction.nonce > payer.nonce:
        return LedgerReason.NONCE_GAP
    if transaction.amount + transaction.fee > payer.balance - payer.reserve:
        return LedgerReason.OVERDRAFT
    if payee is None and transaction.amount < deposit:
        return LedgerReason.BELOW_DEPOSIT
    return None


def find_block_fault(
    state: LedgerState, transactions: Iterable[Transaction], *, deposit: int = 0
) -> LedgerReason | None:
    """Return why these transfers cannot be applied in this order, or None if they can."""
    touched: dict[AccountId, Account] = {}
    for transaction in transactions:
        payer = touched.get(transaction.author) or state.accounts.get(transaction.author)
        payee = touched.get(transaction.recipient) or state.accounts.get(transaction.recipient)
        fault = find_transfer_fault(payer, transaction, payee=payee, deposit=deposit)
        if fault is not None:
            return fault
        _move(state, touched, transaction, deposit)
    return None


def count_created(transactions: Iterable[Transaction], payouts: Iterable[Payout]) -> int:
    """Return the micro-coins that a block adds to the supply: what it pays beyond its fees."""
    return sum(payout.amount for payout in payouts) - sum(transaction.fee for transaction in transactions)


def apply_block(
    state: LedgerState, transactions: Iterable[Transaction], payouts: Iterable[Payout], *, most: int, deposit: int = 0
) -> LedgerState:
    """Return the state after a block's judged transfers and payouts.

    Args:
        state: The state before.
        transactions: Transfers, in order.
        payouts: Who gets the new coins and the fees.
        most: Micro-coins the block may add to the supply.
        deposit: Micro-coins that opening an account takes; they stay on it.

    Raises:
        LedgerError: The result would not add up.
    """
    transactions, payouts = tuple(transactions), tuple(payouts)
    created = count_created(transactions, payouts)
    if not 0 <= created <= most:
        raise LedgerError(f"the block creates {created} micro-coins, where {most} are due")
    touched: dict[AccountId, Account] = {}
    for transaction in transactions:
        _move(state, touched, transaction, deposit)
    for payout in payouts:
        account = touched.get(payout.account) or state.get_account(payout.account)
        touched[payout.account] = replace(account, balance=account.balance + payout.amount)
    before = sum(state.get_account(owner).balance for owner in touched)
    after = sum(account.balance for account in touched.values())
    if after - before != created or any(account.balance < 0 for account in touched.values()):
        raise LedgerError(f"the block changes balances by {after - before} micro-coins, not by {created}")
    return LedgerState(MappingProxyType({**state.accounts, **touched}), state.stakes, state.supply + created)


def _move(state: LedgerState, touched: dict[AccountId, Account], transaction: Transaction, deposit: int) -> None:
    payer = touched.get(transaction.author) or state.get_account(transaction.author)
    touched[transaction.author] = pay(payer, transaction)
    payee = touched.get(transaction.recipient) or state.accounts.get(transaction.recipient) or Account(reserve=deposit)
    touched[transaction.recipient] = replace(payee, balance=payee.balance + transaction.amount)

"""Accounts, and the rules for moving money between them; how blocks are agreed is no business of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from protocol.bonding import NO_BOND, RESERVED, Bond, BondRules, count_cost
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
    bond: Bond = NO_BOND
    """What it has at stake, and what of that is on its way back."""

    @property
    def total(self) -> int:
        """All its micro-coins, liquid and locked."""
        return self.balance + self.bond.locked


@dataclass(frozen=True, slots=True)
class LedgerState:
    """All accounts after some block; never changed in place."""

    accounts: Mapping[AccountId, Account]
    stakes: StakeTable
    supply: int
    """Micro-coins in existence, liquid and bonded."""
    burnt: int = 0
    """Micro-coins that a mechanism has destroyed so far."""
    consensus: Any = None
    """What the mechanism keeps from block to block, of a type of its own that never changes; None for nothing."""

    @classmethod
    def from_genesis(cls, genesis: Genesis) -> "LedgerState":
        """Return the opening state."""
        accounts = {line.account: Account(line.balance, bond=Bond(line.stake)) for line in genesis.accounts}
        stakes = StakeTable({line.account: line.stake for line in genesis.accounts})
        supply = stakes.total + sum(account.balance for account in accounts.values())
        return cls(MappingProxyType(accounts), stakes, supply)

    def get_account(self, owner: AccountId) -> Account:
        """Return an account; one that was never paid is empty."""
        return self.accounts.get(owner, Account())

    def check_supply(self) -> None:
        """Compare the sum of all accounts with the supply, and what they have at stake with the table of stakes.

        Raises:
            LedgerError: They differ.
        """
        bonded = sum(account.bond.stake for account in self.accounts.values())
        if bonded != self.stakes.total:
            raise LedgerError(f"accounts have {bonded} micro-coins at stake, but the table has {self.stakes.total}")
        total = sum(account.total for account in self.accounts.values())
        if total != self.supply:
            raise LedgerError(f"accounts hold {total} micro-coins, but the supply is {self.supply}")

    def slash(self, owner: AccountId, share: int, rules: BondRules, height: int) -> "LedgerState":
        """Return the state in which a share of all that an account has locked is destroyed.

        Args:
            owner: Whose it is.
            share: Millionths.
            rules: How the chain takes deposits; who is left with too little at stake leaves with it.
            height: Of the block that does so.
        """
        before = self.get_account(owner)
        after = replace(before, bond=before.bond.cut(share, rules, height))
        lost = before.total - after.total
        return replace(
            self,
            accounts=MappingProxyType({**self.accounts, owner: after}),
            stakes=self.stakes.replace({owner: after.bond.stake}),
            supply=self.supply - lost,
            burnt=self.burnt + lost,
        )


def pay(payer: Account, transaction: Transaction, bonding: BondRules | None = None, height: int = 0) -> Account:
    """Return an account after a judged transfer of its own, in a block of some height."""
    paid = replace(payer, balance=payer.balance - count_cost(transaction), nonce=payer.nonce + 1)
    if bonding is None or transaction.recipient not in RESERVED:
        return paid
    return replace(paid, bond=payer.bond.change(transaction, bonding, height))


def find_transfer_fault(
    payer: Account | None,
    transaction: Transaction,
    *,
    payee: Account | None,
    deposit: int = 0,
    bonding: BondRules | None = None,
) -> LedgerReason | None:
    """Return why a transfer cannot be its payer's next one, or None if it can.

    The signature is checked elsewhere; this is about money only.

    Args:
        payer: The author's account; None if there is none.
        transaction: The transfer.
        payee: The recipient's account; None if the transfer would open it.
        deposit: Micro-coins that opening an account takes.
        bonding: How the chain takes deposits; None where it takes none.
    """
    if payer is None:
        return LedgerReason.UNKNOWN_ACCOUNT
    if transaction.nonce < payer.nonce:
        return LedgerReason.NONCE_USED
    if transaction.nonce > payer.nonce:
        return LedgerReason.NONCE_GAP
    if count_cost(transaction) > payer.balance - payer.reserve:
        return LedgerReason.OVERDRAFT
    if transaction.recipient in RESERVED:
        return payer.bond.find_fault(transaction, bonding)
    if payee is None and transaction.amount < deposit:
        return LedgerReason.BELOW_DEPOSIT
    return None


def find_block_fault(
    state: LedgerState, transactions: Iterable[Transaction], *, deposit: int = 0, bonding: BondRules | None = None
) -> LedgerReason | None:
    """Return why these transfers cannot be applied in this order, or None if they can."""
    touched: dict[AccountId, Account] = {}
    for transaction in transactions:
        payer = touched.get(transaction.author) or state.accounts.get(transaction.author)
        payee = touched.get(transaction.recipient) or state.accounts.get(transaction.recipient)
        fault = find_transfer_fault(payer, transaction, payee=payee, deposit=deposit, bonding=bonding)
        if fault is not None:
            return fault
        _move(state, touched, transaction, deposit=deposit, bonding=bonding)
    return None


def count_created(transactions: Iterable[Transaction], payouts: Iterable[Payout]) -> int:
    """Return the micro-coins that a block adds to the supply: what it pays beyond its fees."""
    return sum(payout.amount for payout in payouts) - sum(transaction.fee for transaction in transactions)


def apply_block(
    state: LedgerState,
    transactions: Iterable[Transaction],
    payouts: Iterable[Payout],
    *,
    most: int,
    deposit: int = 0,
    bonding: BondRules | None = None,
    height: int = 0,
) -> LedgerState:
    """Return the state after a block's judged transfers and payouts.

    Args:
        state: The state before.
        transactions: Transfers, in order.
        payouts: Who gets the new coins and the fees.
        most: Micro-coins the block may add to the supply.
        deposit: Micro-coins that opening an account takes; they stay on it.
        bonding: How the chain takes deposits; None where it takes none.
        height: Of the block.

    Raises:
        LedgerError: The result would not add up.
    """
    transactions, payouts = tuple(transactions), tuple(payouts)
    created = count_created(transactions, payouts)
    if not 0 <= created <= most:
        raise LedgerError(f"the block creates {created} micro-coins, where {most} are due")
    touched: dict[AccountId, Account] = {}
    for transaction in transactions:
        _move(state, touched, transaction, deposit=deposit, bonding=bonding, height=height)
    for payout in payouts:
        account = touched.get(payout.account) or state.get_account(payout.account)
        touched[payout.account] = replace(account, balance=account.balance + payout.amount)
    before = sum(state.get_account(owner).total for owner in touched)
    after = sum(account.total for account in touched.values())
    if after - before != created or any(account.balance < 0 for account in touched.values()):
        raise LedgerError(f"the block changes balances by {after - before} micro-coins, not by {created}")
    stakes = _restake(state, touched) if bonding is not None else state.stakes
    accounts = MappingProxyType({**state.accounts, **touched})
    return replace(state, accounts=accounts, stakes=stakes, supply=state.supply + created)


def release_due(state: LedgerState, height: int) -> LedgerState:
    """Return the state with what has been on its way long enough given back: the last thing that a block does.

    So its own transfers cannot spend it yet, and what the block takes of coins at stake it takes of these as well.

    Args:
        state: The state after all else that the block does.
        height: Of the block.
    """
    freed: dict[AccountId, Account] = {}
    for owner, account in state.accounts.items():
        if account.bond.unbonding:
            bond, released = account.bond.release(height)
            freed[owner] = replace(account, balance=account.balance + released, bond=bond)
    return replace(state, accounts=MappingProxyType({**state.accounts, **freed})) if freed else state


def _restake(state: LedgerState, touched: Mapping[AccountId, Account]) -> StakeTable:
    stakes = {owner: account.bond.stake for owner, account in touched.items()}
    changed = {owner: stake for owner, stake in stakes.items() if stake != state.stakes.get_stake(owner)}
    return state.stakes.replace(changed) if changed else state.stakes


def _move(
    state: LedgerState,
    touched: dict[AccountId, Account],
    transaction: Transaction,
    *,
    deposit: int,
    bonding: BondRules | None,
    height: int = 0,
) -> None:
    payer = touched.get(transaction.author) or state.get_account(transaction.author)
    touched[transaction.author] = pay(payer, transaction, bonding, height)
    if transaction.recipient in RESERVED:
        return
    payee = touched.get(transaction.recipient) or state.accounts.get(transaction.recipient) or Account(reserve=deposit)
    touched[transaction.recipient] = replace(payee, balance=payee.balance + transaction.amount)

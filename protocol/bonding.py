"""Coins at stake: how an account bonds coins by a transfer, gets them back after a delay, and loses them.

A deposit is a transfer to a reserved account, and a withdrawal is one to another. Nobody has the keys of either, as
both are hashes; so nonces, fees, pools and users need not know that they are anything special. Withdrawn coins stay
locked for so many blocks, in which they can still be taken, and are then liquid again by themselves.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from msgspec import Meta

from protocol.crypto import Domain, compute_hash
from protocol.genesis import Agreed
from protocol.messages import Transaction
from protocol.types import PARTS_PER_MILLION, AccountId
from protocol.verdicts import LedgerReason

DEPOSITS: Final[AccountId] = compute_hash(Domain(b"pot/bonding/deposits/1"))
"""A transfer to this account bonds its amount."""

WITHDRAWALS: Final[AccountId] = compute_hash(Domain(b"pot/bonding/withdrawals/1"))
"""A transfer to this account unbonds its amount, which is not taken from the balance."""

RESERVED: Final = frozenset((DEPOSITS, WITHDRAWALS))
"""Accounts that never hold anything, on any chain."""


class BondRules(Agreed, frozen=True, kw_only=True):
    """How a chain takes deposits."""

    least_stake: Annotated[int, Meta(ge=1, lt=2**62)]
    """Fewest micro-coins that an account has at stake, if it has any."""
    unbonding_blocks: Annotated[int, Meta(ge=0, lt=2**31)]
    """Blocks from a withdrawal to that after which its coins are liquid."""


@dataclass(frozen=True, slots=True)
class Unbonding:
    """Coins on their way back."""

    amount: int
    """Micro-coins."""
    due: int
    """Height of the block after which they are liquid."""


@dataclass(frozen=True, slots=True)
class Bond:
    """What one account has locked."""

    stake: int = 0
    """Micro-coins that count."""
    unbonding: tuple[Unbonding, ...] = ()
    """Those on their way back, by ascending height; they no longer count, but can still be taken."""

    @property
    def leaving(self) -> int:
        """Micro-coins on their way back."""
        return sum(item.amount for item in self.unbonding)

    @property
    def locked(self) -> int:
        """All micro-coins that are not liquid."""
        return self.stake + self.leaving

    def find_fault(self, transaction: Transaction, rules: BondRules | None) -> LedgerReason | None:
        """Return why a transfer to a reserved account cannot be, or None if it can; its payer can pay it."""
        if rules is None:
            return LedgerReason.NO_DEPOSITS
        if transaction.recipient == DEPOSITS:
            stake = self.stake + transaction.amount
        elif transaction.amount > self.locked:
            return LedgerReason.MORE_THAN_BONDED
        elif transaction.amount > self.stake:
            return LedgerReason.ALREADY_UNBONDING
        else:
            stake = self.stake - transaction.amount
            if stake == 0:
                return None
        return LedgerReason.BELOW_LEAST_STAKE if stake < rules.least_stake else None

    def change(self, transaction: Transaction, rules: BondRules, height: int) -> "Bond":
        """Return the bond after a judged transfer to a reserved account, in a block of some height."""
        if transaction.recipient == DEPOSITS:
            return replace(self, stake=self.stake + transaction.amount)
        return self.unbond(transaction.amount, height + rules.unbonding_blocks)

    def unbond(self, amount: int, due: int) -> "Bond":
        """Return the bond with some of the stake on its way back; what is due at one height is one item."""
        if not amount:
            return self
        before = self.unbonding
        if before and before[-1].due == due:
            amount_due, before = before[-1].amount + amount, before[:-1]
        else:
            amount_due = amount
        return Bond(self.stake - amount, (*before, Unbonding(amount_due, due)))

    def release(self, height: int) -> tuple["Bond", int]:
        """Return the bond after a block of some height, and the micro-coins that are liquid again."""
        kept = tuple(item for item in self.unbonding if item.due > height)
        released = self.leaving - sum(item.amount for item in kept)
        return (Bond(self.stake, kept), released) if released else (self, 0)

    def cut(self, share: int, rules: BondRules, height: int) -> "Bond":
        """Return the bond without a share of all that is locked; the rest unbonds where too little is left.

        Args:
            share: Millionths, rounded up to the whole micro-coin of each part.
            rules: How the chain takes deposits.
            height: Of the block that takes it.
        """
        parts = ((item, item.amount - _take(item.amount, share)) for item in self.unbonding)
        left = tuple(replace(item, amount=amount) for item, amount in parts if amount)
        bond = Bond(self.stake - _take(self.stake, share), left)
        is_too_little = bond.stake < rules.least_stake
        return bond.unbond(bond.stake, height + rules.unbonding_blocks) if is_too_little else bond


NO_BOND: Final = Bond()
"""Nothing locked."""


def _take(amount: int, share: int) -> int:
    return -(-amount * share // PARTS_PER_MILLION)


def count_cost(transaction: Transaction) -> int:
    """Return the micro-coins that a transfer takes from the balance of its payer."""
    return transaction.fee + (transaction.amount if transaction.recipient != WITHDRAWALS else 0)

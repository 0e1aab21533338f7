"""The new coins of each block, in whole micro-coins, and who gets them where its author gets all."""

from math import isqrt
from typing import Final, Literal

from protocol.messages import Payout, Transaction
from protocol.types import MICRO_COINS_PER_COIN, AccountId

Reward = Literal["issuance", "fees", "both"]
"""What the author of a block is paid."""

_ROOT_SCALE: Final = 10**12
"""Decimal places kept of the square root; the subsidy is then the same on every machine."""


def compute_subsidy(height: int) -> int:
    """Return the new micro-coins of block n: ``1000 - 999 * sqrt(n) / (sqrt(n) + 10)`` coins, rounded up.

    Integer arithmetic throughout: 909.181819, 876.224557 and 817.438747 coins at n = 1, 2 and 5.
    """
    root = isqrt(height * _ROOT_SCALE * _ROOT_SCALE)
    return 1000 * MICRO_COINS_PER_COIN - 999 * MICRO_COINS_PER_COIN * root // (root + 10 * _ROOT_SCALE)


def build_coinbase(
    reward: Reward, author: AccountId, height: int, transactions: tuple[Transaction, ...]
) -> tuple[Payout, ...]:
    """Return the coinbase of a block that pays its author alone.

    `issuance` pays the subsidy and destroys the fees, but for what they exceed it by: a block never makes coins fewer.
    `fees` pays the fees alone, so no coin is new; `both` pays both.
    """
    subsidy, fees = compute_subsidy(height), sum(transaction.fee for transaction in transactions)
    amounts = {"issuance": max(subsidy, fees), "fees": fees, "both": subsidy + fees}
    amount = amounts[reward]
    return (Payout(account=author, amount=amount),) if amount else ()

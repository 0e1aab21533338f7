"""What a block pays, and to whom, in whole micro-coins."""

from collections import Counter
from collections.abc import Sequence
from math import isqrt
from typing import Final

from protocol.job import RewardShares
from protocol.messages import Payout
from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION, AccountId

_ROOT_SCALE: Final = 10**12
"""Decimal places kept of the square root; the subsidy is then the same on every machine."""


def compute_subsidy(height: int) -> int:
    """Return the new micro-coins of block n: ``1000 - 999 * sqrt(n) / (sqrt(n) + 10)`` coins, rounded up.

    Integer arithmetic throughout: 909.181819, 876.224557 and 817.438747 coins at n = 1, 2 and 5.
    """
    root = isqrt(height * _ROOT_SCALE * _ROOT_SCALE)
    return 1000 * MICRO_COINS_PER_COIN - 999 * MICRO_COINS_PER_COIN * root // (root + 10 * _ROOT_SCALE)


def compute_coinbase(
    height: int,
    fees: int,
    shares: RewardShares,
    *,
    proposer: AccountId,
    declarers: Sequence[AccountId],
    stakeholders: Sequence[AccountId],
) -> tuple[Payout, ...]:
    """Return the only coinbase a block may carry, by ascending account.

    The proposer gets its share, declarers and stakeholders split theirs evenly, and the wrapping stakeholder (the last
    one) gets the fees and what does not divide.
    """
    subsidy = compute_subsidy(height)
    paid: Counter[AccountId] = Counter()
    paid[proposer] += subsidy * shares.proposer // PARTS_PER_MILLION
    for group, share in ((declarers, shares.declarers), (stakeholders, shares.stakeholders)):
        for account in group:
            paid[account] += subsidy * share // PARTS_PER_MILLION // len(group)
    paid[stakeholders[-1]] += fees + subsidy - paid.total()
    return tuple(Payout(account=account, amount=paid[account]) for account in sorted(paid) if paid[account])

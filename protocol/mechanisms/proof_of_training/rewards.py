"""Who is paid for a block, in whole micro-coins."""

from collections import Counter
from collections.abc import Sequence

from protocol.mechanisms.proof_of_training.job import RewardShares
from protocol.messages import Payout
from protocol.subsidy import compute_subsidy
from protocol.types import PARTS_PER_MILLION, AccountId


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

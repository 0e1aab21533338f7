"""Who is paid for a block, in whole micro-coins."""

from collections import Counter
from collections.abc import Sequence

from protocol.mechanisms.proof_of_training.job import RewardShares
from protocol.messages import Payout
from protocol.stakes import StakeTable
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
    stakes: StakeTable | None = None,
) -> tuple[Payout, ...]:
    """Return the only coinbase a block may carry, by ascending account.

    The proposer gets its share, declarers and stakeholders split theirs evenly, and the wrapping stakeholder (the last
    one) gets the fees and what does not divide. With a table of stakes, a declarer gets the part of the declarers'
    share that its stake is of all stake, and what nobody earns so is not created.
    """
    subsidy = compute_subsidy(height)
    for_declarers = subsidy * shares.declarers // PARTS_PER_MILLION
    for_stakeholders = subsidy * shares.stakeholders // PARTS_PER_MILLION
    paid: Counter[AccountId] = Counter()
    for account in declarers:
        if stakes is None:
            paid[account] += for_declarers // len(declarers)
        else:
            paid[account] += for_declarers * stakes.get_stake(account) // stakes.total
    unpaid = 0 if stakes is None else for_declarers - paid.total()
    paid[proposer] += subsidy * shares.proposer // PARTS_PER_MILLION
    for account in stakeholders:
        paid[account] += for_stakeholders // len(stakeholders)
    paid[stakeholders[-1]] += fees + subsidy - unpaid - paid.total()
    return tuple(Payout(account=account, amount=paid[account]) for account in sorted(paid) if paid[account])

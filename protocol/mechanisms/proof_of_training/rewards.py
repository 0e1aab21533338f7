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
    fees_to: AccountId | None = None,
) -> tuple[Payout, ...]:
    """Return the only coinbase a block may carry, by ascending account.

    The proposer gets its share, declarers and stakeholders split theirs evenly, and the wrapping stakeholder (the last
    one) gets what does not divide. With a table of stakes, a declarer gets the part of the declarers' share that its
    stake is of all stake, the proposer the part of its own share that all declarers' stake is, and what nobody earns so
    is not created.

    Args:
        height: Of the block.
        fees: Of all its transfers together.
        shares: The parts of the subsidy.
        proposer: Author of the header.
        declarers: Authors of the declarations in it.
        stakeholders: All K, in order of the draw.
        stakes: Bonds in the state of the parent, where pay goes by stake.
        fees_to: Who chose the transfers and gets their fees; None for the wrapping stakeholder.
    """
    subsidy, wrapper = compute_subsidy(height), stakeholders[-1]
    for_proposer = subsidy * shares.proposer // PARTS_PER_MILLION
    for_declarers = subsidy * shares.declarers // PARTS_PER_MILLION
    for_stakeholders = subsidy * shares.stakeholders // PARTS_PER_MILLION
    earned: Counter[AccountId] = Counter()
    if stakes is None:
        earned[proposer] += for_proposer
        earned.update({account: for_declarers // len(declarers) for account in declarers})
    else:
        declared = {account: stakes.get_stake(account) for account in declarers}
        earned[proposer] += for_proposer * sum(declared.values()) // stakes.total
        earned.update({account: for_declarers * stake // stakes.total for account, stake in declared.items()})
    unearned = 0 if stakes is None else for_proposer + for_declarers - earned.total()
    for account in stakeholders:
        earned[account] += for_stakeholders // len(stakeholders)
    earned[wrapper] += subsidy - unearned - earned.total()
    earned[wrapper if fees_to is None else fees_to] += fees
    return tuple(Payout(account=account, amount=earned[account]) for account in sorted(earned) if earned[account])

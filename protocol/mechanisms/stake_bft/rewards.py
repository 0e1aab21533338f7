"""Who is paid for a block."""

from protocol.mechanisms.stake_bft.genesis import Reward
from protocol.messages import Payout, Transaction
from protocol.stakes import StakeTable
from protocol.subsidy import compute_subsidy
from protocol.types import AccountId


def build_coinbase(
    reward: Reward, author: AccountId, height: int, transactions: tuple[Transaction, ...], stakes: StakeTable
) -> tuple[Payout, ...]:
    """Return the coinbase of a block; it does not depend on who has voted, which differs between certificates.

    `proposer` pays subsidy and fees to who built the block. `stake` pays the subsidy to all owners by their stake, each
    share rounded down; who built the block gets the fees and what does not divide.
    """
    subsidy, fees = compute_subsidy(height), sum(transaction.fee for transaction in transactions)
    earned = dict[AccountId, int]()
    if reward == "stake":
        earned = {owner: subsidy * stakes.get_stake(owner) // stakes.total for owner in stakes.owners}
    earned[author] = earned.get(author, 0) + subsidy - sum(earned.values()) + fees
    return tuple(Payout(account=account, amount=earned[account]) for account in sorted(earned) if earned[account])

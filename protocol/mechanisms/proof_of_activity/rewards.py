"""What a block pays: its miner, who signed for the places that its template drew, and its closer."""

from collections import Counter

from protocol.mechanisms.proof_of_activity.genesis import ActivityShares
from protocol.mechanisms.proof_of_work.genesis import Reward
from protocol.messages import Payout
from protocol.subsidy import compute_subsidy
from protocol.types import PARTS_PER_MILLION, AccountId


def build_coinbase(
    reward: Reward,
    shares: ActivityShares,
    height: int,
    fees: int,
    *,
    miner: AccountId,
    closer: AccountId,
    present: tuple[AccountId, ...],
    drawn: int,
) -> tuple[Payout, ...]:
    """Return the only coinbase that is right for a block, by ascending account.

    The subsidy is as many times smaller as there are fewer signatures than places drawn, for everybody: who closes with
    fewer than it could have had loses as much as those it has left out. `issuance` pays the subsidy and destroys the
    fees, but for what they exceed it by; `fees` pays the fees alone, `both` pays both.

    Args:
        reward: What is paid.
        shares: Who gets how much of it.
        height: Of the block.
        fees: Of all its transfers together.
        miner: Author of the template.
        closer: Author of the block.
        present: The owner of each place that has signed.
        drawn: Places of the template.
    """
    subsidy = compute_subsidy(height) * len(present) // drawn
    amount = {"issuance": max(subsidy, fees), "fees": fees, "both": subsidy + fees}[reward]
    earned = Counter({miner: amount * shares.miner // PARTS_PER_MILLION})
    for owner in present:
        earned[owner] += amount * shares.signers // PARTS_PER_MILLION // len(present)
    earned[closer] += amount - earned.total()
    return tuple(Payout(account=account, amount=earned[account]) for account in sorted(earned) if earned[account])

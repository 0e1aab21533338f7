"""What a miner is paid."""

from protocol.mechanisms.proof_of_work.genesis import Reward
from protocol.messages import Payout, Transaction
from protocol.subsidy import compute_subsidy
from protocol.types import AccountId


def build_coinbase(
    reward: Reward, author: AccountId, height: int, transactions: tuple[Transaction, ...]
) -> tuple[Payout, ...]:
    """Return the coinbase of a block.

    `issuance` pays the subsidy and destroys the fees, but for what they exceed it by: a block never makes coins fewer.
    `fees` pays the fees alone, so no coin is new; `both` pays both.
    """
    subsidy, fees = compute_subsidy(height), sum(transaction.fee for transaction in transactions)
    amounts = {"issuance": max(subsidy, fees), "fees": fees, "both": subsidy + fees}
    amount = amounts[reward]
    return (Payout(account=author, amount=amount),) if amount else ()

"""Who is paid for a block under version 2 of the rules: for the stake that has declared, and for choosing transfers."""

import pytest

from protocol.mechanisms.proof_of_training.job import RewardShares
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import BlockHeader
from protocol.mechanisms.proof_of_training.repairs import VERSION_2, Repair
from protocol.mechanisms.proof_of_training.rewards import compute_coinbase
from protocol.messages import Transaction
from protocol.stakes import StakeTable
from protocol.types import PARTS_PER_MILLION
from tests.support.core import genesis, keys

FIRST, SECOND, THIRD, WRAPPER = (keys(index).public for index in range(4))
STAKES = StakeTable({FIRST: 10, SECOND: 20, THIRD: 70})
SHARES = RewardShares(proposer=400_000, declarers=300_000, stakeholders=300_000)
SUBSIDY = 909_181_819
FEES = 11


def pay(*declarers: bytes, proposer: bytes = FIRST, fees_to: bytes | None = None) -> dict[bytes, int]:
    """Return what the first block pays by stake; its only stakeholder declares nothing."""
    payouts = compute_coinbase(
        1,
        FEES,
        SHARES,
        proposer=proposer,
        declarers=declarers,
        stakeholders=(WRAPPER,),
        stakes=STAKES,
        fees_to=fees_to,
    )
    return {line.account: line.amount for line in payouts}


def test_pay_by_stake_is_for_the_stake_that_has_declared_and_the_rest_is_not_created() -> None:
    proposing, declaring = (SUBSIDY * share // PARTS_PER_MILLION for share in (SHARES.proposer, SHARES.declarers))
    assert pay(FIRST, SECOND) == {
        FIRST: proposing * 30 // 100 + declaring * 10 // 100,
        SECOND: declaring * 20 // 100,
        WRAPPER: SUBSIDY - proposing - declaring + FEES,
    }
    rounded_down = 4
    assert SUBSIDY + FEES - rounded_down < sum(pay(FIRST, SECOND, THIRD).values()) <= SUBSIDY + FEES


def test_who_proposes_loses_by_each_declaration_that_it_leaves_out() -> None:
    whole = pay(FIRST, SECOND, THIRD, proposer=THIRD)
    for listed, part in (((SECOND, THIRD), 10), ((FIRST, THIRD), 20)):
        lost = whole[THIRD] - pay(*listed, proposer=THIRD)[THIRD]
        assert lost == pytest.approx(SUBSIDY * 0.4 * part / 100, abs=1)


def test_fees_go_to_whom_they_are_for_and_nothing_else_does() -> None:
    to_wrapper, to_proposer = pay(FIRST, SECOND), pay(FIRST, SECOND, fees_to=FIRST)
    changed = {account: to_proposer[account] - to_wrapper[account] for account in to_wrapper}
    assert changed == {FIRST: FEES, SECOND: 0, WRAPPER: -FEES}


@pytest.mark.parametrize(
    ("repairs", "expected"),
    [((), WRAPPER), (VERSION_2, FIRST), (tuple(item for item in VERSION_2 if item is not Repair.PAY_BY_STAKE), FIRST)],
    ids=["version 1", "version 2", "version 2 without pay_by_stake"],
)
def test_who_gets_the_fees_of_a_chain(repairs: tuple[Repair, ...], expected: bytes) -> None:
    mechanism = ProofOfTraining(genesis(3, repairs=repairs))
    header = BlockHeader(
        height=1,
        parent=bytes(32),
        slot=1,
        author=FIRST,
        weights_digest=bytes(32),
        training_secret=bytes(32),
        declarations=(),
    )
    transfer = Transaction(author=SECOND, nonce=0, recipient=THIRD, amount=0, fee=FEES)

    def find_paid(*transactions: Transaction) -> dict[bytes, int]:
        paid = mechanism.build_coinbase(header, (SECOND, WRAPPER), transactions, STAKES)
        return {line.account: line.amount for line in paid}

    without, with_fee = find_paid(), find_paid(transfer)
    gained = {account: amount - without.get(account, 0) for account, amount in with_fee.items()}
    assert {account: amount for account, amount in gained.items() if amount} == {expected: FEES}

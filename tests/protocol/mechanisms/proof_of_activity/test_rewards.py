"""Who is paid for a block by activity, and that the books add up."""

import msgspec
import pytest

from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis, ActivityShares
from protocol.mechanisms.proof_of_activity.rewards import build_coinbase
from protocol.mechanisms.proof_of_work.genesis import Reward
from protocol.subsidy import compute_subsidy
from tests.protocol.mechanisms.proof_of_activity.chains import SHARES, make_activity
from tests.support.core import keys

MINER, FIRST, SECOND, CLOSER = (keys(index).public for index in range(4))
SUBSIDY = compute_subsidy(1)


def pay(
    fees: int = 0,
    reward: Reward = "both",
    present: tuple[bytes, ...] = (FIRST, SECOND, CLOSER),
    closer: bytes = CLOSER,
    drawn: int = 3,
) -> dict[bytes, int]:
    """Return what each gets of block 1; shares are a half, three tenths and two tenths."""
    coinbase = build_coinbase(reward, SHARES, 1, fees, miner=MINER, closer=closer, present=present, drawn=drawn)
    assert [line.account for line in coinbase] == sorted({line.account for line in coinbase})
    return {line.account: line.amount for line in coinbase}


@pytest.mark.parametrize("fees", [0, 7, 2 * SUBSIDY])
@pytest.mark.parametrize("reward", ["issuance", "fees", "both"])
def test_all_that_is_paid_is_shared_out(fees: int, reward: Reward) -> None:
    amount = {"issuance": max(SUBSIDY, fees), "fees": fees, "both": SUBSIDY + fees}[reward]
    paid = pay(fees, reward)
    assert sum(paid.values()) == amount
    assert paid.get(MINER, 0) == amount * 5 // 10
    assert paid.get(FIRST, 0) == paid.get(SECOND, 0) == amount * 3 // 10 // 3
    assert 0 <= paid.get(CLOSER, 0) - amount * 3 // 10 <= 4  # its place, the closer's part, and what does not divide
    assert 0 <= sum(paid.values()) - fees <= SUBSIDY or reward == "issuance"


def test_an_owner_is_paid_for_each_of_its_places() -> None:
    paid = pay(present=(FIRST, FIRST, CLOSER))
    assert paid[FIRST] == 2 * (SUBSIDY * 3 // 10 // 3)
    assert paid.keys() == {MINER, FIRST, CLOSER}


def test_who_leaves_votes_out_loses_as_much_as_their_owners() -> None:
    """As Decred has it: three votes of five make three fifths of the reward, for the miner too; fees are paid whole."""
    all_five, three = (pay(fees, present=(FIRST,) * votes, closer=MINER, drawn=5) for fees, votes in ((0, 5), (0, 3)))
    assert sum(three.values()) == SUBSIDY * 3 // 5
    assert three[MINER] == pytest.approx(all_five[MINER] * 3 / 5, abs=3)
    assert three[FIRST] == pytest.approx(all_five[FIRST] * 3 / 5, abs=3)
    assert sum(pay(10, present=(FIRST,) * 3, closer=MINER, drawn=5).values()) == SUBSIDY * 3 // 5 + 10
    assert sum(pay(10, "fees", present=(FIRST,) * 3, closer=MINER, drawn=5).values()) == 10


def test_shares_that_are_not_the_whole_and_groups_that_cannot_be_are_no_genesis() -> None:
    with pytest.raises(ValueError, match="must be the whole together"):
        ActivityShares(miner=500_000, signers=300_000, closer=100_000)
    genesis = make_activity().genesis
    with pytest.raises(ValueError, match="4 of 3 places can never sign"):
        ActivityGenesis(**{**{name: getattr(genesis, name) for name in genesis.__struct_fields__}, "needed": 4})
    agreed = msgspec.msgpack.encode(msgspec.structs.replace(genesis, drawn=2, needed=2))
    assert msgspec.msgpack.decode(agreed, type=ActivityGenesis).needed == 2

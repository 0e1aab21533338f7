"""What version 2 of the rules does not hold yet: each test fails as expected, and tells when that changes."""

from typing import Any

import pytest

from protocol.mechanisms.proof_of_training.messages import StakeholderSignature, WrappedBlock
from simulation.mechanisms.proof_of_training.behaviours import grinding
from tests.support.profit import OWNERS, attack, bound, measure


def helps_rival(proposer: Any, message: Any) -> bool:
    if not isinstance(message, WrappedBlock | StakeholderSignature):
        return False
    proposals, members = proposer.read_round(message.parent).proposals, proposer.coalition.accounts
    header = message.header if isinstance(message, WrappedBlock) else proposals[message.header].header
    return header.author not in members


@pytest.mark.many_runs
@pytest.mark.xfail(strict=True, reason="each of K stakeholders has a veto, and using it against all others pays")
def test_who_signs_for_its_coalition_alone_has_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grinding._Serving, "_helps_rival", helps_rival)
    taken = measure([attack("grinder", seed, 2, bad=9) for seed in range(3)])
    assert taken.proposed <= bound(9 / OWNERS, taken.blocks) * taken.blocks

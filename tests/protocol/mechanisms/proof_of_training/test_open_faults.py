"""What version 2 of the rules does not hold yet: each test fails as expected, and tells when that changes."""

from typing import Any

import pytest

from protocol.crypto import compute_content_hash
from protocol.mechanisms.proof_of_training.messages import StakeholderSignature, WrappedBlock
from simulation.mechanisms.proof_of_training.behaviours import grinding
from tests.protocol.mechanisms.proof_of_training.test_version_2 import make_scene, make_versions
from tests.support.profit import OWNERS, attack, bound, measure


@pytest.mark.xfail(strict=True, reason="a block kept back makes a version count again that all have left behind")
def test_a_child_that_was_kept_back_undoes_no_branch_that_honest_nodes_have_built_meanwhile() -> None:
    scene = make_scene(stages=4)
    below = scene.head
    first, second = make_versions(scene, 2)
    scene.deliver(first)
    scene.finish(1)
    on_first = scene.head
    kept_back = scene.block(scene.header(2, parent=on_first))
    scene.deliver(second)
    assert scene.head.hash == below.hash
    for author in (3, 4):
        scene.deliver(scene.block(scene.header(author, slot=kept_back.slot + 40 * author)))
    built = scene.head
    assert built.height == below.height + 2
    scene.deliver(kept_back)
    assert scene.head.hash == built.hash != compute_content_hash(scene.chain_id, kept_back)


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

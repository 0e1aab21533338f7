"""A double spender pays, waits for the delivery, and shows a branch without the payment once that is the longer one."""

from typing import Any

import pytest

from protocol.events import ChainRecord, Noted
from protocol.messages import Transaction
from protocol.verdicts import ACCEPT
from simulation.attacks.catalogue import load_catalogue
from simulation.mechanisms.proof_of_work.behaviours.double_spending import PrivateDoubleSpenderParameters
from tests.simulation.mechanisms.proof_of_work.behaviours.mining import OWN, Scene
from tests.support.core import keys


def make_scene(confirmations: int = 2, head_start: int = 1, give_up: int = 2, **changes: Any) -> Scene:
    """Return a double spender who has heard of the first block."""
    told = PrivateDoubleSpenderParameters(confirmations=confirmations, head_start=head_start, give_up=give_up)
    return Scene(load_catalogue()["private_double_spender"], told, **changes)


def list_stages(scene: Scene) -> list[str]:
    return [action.fact.stage for action in scene.actions if isinstance(action, Noted)]  # type: ignore[attr-defined]


def pay(scene: Scene) -> tuple[ChainRecord, Transaction]:
    """Let it get its head start on the first block; return that block, and the payment."""
    root = scene.hear(scene.rules.origin)
    assert scene.list_payments() == []
    first = scene.find()
    (payment,) = scene.list_payments()
    assert list_stages(scene) == ["paid"]
    assert scene.list_shown() == []
    assert first.block is not None
    (itself,) = first.block.transactions
    own = keys(OWN).public
    assert (itself.author, itself.nonce, itself.recipient) == (own, payment.nonce, own)
    assert payment.recipient != own
    return root, payment


def test_a_payment_is_undone_once_it_is_delivered_and_the_branch_is_longer() -> None:
    scene = make_scene()
    root, payment = pay(scene)
    others = scene.hear(root, payment)
    assert list_stages(scene) == []
    others = scene.hear(others)
    assert list_stages(scene) == ["delivered"]
    assert scene.list_shown() == []  # two blocks against one
    scene.find()
    assert scene.list_shown() == []  # as many: who has heard of the others' first stays there
    tip = scene.find()
    assert scene.list_shown() == [2, 3, 4]
    scene.hear(tip)
    assert list_stages(scene) == ["undone"]
    before, undone, done = (record.state.get_account(payment.recipient) for record in (root, tip, others))
    assert before.balance == undone.balance < done.balance
    assert tip.state.get_account(payment.author).nonce == payment.nonce + 1  # so that nobody can put it into a block


def test_where_a_chain_asks_for_stamps_both_transfers_have_one() -> None:
    scene = make_scene(bits=4)
    root, payment = pay(scene)
    assert scene.rules.judge_stamp(payment) is ACCEPT
    block = scene.node.tree.head.block
    assert block is not None
    assert scene.rules.judge_transfers(root, block.transactions) is ACCEPT


def test_it_waits_for_the_delivery_however_long_its_branch_is() -> None:
    scene = make_scene()
    root, payment = pay(scene)
    for _ in range(3):
        scene.find()
        assert scene.list_shown() == []
    others = scene.hear(root)  # without the payment, which was under way
    others = scene.hear(others, payment)
    assert (list_stages(scene), scene.list_shown()) == ([], [])
    scene.hear(others)
    assert (list_stages(scene), scene.list_shown()) == (["delivered"], [2, 3, 4, 5])


def test_it_gives_up_where_it_is_too_far_behind_and_begins_again_with_the_next_block() -> None:
    scene = make_scene()
    root, payment = pay(scene)
    others = scene.hear(scene.hear(root, payment))
    for stages in ([], ["given_up"]):
        others = scene.hear(others)
        assert list_stages(scene) == stages
    assert scene.mined_on == others.height + 1
    scene.hear(others)
    scene.find()
    assert list_stages(scene) == ["paid"]
    assert scene.list_payments()[0].nonce == payment.nonce + 1


def test_a_head_start_is_looked_for_on_what_others_have() -> None:
    scene = make_scene()
    root = scene.hear(scene.rules.origin)
    second = scene.hear(root)
    assert scene.mined_on == second.height + 1
    assert scene.find().parent == second.hash
    assert list_stages(scene) == ["paid"]


def test_without_a_head_start_it_pays_at_once() -> None:
    scene = make_scene(head_start=0, confirmations=1)
    root = scene.hear(scene.rules.origin)
    (payment,) = scene.list_payments()
    scene.find()
    scene.hear(root, payment)
    assert (list_stages(scene), scene.list_shown()) == (["delivered"], [])
    scene.find()
    assert scene.list_shown() == [2, 3]


def test_blocks_that_come_beside_the_shown_branch_change_nothing_until_others_build_on_it() -> None:
    scene = make_scene(head_start=0, confirmations=1)
    root = scene.hear(scene.rules.origin)
    (payment,) = scene.list_payments()
    scene.find()
    rival = scene.hear(scene.hear(root, payment))
    shown = [scene.find(), scene.find()][-1]
    assert scene.list_shown() == [2, 3, 4]
    rival = scene.hear(rival)
    assert list_stages(scene) == []
    assert scene.mined_on == shown.height + 1
    scene.find()
    assert scene.list_shown() == [shown.height + 1]  # at once: there is nothing to hide any more
    scene.hear(shown)
    assert list_stages(scene) == ["undone"]


def test_who_has_nothing_mines_like_anybody_else() -> None:
    poor = [line for line in make_scene().rules.mechanism.genesis.accounts if line.account != keys(OWN).public]
    scene = make_scene(accounts=tuple(poor))
    scene.hear(scene.rules.origin)
    assert scene.list_payments() == []
    first = scene.find()
    assert scene.list_shown() == [first.height]
    scene.find()
    assert list_stages(scene) == ["paid"]  # with what it has earned


@pytest.mark.parametrize("length", [2, 3])
def test_it_begins_nothing_that_the_chain_is_too_short_for(length: int) -> None:
    scene = make_scene(length=length)
    scene.hear(scene.rules.origin)
    scene.find()
    assert list_stages(scene) == []

"""Blocks that owners of more than half of all stake have declared on, and the branches that they decide between."""

from functools import partial

from protocol.codec import encode_frame
from protocol.crypto import compute_content_hash
from protocol.events import (
    Broadcast,
    ChainRecord,
    ChainTimer,
    Command,
    HeadMoved,
    Relay,
    Send,
    Timer,
    TimerFired,
)
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.messages import HeadAnnouncement
from protocol.verdicts import ACCEPT
from tests.protocol.mechanisms.proof_of_training.test_version_2 import make_first_scene, make_scene, make_versions
from tests.support.core import Scene, keys


def fork(scene: Scene, *, first: int = 90, second: int = 40) -> tuple[ChainRecord, WrappedBlock]:
    """Return the head, with its next stage trained, and a rival that comes later and is of an earlier slot."""
    rival = scene.block(scene.header(2, slot=second))
    scene.deliver(scene.block(scene.header(1, slot=first)))
    scene.finish(1)
    return scene.head, rival


def declare_on(scene: Scene, parent: ChainRecord, *authors: int) -> list[Command]:
    return [command for author in authors for command in scene.send(scene.declaration(author, parent=parent))]


def test_a_block_that_more_than_half_have_declared_on_stays_whatever_was_kept_back() -> None:
    for declarers, stays in (((), False), ((1, 2), False), ((1, 2, 3), True)):
        scene = make_scene()
        head, rival = fork(scene)
        declare_on(scene, head, *declarers)
        assert scene.judge(rival) is ACCEPT
        assert (scene.head.hash == head.hash) == stays


def test_declarations_of_more_than_half_bring_a_party_back_and_of_two_such_blocks_the_earlier_wins() -> None:
    scene = make_scene()
    later, rival = fork(scene)
    scene.deliver(rival)
    earlier = scene.head
    assert earlier.slot < later.slot
    assert not [item for item in declare_on(scene, later, 1, 2) if isinstance(item, HeadMoved)]
    commands = declare_on(scene, later, 3)
    (moved,) = [item for item in commands if isinstance(item, HeadMoved)]
    assert moved.record.hash == scene.head.hash == later.hash
    assert [record.hash for record in moved.change.abandoned] == [earlier.hash]
    told = [item.frame for item in commands if isinstance(item, Relay)]
    assert encode_frame(scene.chain_id, later.block) in told  # type: ignore[arg-type]
    declare_on(scene, earlier, 1, 2, 3)
    assert scene.head.hash == earlier.hash
    declare_on(scene, later, 4)
    assert scene.head.hash == earlier.hash


def test_in_version_1_declarations_decide_nothing_between_branches() -> None:
    scene = make_first_scene()
    blocks = sorted(
        (scene.block(scene.header(author)) for author in (1, 2)),
        key=partial(compute_content_hash, scene.chain_id),
        reverse=True,
    )
    scene.deliver(blocks[0])
    scene.finish(1)
    declare_on(scene, scene.head, 1, 2, 3)
    scene.deliver(blocks[1])
    assert scene.head.hash == compute_content_hash(scene.chain_id, blocks[1])


def test_a_version_that_more_than_half_have_declared_on_counts() -> None:
    scene = make_scene()
    first, second = make_versions(scene, 2)
    scene.deliver(first)
    scene.finish(1)
    on = scene.head
    declare_on(scene, on, 1, 2, 3)
    scene.deliver(second)
    assert scene.head.hash == on.hash


def test_who_gives_up_a_block_says_so_at_once() -> None:
    scene = make_scene()
    _, rival = fork(scene)
    said = [item.message for item in scene.send(rival) if isinstance(item, Broadcast)]
    (announced,) = [item for item in said if isinstance(item, HeadAnnouncement)]
    assert announced.head == scene.head.hash == compute_content_hash(scene.chain_id, rival)


def test_a_neighbour_with_another_head_is_shown_the_declarations_once_between_two_looks() -> None:
    scene = make_scene()
    head, rival = fork(scene)
    announced = scene.sign(
        HeadAnnouncement(height=1, head=compute_content_hash(scene.chain_id, rival), author=keys(2).public)
    )
    scene.deliver(rival)
    declare_on(scene, head, 1, 2)
    assert not [item for item in scene.send(announced, "b") if isinstance(item, Send)]
    declare_on(scene, head, 3)
    for peer in ("b", "c"):
        shown = [item for item in scene.send(announced, peer) if isinstance(item, Send)]
        assert {item.peer for item in shown} == {peer}
        assert sorted(item.message.author for item in shown) == sorted(keys(index).public for index in (1, 2, 3))
        assert not [item for item in scene.send(announced, peer) if isinstance(item, Send)]
    scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 420)))
    assert [item for item in scene.send(announced, "b") if isinstance(item, Send)]


def test_a_child_that_was_kept_back_undoes_no_branch_that_honest_nodes_have_built_and_declared_on_meanwhile() -> None:
    scene = make_scene(stages=4)
    below = scene.head
    first, second = make_versions(scene, 2)
    scene.deliver(first)
    scene.finish(1)
    kept_back = scene.block(scene.header(2, parent=scene.head))
    scene.deliver(second)
    assert scene.head.hash == below.hash
    for author in (3, 4):
        scene.deliver(scene.block(scene.header(author, slot=kept_back.slot + 40 * author)))
        scene.finish(scene.head.height)
    built = scene.head
    assert built.height == below.height + 2
    declare_on(scene, built, 1, 3, 4)
    scene.deliver(kept_back)
    assert scene.head.hash == built.hash != compute_content_hash(scene.chain_id, kept_back)

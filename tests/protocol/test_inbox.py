"""What waits is bounded for each link and each author, and no bound that is reached hurts anybody else."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import inbox as inbox_module
from protocol.codec import encode_frame
from protocol.inbox import Delivery, Inbox
from protocol.mechanisms.proof_of_training.reasons import TrainingMissing
from protocol.mechanisms.proof_of_training.work import TrainStage
from protocol.messages import BlockResponse, HeadAnnouncement
from protocol.verdicts import ACCEPT, ChainMissing, ChainReason, Ignore, Wait
from tests.support.core import Scene, get_proposer, keys

NEXT_STAGE = 1


def untrained_scene() -> Scene:
    """Return a node whose head is at height 1 and that has not trained the stage on it."""
    scene = Scene()
    scene.deliver(scene.block())
    return scene


def test_the_inbox_is_bounded_for_each_peer_and_no_peer_takes_anothers_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_WAITING", 3)
    scene = untrained_scene()
    slots = iter(range(scene.head.slot, scene.head.slot + 200, 10))

    def send(peer: str) -> object:
        return scene.judge(scene.declaration(1, slot=next(slots)), peer)

    wait = Wait(TrainingMissing.TRAINING, TrainStage(NEXT_STAGE))
    full = Ignore(ChainReason.INBOX_FULL)
    assert [send("a") for _ in range(5)] == [wait, wait, wait, full, full]
    assert [send("b") for _ in range(4)] == [wait, wait, wait, full]
    scene.finish(NEXT_STAGE)
    assert scene.judge(scene.header(2), "a") == ACCEPT
    later = untrained_scene()
    assert later.judge(later.declaration(1), "a") == wait


def test_on_a_full_link_the_author_with_most_messages_makes_room_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An honest neighbour passes on what an attacker sends, and what honest nodes send."""
    monkeypatch.setattr(inbox_module, "MAX_WAITING", 6)
    scene = untrained_scene()
    slots = iter(range(scene.head.slot, scene.head.slot + 400, 10))

    def send(author: int, times: int) -> list[bool]:
        judged = [scene.judge(scene.declaration(author, slot=next(slots)), "neighbour") for _ in range(times)]
        return [verdict == Wait(TrainingMissing.TRAINING, TrainStage(NEXT_STAGE)) for verdict in judged]

    assert send(1, 8) == [True] * 6 + [False] * 2
    assert send(2, 4) == [True] * 3 + [False]
    assert send(3, 3) == [True, True, False]
    scene.finish(NEXT_STAGE)
    assert {keys(author).public for author in (1, 2, 3)} <= set(
        get_proposer(scene.node).read_round(scene.head.hash).declarations
    )


def test_an_author_has_no_more_room_by_speaking_over_several_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_OF_AUTHOR", 3)
    scene = untrained_scene()
    slots = iter(range(scene.head.slot, scene.head.slot + 200, 10))
    verdicts = [scene.judge(scene.declaration(1, slot=next(slots)), peer) for peer in "abcab"]
    assert verdicts[3:] == [Ignore(ChainReason.INBOX_FULL)] * 2
    assert all(isinstance(verdict, Wait) for verdict in verdicts[:3])
    assert isinstance(scene.judge(scene.declaration(2), "a"), Wait)


def test_versions_of_a_block_that_an_honest_neighbour_passes_on_keep_out_no_honest_block() -> None:
    """A wrapper may make versions of one header without end, and all of them are valid."""
    scene = untrained_scene()
    header = scene.header(1)
    for nonce in range(inbox_module.MAX_OF_AUTHOR + 4):
        flood = scene.judge(scene.block(header, (scene.transfer(1, amount=nonce),)), "neighbour")
    assert flood == Ignore(ChainReason.INBOX_FULL)
    other = next(
        block
        for author in (1, 2, 3, 4)
        for block in [scene.block(scene.header(author, slot=scene.head.slot + 100))]
        if block.author != scene.stakeholders(header)[-1]
    )
    assert isinstance(scene.judge(other, "neighbour"), Wait)


def test_who_fills_its_own_room_keeps_out_none_of_its_blocks_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a wrapper could hold up all who catch up with blocks of its own."""
    monkeypatch.setattr(inbox_module, "MAX_OF_AUTHOR", 3)
    scene = untrained_scene()
    block = scene.block(scene.header(1))
    author = next(index for index in range(1, 5) if keys(index).public == block.author)
    for slot in range(scene.head.slot, scene.head.slot + 100, 10):
        last = scene.judge(scene.declaration(author, slot=slot), "flooder")
    assert last == Ignore(ChainReason.INBOX_FULL)
    assert scene.judge(block, "neighbour") == Ignore(ChainReason.INBOX_FULL)
    scene.deliver(scene.sign(HeadAnnouncement(height=2, head=bytes(32), author=keys(2).public)), "neighbour")
    answer = scene.sign(BlockResponse(blocks=(block,), author=keys(2).public))
    assert isinstance(scene.deliver(answer, "neighbour")[-1].verdict, Wait)
    scene.finish(NEXT_STAGE)
    assert scene.head.block == block


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4), st.integers(1, 40), st.integers(0, 2)), max_size=60),
)
def test_no_bound_of_the_inbox_is_exceeded_and_its_books_add_up(moves: list[tuple[str, int, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, bound in (("WAITING", 6), ("WAITING_BYTES", 100), ("OF_AUTHOR", 5), ("OF_AUTHOR_BYTES", 80)):
            patch.setattr(inbox_module, f"MAX_{name}", bound)
        inbox = Inbox()
        for number, (peer, author, size, on) in enumerate(moves):
            message = HeadAnnouncement(height=5, head=bytes(32), author=keys(author).public)
            delivery = Delivery(peer, message, b"frame", number.to_bytes(4, "big"), size)
            if on == 2 and number % 5 == 0:
                inbox.take(Wait(ChainMissing.BLOCK, 0))
            elif inbox.has_room(delivery):
                inbox.put(Wait(ChainMissing.BLOCK, on), delivery)
                assert inbox.holds(Wait(ChainMissing.BLOCK, on), delivery)
            kept = [item for waiting in inbox._waiting.values() for item in waiting.values()]
            assert len(inbox) == len(kept)
            for owners, most, largest in (([x.peer for x in kept], 6, 100), ([x.message.author for x in kept], 5, 80)):
                sizes = Counter[object]()
                for owner, item in zip(owners, kept, strict=True):
                    sizes[owner] += item.size
                assert max(Counter(owners).values(), default=0) <= most
                assert max(sizes.values(), default=0) <= largest
        inbox.drop_settled(5)
        assert len(inbox) == 0
        assert not inbox._shares.get("a")
        assert not inbox._of_author


def test_the_inbox_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = untrained_scene()
    first, second = (scene.declaration(1, slot=scene.head.slot + ahead) for ahead in (10, 20))
    monkeypatch.setattr(inbox_module, "MAX_WAITING_BYTES", len(encode_frame(scene.chain_id, first)))
    wait = Wait(TrainingMissing.TRAINING, TrainStage(NEXT_STAGE))
    assert scene.judge(first, "a") == wait
    assert scene.judge(first, "a") == Ignore(ChainReason.DUPLICATE)
    assert scene.judge(second, "a") == Ignore(ChainReason.INBOX_FULL)
    assert scene.judge(second, "b") == wait

"""Relaying, asking for blocks, following the heaviest chain, and coming late."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from protocol import catch_up
from protocol.catch_up import MAX_BLOCKS_PER_RESPONSE
from protocol.codec import encode, encode_frame
from protocol.crypto import compute_content_hash
from protocol.events import BlockAppended, ChainTimer, Relay, Send, Timer, TimerFired
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import TrainingDeclaration
from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.messages import AnyBlock, BlockRequest, BlockResponse, HeadAnnouncement
from protocol.node import Node
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject
from tests.support.core import SLOT_NS, STRANGER, Cluster, Scene, genesis, get_node, keys, make_rules

# ---- relaying and unasked answers ----


def test_a_relaying_node_passes_on_what_it_accepts_once_and_nothing_else() -> None:
    scene = Scene(is_relaying=True)

    def relay(message: TrainingDeclaration | HeadAnnouncement) -> list[Relay]:
        return [item for item in scene.send(message, "a") if isinstance(item, Relay)]

    good = scene.declaration(1)
    assert relay(good) == [Relay(encode_frame(scene.chain_id, good), "a")]
    assert relay(good) == []
    assert relay(scene.declaration(2, data="poison")) == []
    assert relay(scene.sign(HeadAnnouncement(height=0, head=scene.chain_id, author=keys(1).public))) == []


def test_an_answer_nobody_asked_for_is_ignored() -> None:
    scene = Scene()
    answer = scene.sign(BlockResponse(blocks=(scene.block(),), author=keys(1).public))
    assert scene.judge(answer) == Ignore(ChainReason.UNREQUESTED)
    assert scene.head.height == 0


def test_a_neighbour_is_asked_once_until_the_next_announcement_is_due() -> None:
    scene = Scene()
    news = scene.sign(HeadAnnouncement(height=1, head=bytes(32), author=keys(1).public))

    def asks() -> bool:
        return any(isinstance(item, Send) and isinstance(item.message, BlockRequest) for item in scene.send(news))

    assert [asks(), asks()] == [True, False]
    scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 400)))
    assert [asks(), asks()] == [True, False]


def test_an_answer_may_come_after_the_next_announcement_but_only_once() -> None:
    """Else a node whose announcements fall between question and answer, time after time, never catches up."""
    scene = Scene()
    scene.deliver(scene.sign(HeadAnnouncement(height=1, head=bytes(32), author=keys(1).public)))
    scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 400)))
    answer = scene.sign(BlockResponse(blocks=(scene.block(),), author=keys(1).public))
    assert scene.judge(answer) == ACCEPT
    assert scene.head.height == 1
    assert scene.judge(answer) == Ignore(ChainReason.UNREQUESTED)


def test_a_faulty_block_inside_an_answer_is_charged_to_the_peer_and_leaves_no_mark() -> None:
    scene = Scene()
    scene.deliver(scene.sign(HeadAnnouncement(height=1, head=bytes(32), author=keys(STRANGER).public)), "liar")
    before = scene.node.snapshot()
    poisoned = scene.block(scene.header(data="poison"))
    judged = scene.deliver(scene.sign(BlockResponse(blocks=(poisoned,), author=keys(1).public)), "liar")
    assert [(item.peer, item.verdict) for item in judged] == [
        ("liar", ACCEPT),
        ("liar", Reject(TrainingReason.DIFFERENT_WEIGHTS)),
    ]
    assert scene.node.snapshot() == before


# ---- answering ----


def request(scene: Scene, *locator: bytes, author: int = STRANGER) -> BlockRequest:
    return scene.sign(BlockRequest(locator=locator or (scene.chain_id,), author=keys(author).public))


def answer(scene: Scene, asked: BlockRequest, peer: str = "peer") -> list[BlockResponse[Any]]:
    sent = [item for item in scene.send(asked, peer) if isinstance(item, Send)]
    assert {item.peer for item in sent} <= {peer}
    return [item.message for item in sent if isinstance(item.message, BlockResponse)]


def grown(blocks: int) -> Scene:
    scene = Scene(genesis(5, stages=40))
    scene.now = 100_000 * SLOT_NS
    while scene.head.height < blocks:
        scene.grow()
    return scene


def test_a_neighbour_has_one_answer_between_two_announcements_whoever_asks() -> None:
    scene = grown(3)
    assert [len(item.blocks) for item in answer(scene, request(scene))] == [3]
    for author in (STRANGER, 1):
        assert scene.judge(request(scene, author=author)) == Ignore(ChainReason.TOO_OFTEN)
        assert answer(scene, request(scene, bytes([author]) * 32, scene.chain_id, author=author)) == []
    assert [len(item.blocks) for item in answer(scene, request(scene), "another peer")] == [3]
    scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 400)))
    assert [len(item.blocks) for item in answer(scene, request(scene))] == [3]


def test_who_asks_on_from_the_last_block_it_got_is_answered_within_one_frame_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = grown(8)
    monkeypatch.setattr(catch_up, "MAX_BLOCKS_PER_RESPONSE", 2)
    sizes = [len(encode(record.block)) for record in scene.node.tree.get_chain()[1:]]
    monkeypatch.setattr(catch_up, "MAX_SERVED_BYTES", sum(sizes[:5]))
    got: list[AnyBlock] = []
    locator: tuple[bytes, ...] = (scene.chain_id,)
    for expected in (2, 2, 1, 0):
        found = answer(scene, request(scene, *locator))
        assert [len(item.blocks) for item in found] == ([expected] if expected else [])
        got += [block for item in found for block in item.blocks]
        locator = (compute_content_hash(scene.chain_id, got[-1]), scene.chain_id)
    assert got == [record.block for record in scene.node.tree.get_chain()[1:6]]


def test_a_request_that_is_sent_again_costs_no_look_at_its_signature_and_an_equal_answer_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = grown(3)
    made = Counter[str]()

    def count(name: str, inner: Callable[[Any], Any], message: Any) -> Any:
        made[name] += 1
        return inner(message)

    for name in ("encode", "is_signed"):
        monkeypatch.setattr(scene.node.rules, name, partial(count, name, getattr(scene.node.rules, name)))
    asked = request(scene)
    first = answer(scene, asked)
    assert made == {"encode": 3, "is_signed": 1}
    for _ in range(5):
        assert answer(scene, asked) == []
    assert made == {"encode": 3, "is_signed": 1}
    assert answer(scene, asked, "another peer") == first
    assert made == {"encode": 3, "is_signed": 2}
    scene.grow()
    made.clear()
    assert [len(item.blocks) for item in answer(scene, asked, "a third peer")] == [4]
    assert made["encode"] == 4


def test_who_has_all_our_blocks_is_told_so_once() -> None:
    scene = grown(1)
    asked = request(scene, scene.head.hash, scene.chain_id)
    assert [item.blocks for item in answer(scene, asked)] == [()]
    assert answer(scene, asked) == []


# ---- whole runs ----


def test_a_reorganisation_between_siblings_takes_the_lower_hash_and_returns_the_transactions() -> None:
    scene = Scene()
    blocks = [scene.block(scene.header(author), (scene.transfer(author),)) for author in (1, 2)]
    low, high = sorted(blocks, key=lambda block: compute_content_hash(scene.chain_id, block))
    assert scene.judge(high) == ACCEPT
    assert len(get_node(scene).mempool) == 0
    appended = [item for item in scene.send(low) if isinstance(item, BlockAppended)]
    assert [(change.abandoned[0].block, change.adopted[0].block) for item in appended if (change := item.change)] == [
        (high, low)
    ]
    assert scene.head.block == low
    assert get_node(scene).mempool.select(scene.head.state, 10) == high.transactions
    assert scene.judge(high) == Ignore(ChainReason.DUPLICATE)


def test_a_higher_sibling_is_kept_but_does_not_move_the_head_until_it_is_longer() -> None:
    scene = Scene()
    scene.finish(1)
    blocks = [scene.block(scene.header(author)) for author in (1, 2)]
    low, high = sorted(blocks, key=lambda block: compute_content_hash(scene.chain_id, block))
    scene.deliver(low)
    head = scene.head
    (appended,) = [item for item in scene.send(high) if isinstance(item, BlockAppended)]
    assert appended.change is None
    assert scene.head == head
    (appended,) = [
        item
        for item in scene.send(scene.block(scene.header(parent=appended.record)))
        if isinstance(item, BlockAppended)
    ]
    assert appended.change is not None
    assert [item.block for item in appended.change.abandoned] == [low]
    assert [item.height for item in appended.change.adopted] == [1, 2]


@pytest.mark.parametrize("blocks", [3, MAX_BLOCKS_PER_RESPONSE + 8])
def test_a_late_node_catches_up_without_asking_for_the_same_blocks_over_and_over(blocks: int) -> None:
    cluster = Cluster(genesis(4, stages=blocks, declarations_per_slot=8_000_000, headers_per_slot=8_000_000))
    cluster.down.add("3")
    cluster.run(until_height=blocks)
    cluster.wake(3)
    since = len(cluster.log)
    cluster.run(until_height=blocks)
    assert cluster.node(3).tree.head.hash == cluster.node(0).tree.head.hash
    assert cluster.node(3).tree.head.height == blocks
    sent = [command for _, name, command in cluster.log[since:] if name == "3" and isinstance(command, Send)]
    asked = [command for command in sent if isinstance(command.message, BlockRequest)]
    answers = -(-blocks // MAX_BLOCKS_PER_RESPONSE)
    assert 1 <= len(asked) <= 3 * (answers + 2), f"{len(asked)} requests for {blocks} blocks from 3 neighbours"


def test_a_node_cut_off_for_a_while_joins_the_branch_of_the_majority() -> None:
    cluster = Cluster(genesis(5, confidence=Confidence(rule="stake_share", value=500_000)))
    cut = [True]
    cluster.filters.append(lambda source, target, _: not cut[0] or "4" not in (source, target))
    cluster.run(seconds=60)
    assert cluster.node(4).tree.head.height < cluster.node(0).tree.head.height == 3
    cut[0] = False
    cluster.run(until_height=3)
    assert cluster.node(4).tree.head.hash == cluster.node(0).tree.head.hash


def test_a_recorded_input_journal_gives_a_fresh_node_the_same_commands() -> None:
    cluster = Cluster(genesis(6), data={5: "poison"}, employer=True)
    chain_id = cluster.node(0).rules.chain_id
    payment = Scene(cluster.genesis).transfer()
    for name in cluster.parties:
        cluster.send(name, "user", encode_frame(chain_id, payment))
    cluster.run(until_height=3)
    for name, journal in cluster.journals.items():
        fresh = (
            LightClient(make_rules(cluster.genesis), keys(1000))
            if name == "employer"
            else Node(make_rules(cluster.genesis), keys(int(name)))
        )
        for line, (now, event, recorded) in enumerate(journal):
            assert fresh.handle(event, now) == recorded, f"{name}, line {line}: {event}"
        assert fresh.snapshot() == cluster.parties[name].snapshot()


def test_an_answer_whose_blocks_are_no_chain_is_refused_whole() -> None:
    scene = Scene()
    blocks = (scene.block(scene.header(1)), scene.block(scene.header(2)))
    scene.send(scene.sign(HeadAnnouncement(height=1, head=bytes(32), author=keys(1).public)))
    judged = scene.deliver(scene.sign(BlockResponse(blocks=blocks, author=keys(1).public)))
    assert [item.verdict for item in judged] == [Reject(ChainReason.NOT_CONSECUTIVE)]
    assert len(scene.node.tree) == 1

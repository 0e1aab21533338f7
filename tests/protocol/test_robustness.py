"""Whatever comes over a link, in whatever order: no exception, and what is refused leaves no mark."""

import hashlib
from functools import cache
from typing import Final

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.codec import encode_frame
from protocol.events import Broadcast, Judged, Timer, TimerFired
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training import judging as judging_module
from protocol.mechanisms.proof_of_training import round as round_module
from protocol.mechanisms.proof_of_training.messages import MESSAGE_KINDS, BlockHeader, StakeholderSignature
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.messages import BlockRequest, BlockResponse, HeadAnnouncement, Message
from protocol.verdicts import Accept, FrameReason, Reject
from tests.support.core import SLOT_NS, STRANGER, Scene, genesis, get_header, keys

pytestmark = pytest.mark.xdist_group("robustness")

PEERS: Final = ("a", "b")
STAGES_TRAINED: Final = 1


@cache
def list_messages() -> tuple[Message, ...]:
    """Return true and false messages of every kind and of two heights, for the chain that every `Scene` starts."""
    scene = Scene()
    messages: list[Message] = []
    for _ in range(2):
        headers = [scene.header(1), scene.header(2), scene.header(3, (1, 4)), scene.header(4, data="poison")]
        messages += headers
        messages += [scene.declaration(index) for index in range(1, 5)]
        messages += [scene.declaration(1, slot=scene.head.slot + 20), scene.declaration(2, data="poison")]
        messages += [scene.signature(header, signer) for header in headers for signer in scene.stakeholders(header)]
        transfers = (scene.transfer(1, 2, nonce=scene.head.height), scene.transfer(3, STRANGER, nonce=7))
        messages += transfers
        blocks = [scene.block(header) for header in headers] + [scene.block(headers[0], transfers[:1])]
        messages += blocks
        speaker = keys(1).public
        messages += [
            scene.sign(HeadAnnouncement(height=scene.head.height + 1, head=bytes(32), author=speaker)),
            scene.sign(BlockRequest(locator=scene.node.tree.get_locator(), author=speaker)),
            scene.sign(BlockResponse(blocks=tuple(blocks), author=speaker)),
        ]
        scene.grow(transfers[:1])
    return tuple(messages)


@st.composite
def changed(draw: st.DrawFn) -> Message:
    """Return a message with a field taken from another one of its kind, signed again or not."""
    message = draw(st.sampled_from(list_messages()))
    other = draw(st.sampled_from([item for item in list_messages() if item.kind == message.kind]))
    field = draw(st.sampled_from(message.__struct_fields__))
    mixed = msgspec.structs.replace(message, **{field: getattr(other, field)})
    return Scene().sign(mixed) if draw(st.booleans()) else mixed


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Return a frame with a few bytes overwritten, cut out or put in."""
    frame = bytearray(encode_frame(Scene().chain_id, draw(st.sampled_from(list_messages()))))
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(frame)))
        frame[position : position + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(frame)


frames = st.one_of(
    st.sampled_from(list_messages()), st.sampled_from(list_messages()), changed(), bent(), st.binary(max_size=80)
)
traffic = st.lists(st.tuples(st.sampled_from(PEERS), frames), max_size=25)


def feed(scene: Scene, sent: list[tuple[str, Message | bytes]], *, finish_after: int) -> int:
    """Deliver everything (`Scene` looks for marks of refusals); return how many frames were accepted."""
    accepted = 0
    for number, (peer, item) in enumerate(sent):
        if number == finish_after:
            scene.finish(STAGES_TRAINED)
        judged = scene.deliver(item, peer)
        assert judged, "every frame is judged"
        assert all(isinstance(entry, Judged) and entry.peer in PEERS for entry in judged)
        accepted += isinstance(judged[0].verdict, Accept)
    for record in scene.node.tree.get_records():
        record.state.check_supply()
        assert record.block is None or get_header(record).weights_digest not in poisoned_digests()
    return accepted


@cache
def poisoned_digests() -> frozenset[bytes]:
    return frozenset(hashlib.sha256(f"poison/{stage}".encode()).digest() for stage in range(3))


@pytest.mark.many_runs
@settings(max_examples=100)
@given(sent=traffic, finish_after=st.integers(0, 20))
@example(sent=[("a", message) for message in list_messages()], finish_after=10)
@example(sent=[("a", message) for message in reversed(list_messages())], finish_after=50)
def test_a_node_takes_anything_in_any_order(sent: list[tuple[str, Message | bytes]], finish_after: int) -> None:
    scene = Scene()
    feed(scene, sent, finish_after=finish_after)


@settings(max_examples=40)
@given(sent=traffic)
def test_a_light_client_takes_anything_in_any_order(sent: list[tuple[str, Message | bytes]]) -> None:
    scene = Scene(party=LightClient)
    for peer, item in sent:
        assert scene.deliver(item, peer)
    for record in scene.node.tree.get_records():
        record.state.check_supply()


@given(st.permutations(list_messages()))
@settings(max_examples=20)
def test_once_everything_was_seen_and_trained_the_chain_is_the_same_in_any_order(order: list[Message]) -> None:
    heads = set()
    for messages in (list_messages(), order):
        scene = Scene()
        scene.finish(STAGES_TRAINED)
        for message in messages:
            if not isinstance(message, StakeholderSignature):  # so that this node wraps no block of its own
                scene.deliver(message, "a")
        heads.add(scene.head.hash)
    assert len(heads) == 1


def test_the_traffic_holds_every_kind_and_both_true_and_false_messages() -> None:
    assert {message.kind for message in list_messages()} == set(MESSAGE_KINDS)
    scene: Scene = Scene()
    everything: list[tuple[str, Message | bytes]] = [("a", message) for message in list_messages()]
    accepted = feed(scene, everything, finish_after=10)
    assert 10 <= accepted < len(everything) - 10
    assert scene.head.height == 2


def test_a_proposer_with_more_declarations_than_fit_sends_a_header_that_others_can_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 4
    for module in (round_module, judging_module):
        monkeypatch.setattr(module, "MAX_DECLARATIONS", limit)
    start = genesis(14)
    scene = Scene(start)
    for author in range(1, 14):
        assert isinstance(scene.judge(scene.declaration(author)), Accept)
    slot = scene.find_slot(Right.PROPOSE, 0, scene.head, 401)
    scene.now = slot * SLOT_NS
    commands = scene.handle(TimerFired(Timer(Right.PROPOSE, slot, scene.head.hash)))
    (header,) = [item.message for item in commands if isinstance(item, Broadcast) and item.message.kind == "header"]
    assert isinstance(header, BlockHeader)
    assert len(header.declarations) == limit
    other = Scene(start)
    other.now = scene.now
    assert isinstance(other.judge(header), Accept)


def test_text_that_is_not_utf_8_does_not_stop_a_node() -> None:
    scene = Scene()
    frame = encode_frame(scene.chain_id, scene.declaration())
    (judged,) = scene.deliver(frame.replace(b"\xa4test", b"\xa4\xff\xfest"))
    assert judged.verdict == Reject(FrameReason.MALFORMED)

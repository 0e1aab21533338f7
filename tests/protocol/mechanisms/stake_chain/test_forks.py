"""Branches: which of two a node is on, how it comes to a longer one, and which blocks it never leaves."""

import msgspec
import pytest

from protocol.catch_up import MAX_BLOCKS_PER_RESPONSE
from protocol.codec import encode_frame
from protocol.events import (
    ChainRecord,
    ChainTimer,
    Command,
    MessageReceived,
    Send,
    Started,
    Timer,
    TimerFired,
)
from protocol.light_client import LightClient
from protocol.messages import BlockResponse, HeadAnnouncement, Message
from protocol.node import Node
from protocol.participant import MAX_VERSIONS_NEEDED
from protocol.rules import Rules
from tests.protocol.mechanisms.stake_chain.chains import NOW, Chain, make_stake
from tests.support.core import SLOT_NS, keys

LONG = 2 * MAX_BLOCKS_PER_RESPONSE + 5


def walk(chain: Chain, slots: range) -> list[ChainRecord]:
    """Return the records of a branch from the genesis with a block in each of some slots."""
    chain.tip = chain.rules.origin
    return [chain.grow(slot) for slot in slots]


def tell(party: Node | LightClient, *records: ChainRecord) -> None:
    for record in records:
        assert record.block is not None
        party.handle(MessageReceived("peer", encode_frame(party.rules.chain_id, record.block)), NOW)


@pytest.mark.parametrize(("own", "length"), [(3, MAX_BLOCKS_PER_RESPONSE - 1), (3, LONG), (LONG - 5, LONG)])
def test_a_node_on_a_branch_comes_to_a_longer_one_however_long(own: int, length: int) -> None:
    """Its own head says nothing of how much of another branch it has: it has to ask on from the last block it got."""
    chain = Chain(make_stake(3, length=100))
    short, long = walk(chain, range(1, 2 * own, 2)), walk(chain, range(2, 2 * length + 1, 2))
    asking, serving = (Node(Rules(chain.mechanism), keys(index)) for index in (0, 1))
    for node, records in ((asking, short), (serving, long)):
        node.handle(Started(), 0)
        tell(node, *records)
    head = HeadAnnouncement(height=length, head=long[-1].hash, author=serving.keys.public)
    frames = [encode_frame(chain.rules.chain_id, serving.keys.sign(chain.rules.chain_id, head))]
    party, other = asking, serving
    for _ in range(20):
        commands = [command for frame in frames for command in party.handle(MessageReceived("peer", frame), NOW)]
        frames = [encode_frame(chain.rules.chain_id, c.message) for c in commands if isinstance(c, Send)]
        party, other = other, party
    assert asking.tree.head.hash == long[-1].hash


def test_of_two_branches_of_one_length_the_one_that_came_first_is_kept() -> None:
    chain = Chain(make_stake(3, length=100))
    branches = walk(chain, range(1, 4)), walk(chain, range(4, 7))
    for first, second in (branches, branches[::-1]):
        client = LightClient(Rules(chain.mechanism), keys(1000))
        tell(client, *first, *second)
        assert client.tree.head.hash == first[-1].hash


def test_final_blocks_are_never_left_and_others_are() -> None:
    for final_depth, is_kept in ((5, True), (10, False), (None, False)):
        chain = Chain(make_stake(3, length=100, final_depth=final_depth))
        short, long = walk(chain, range(1, 19, 2)), walk(chain, range(2, 80, 2))
        client = LightClient(Rules(chain.mechanism), keys(1000))
        tell(client, *short, *long)
        assert client.tree.head.hash == (short if is_kept else long)[-1].hash


@pytest.mark.parametrize("party", [Node, LightClient])
def test_who_fills_the_room_for_blocks_of_one_right_keeps_nobody_from_the_branch_of_others(
    party: type[Node | LightClient],
) -> None:
    """Junk that is built on a version makes it one that is waited for; what an answer brings has room all the same."""
    chain = Chain(make_stake(6, length=20))
    slot, below = chain.find_slot(0), chain.tip
    payments = [chain.pay(0, keys(1).public, 1 + number) for number in range(MAX_VERSIONS_NEEDED + 1)]
    *fillers, last = [chain.build(slot, author=0, transactions=(payment,)) for payment in payments]
    chain.tip = chain.rules.build_record(below, last)
    good = [last, *(chain.grow(chain.tip.slot + 1).block for _ in range(3))]
    asking, chain_id, later = party(chain.rules, keys(5)), chain.rules.chain_id, 10**4 * SLOT_NS

    def send(message: Message) -> list[Command]:
        return asking.handle(MessageReceived("peer", encode_frame(chain_id, message)), later)

    asking.handle(Started(), later)
    for version in fillers:
        junk = {"parent": chain.rules.hash_message(version), "height": 2, "slot": slot + 1, "author": keys(77).public}
        send(keys(77).sign(chain_id, msgspec.structs.replace(version, **junk)))
        send(version)
    assert len(asking.tree.get_versions((slot, keys(0).public))) == MAX_VERSIONS_NEEDED
    asking.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 10**4, b"")), later)
    author = keys(2)
    told = HeadAnnouncement(height=chain.tip.height, head=chain.tip.hash, author=author.public)
    assert any(isinstance(command, Send) for command in send(author.sign(chain_id, told)))
    send(author.sign(chain_id, BlockResponse(blocks=tuple(good), author=author.public)))
    assert asking.tree.head.hash == chain.tip.hash

"""Branches: which of two a node is on, how it comes to a longer one, and which blocks it never leaves."""

import pytest

from protocol.catch_up import MAX_BLOCKS_PER_RESPONSE
from protocol.codec import encode_frame
from protocol.events import ChainRecord, MessageReceived, Send, Started
from protocol.light_client import LightClient
from protocol.messages import HeadAnnouncement
from protocol.node import Node
from protocol.rules import Rules
from tests.protocol.mechanisms.stake_chain.chains import NOW, Chain, make_stake
from tests.support.core import keys

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

"""Which of two branches a node works on, and what it makes of announced heads that are not as high as its own."""

import pytest

from protocol.codec import encode_frame
from protocol.events import ChainRecord, Command, Judged, MessageReceived, Send, Started
from protocol.genesis import compute_chain_id
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.messages import BlockRequest, HeadAnnouncement
from protocol.node import Node
from protocol.participant import Participant
from protocol.rules import Rules
from protocol.verdicts import ACCEPT, ChainReason, Ignore
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.protocol.mechanisms.proof_of_work.test_mining import NOW, grow, mine
from tests.support.core import keys


def hear(party: Participant, *records: ChainRecord) -> None:
    for record in records:
        assert record.block is not None
        party.handle(MessageReceived("peer", encode_frame(party.rules.chain_id, record.block)), NOW)


def announce(node: Node, height: int, head: bytes) -> list[Command]:
    """Let a neighbour announce its head; return what the node does about it."""
    pair = keys(2)
    said = pair.sign(node.rules.chain_id, HeadAnnouncement(height=height, head=head, author=pair.public))
    return node.handle(MessageReceived("peer", encode_frame(node.rules.chain_id, said)), NOW)


def is_asked(commands: list[Command]) -> bool:
    return any(isinstance(command, Send) and isinstance(command.message, BlockRequest) for command in commands)


def make_rivals(rules: Rules) -> tuple[ChainRecord, ChainRecord]:
    """Return two blocks on the genesis, the one with the lower hash first."""
    blocks = [rules.build_record(rules.origin, mine(rules, rules.origin, 3, pair=keys(index))) for index in (0, 1)]
    lower, higher = sorted(blocks, key=lambda record: record.hash)
    return lower, higher


class TestAnnouncedHeads:
    """A branch that was found fast is hard: four blocks of it outweigh six of a branch that was found slowly."""

    SLOW, FAST = (50, 100, 150, 200, 201, 201), (1, 1, 2, 2)

    def make_node(self, window: int) -> tuple[Node, ChainRecord]:
        """Return a node on a slow branch, and the head of a fast one it has not heard of."""
        rules = Rules(make_work(length=9, window=window))
        node, record = Node(rules, keys(0)), rules.origin
        node.handle(Started(), 0)
        for slot in self.SLOW:
            record = grow(rules, [slot], record)
            hear(node, record)
        return node, grow(rules, list(self.FAST))

    def test_an_unknown_head_is_asked_for_though_it_is_lower_where_targets_change(self) -> None:
        node, fast = self.make_node(window=2)
        assert fast.height < node.tree.head.height
        assert fast.weight > node.tree.head.weight
        commands = announce(node, fast.height, fast.hash)
        assert commands[0] == Judged("peer", ACCEPT, "head", fast.height, keys(2).public)
        assert is_asked(commands)

    def test_where_targets_never_change_it_is_stale(self) -> None:
        node, fast = self.make_node(window=0)
        commands = announce(node, fast.height, fast.hash)
        assert [command.verdict for command in commands if isinstance(command, Judged)] == [Ignore(ChainReason.STALE)]
        assert not is_asked(commands)

    def test_a_lower_head_that_is_known_is_stale_whatever_targets_do(self) -> None:
        node, _ = self.make_node(window=2)
        known = node.tree.require(node.tree.head.parent)
        commands = announce(node, known.height, known.hash)
        assert [command.verdict for command in commands if isinstance(command, Judged)] == [Ignore(ChainReason.STALE)]

    def test_one_neighbour_is_asked_once_between_two_announcements(self) -> None:
        node, fast = self.make_node(window=2)
        assert is_asked(announce(node, fast.height, fast.hash))
        assert not any(is_asked(announce(node, 1, bytes([number]) * 32)) for number in range(9))


class TestTies:
    @pytest.mark.parametrize("ties", ["first_seen", "lowest_hash"])
    def test_of_two_rivals_the_rule_decides(self, ties: str) -> None:
        rules = Rules(make_work(ties=ties))
        lower, higher = make_rivals(rules)
        for first, second in ((lower, higher), (higher, lower)):
            client = LightClient(rules, keys(1000))
            hear(client, first, second)
            assert client.tree.head.hash == (first if ties == "first_seen" else lower).hash

    @pytest.mark.parametrize("ties", ["first_seen", "lowest_hash"])
    def test_last_blocks_end_alike_for_everybody_under_either_rule(self, ties: str) -> None:
        rules = Rules(make_work(ties=ties, length=1))
        lower, higher = make_rivals(rules)
        for order in ((lower, higher), (higher, lower)):
            client = LightClient(rules, keys(1000))
            hear(client, *order)
            assert client.tree.head.hash == lower.hash

    def test_a_block_more_wins_whichever_came_first(self) -> None:
        rules = Rules(make_work(ties="first_seen"))
        lower, higher = make_rivals(rules)
        client = LightClient(rules, keys(1000))
        longer = grow(rules, [5], higher)
        hear(client, lower, higher, longer)
        assert client.tree.head.hash == longer.hash

    def test_the_rule_is_part_of_what_the_chain_is_called_and_comes_back(self) -> None:
        older, newer = make_work(ties="lowest_hash"), make_work(ties="first_seen")
        assert compute_chain_id(older.encode_genesis()) != compute_chain_id(newer.encode_genesis())
        for mechanism in (older, newer):
            again = ProofOfWork.decode_genesis(mechanism.encode_genesis())
            assert (again.genesis, again.keeps_first) == (mechanism.genesis, mechanism is newer)

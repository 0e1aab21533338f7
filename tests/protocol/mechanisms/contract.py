"""What every consensus mechanism must do for the core: one class of tests, run for each of them."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import msgspec
import pytest

from protocol import catch_up, codec, participant
from protocol import rules as core_rules
from protocol.codec import encode_frame
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainTimer,
    Command,
    Judged,
    MessageReceived,
    Send,
    Timer,
    TimerFired,
)
from protocol.ledger import count_created
from protocol.light_client import LightClient
from protocol.mechanism import Context, Mechanism
from protocol.mechanisms import find_mechanism, list_mechanisms
from protocol.messages import BLOCK_KIND, AnyBlock, BlockRequest, BlockResponse, HeadAnnouncement, Message
from protocol.node import Node
from protocol.rules import Rules
from protocol.slots import compute_slot_start
from protocol.subsidy import compute_subsidy
from protocol.verdicts import ACCEPT, Accept, ChainMissing, ChainReason, FrameReason, LedgerReason, Reject
from tests.support.core import STRANGER, Cluster, keys

NODES = 5
FOREVER_NS = 10**18


class MechanismContract(ABC):
    """Subclasses name the mechanism and make a chain of it with `NODES` owners, whose keys are those of the tests."""

    mechanism: ClassVar[type[Mechanism]]
    chosen: ClassVar[frozenset[str]] = frozenset()
    """Fields of a block that its author may choose: another value, signed again, is another valid block."""

    @staticmethod
    @abstractmethod
    def make() -> Mechanism:
        """Return the mechanism of a chain of at least two blocks."""

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls) -> Cluster:
        """An honest run of all nodes and a light client, to the last block."""
        made = Cluster(cls.make(), employer=True)
        length = made.mechanism.genesis.chain.length
        assert length >= 2
        made.run(until_height=length)
        made.run(seconds=60)
        return made

    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(self.make())

    # ---- its names ----

    def test_it_is_found_by_its_name(self) -> None:
        assert self.mechanism.name in list_mechanisms()
        assert find_mechanism(self.mechanism.name) is self.mechanism
        assert isinstance(self.make(), self.mechanism)
        assert self.mechanism.summary

    def test_its_reasons_waits_and_timers_are_nobody_elses(self) -> None:
        own = self.mechanism
        for core, mine in (
            ((FrameReason, ChainReason, LedgerReason), own.reasons),
            ((ChainMissing,), own.waits),
            ((ChainTimer,), own.timers),
        ):
            values = Counter(item.value for kind in {*core, mine} for item in kind)
            assert set(values.values()) == {1}

    def test_its_messages_have_different_tags_and_one_of_them_is_its_block(self) -> None:
        types = [getattr(message, "__origin__", message) for message in self.mechanism.messages]
        tags = [message.__struct_config__.tag for message in types]
        assert len(set(tags)) == len(tags)
        blocks = [message for message in self.mechanism.messages if message.kind == BLOCK_KIND]
        assert blocks == [self.mechanism.block]

    def test_its_genesis_names_a_chain_of_its_own(self, rules: Rules) -> None:
        assert rules.chain_id == Rules(self.make()).chain_id
        assert rules.origin.hash == rules.chain_id
        agreed = rules.mechanism.encode_genesis()
        assert Rules(self.mechanism.decode_genesis(agreed)).chain_id == rules.chain_id
        for name in set(list_mechanisms()) - {self.mechanism.name}:
            with pytest.raises(msgspec.MsgspecError):
                find_mechanism(name).decode_genesis(agreed)

    # ---- honest nodes ----

    def test_honest_nodes_and_the_light_client_agree_on_a_whole_chain(self, cluster: Cluster) -> None:
        heads = {party.tree.head.hash for party in cluster.parties.values()}
        assert len(heads) == 1
        assert all(party.is_complete for party in cluster.parties.values())
        assert isinstance(cluster.parties["employer"], LightClient)

    def test_nobody_rejects_what_honest_nodes_say(self, cluster: Cluster) -> None:
        judged = [item for name in cluster.parties for item in cluster.judgements(name)]
        assert judged
        assert not [item for item in judged if isinstance(item.verdict, Reject)]

    def test_every_message_round_trips(self, cluster: Cluster) -> None:
        sent = list(list_sent(cluster))
        assert {BLOCK_KIND, "head"} <= {message.kind for message in sent}
        for message in sent:
            rules = cluster.parties["0"].rules
            frame = encode_frame(rules.chain_id, message)
            assert rules.decode(frame) == message

    def test_the_supply_reconciles_at_each_height(self, cluster: Cluster) -> None:
        chain = cluster.parties["0"].tree.get_chain()
        supply = chain[0].state.supply
        for record in chain[1:]:
            assert record.block is not None
            created = count_created(record.block.transactions, record.block.coinbase)
            assert 0 < created <= compute_subsidy(record.height)
            supply += created
            assert record.state.supply == supply
            record.state.check_supply()

    def test_the_head_is_the_heaviest_branch(self, cluster: Cluster) -> None:
        tree = cluster.parties["0"].tree
        assert tree.head.weight == max(record.weight for record in tree.get_records())
        assert all(record.weight > tree.require(record.parent).weight for record in tree.get_chain()[1:])

    def test_who_was_away_catches_up(self) -> None:
        cluster = Cluster(self.make())
        cluster.down.add("4")
        length = cluster.mechanism.genesis.chain.length
        cluster.run(seconds=600)
        length = min(length, cluster.node(0).tree.head.height)  # some mechanisms need everybody
        cluster.wake(4)
        cluster.run(seconds=600)
        assert cluster.node(4).tree.head.hash == cluster.node(0).tree.head.hash
        assert cluster.node(4).tree.head.height >= length

    def test_the_longest_block_that_is_taken_alone_is_taken_out_of_an_answer_too(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chain, chain_id = cluster.parties["0"].tree.get_chain(), cluster.parties["0"].rules.chain_id
        frames = [encode_frame(chain_id, record.block) for record in chain[1:] if record.block is not None]
        longest = max(map(len, frames))
        set_limit(monkeypatch, longest)
        alone, asking = (LightClient(Rules(self.make()), keys(1000)) for _ in range(2))
        for frame in frames:
            alone.handle(MessageReceived("peer", frame), FOREVER_NS)
        assert alone.tree.head.hash == chain[-1].hash
        serving = Node(Rules(self.make()), keys(0))
        serving.restore(cluster.node(0))
        told = HeadAnnouncement(height=len(frames), head=chain[-1].hash, author=serving.keys.public)
        asked_on = frames.index(max(frames, key=len))
        for record in chain[:-1]:
            hear(asking, serving.keys.sign(chain_id, told))
            asked = BlockRequest(locator=(record.hash,), author=asking.keys.public)
            (answer,) = [
                item.message for item in hear(serving, asking.keys.sign(chain_id, asked)) if isinstance(item, Send)
            ]
            assert isinstance(answer, BlockResponse)
            assert answer.blocks, f"nobody is ever given block {record.height + 1}"
            if record.height == asked_on:
                set_limit(monkeypatch, longest - 1)
                judged = [item.verdict for item in hear(asking, answer) if isinstance(item, Judged)]
                assert judged == [Reject(FrameReason.OVERSIZED)]
                set_limit(monkeypatch, longest)
            hear(asking, answer)
            for party in (asking, serving):
                party.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 0)), FOREVER_NS)
        assert asking.tree.head.hash == chain[-1].hash

    def test_recorded_inputs_give_a_fresh_node_the_same_commands(self, cluster: Cluster) -> None:
        fresh = Node(Rules(self.make()), keys(2))
        for now, event, recorded in cluster.journals["2"]:
            assert fresh.handle(event, now) == recorded
        assert fresh.snapshot() == cluster.node(2).snapshot()

    # ---- refusing ----

    def test_a_block_with_any_field_changed_is_refused_and_leaves_no_mark(self, cluster: Cluster) -> None:
        chain = cluster.parties["0"].tree.get_chain()
        other, block = chain[1].block, chain[2].block
        assert other is not None
        assert block is not None
        for field in block.__struct_fields__:
            changed = msgspec.structs.replace(block, **{field: getattr(other, field)})
            if changed == block:
                continue
            signed_again = [] if field in self.chosen else [sign_as_author(cluster, changed)]
            for message in (changed, *signed_again):
                if message == block:
                    continue
                client = self.deliver(cluster, message)
                assert client == chain[1].hash, f"a block with another {field} was taken"

    def deliver(self, cluster: Cluster, block: AnyBlock) -> bytes:
        """Hand a block to a light client that knows the first one; return its head."""
        rules = cluster.parties["0"].rules
        client = LightClient(rules, keys(1000))
        first = cluster.parties["0"].tree.get_chain()[1].block
        assert first is not None
        client.handle(MessageReceived("peer", encode_frame(rules.chain_id, first)), FOREVER_NS)
        before = client.snapshot()
        commands = client.handle(MessageReceived("peer", encode_frame(rules.chain_id, block)), FOREVER_NS)
        assert not any(isinstance(item.verdict, Accept) for item in commands if isinstance(item, Judged))
        assert client.snapshot() == before
        return client.tree.head.hash

    def test_the_blocks_of_a_stranger_are_refused(self, cluster: Cluster) -> None:
        chain = cluster.parties["0"].tree.get_chain()
        block = chain[2].block
        assert block is not None
        pair = keys(STRANGER)
        stolen = pair.sign(cluster.parties["0"].rules.chain_id, msgspec.structs.replace(block, author=pair.public))
        assert self.deliver(cluster, stolen) == chain[1].hash

    def test_its_chain_judges_in_full_without_any_work(self, cluster: Cluster) -> None:
        rules = Rules(self.make())
        parent = rules.origin
        for record in cluster.parties["0"].tree.get_chain()[1:]:
            assert record.block is not None
            now = compute_slot_start(record.block.slot, rules.chain.slot_ns)
            context: Context[object] = Context(rules=rules, parent=parent, now=now, own=None)
            assert rules.judge_in_full(context, record.block) is ACCEPT
            parent = rules.build_record(parent, record.block)
        assert parent.hash == cluster.parties["0"].tree.head.hash


def set_limit(monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    """Let frames be so long at most: that of some block, rather than a block of the length there is."""
    for module in (codec, core_rules, participant):
        monkeypatch.setattr(module, "MAX_FRAME_BYTES", longest)
    monkeypatch.setattr(catch_up, "MAX_SERVED_BYTES", longest)


def hear(party: Node | LightClient, message: Message) -> list[Command]:
    return party.handle(MessageReceived("peer", encode_frame(party.rules.chain_id, message)), FOREVER_NS)


def sign_as_author(cluster: Cluster, block: AnyBlock) -> AnyBlock:
    """Return a block signed by the author it names, as a dishonest one could."""
    pairs = {keys(index).public: keys(index) for index in range(NODES)}
    pair = pairs.get(block.author)
    return pair.sign(cluster.parties["0"].rules.chain_id, block) if pair is not None else block


def list_sent(cluster: Cluster) -> Iterator[Message]:
    """Yield every message that was sent, with the blocks inside answers."""
    for _, _, command in cluster.log:
        if isinstance(command, Broadcast | Send):
            yield command.message
            if isinstance(command.message, BlockResponse):
                yield from command.message.blocks
        elif isinstance(command, BlockAppended) and command.record.block is not None:
            yield command.record.block

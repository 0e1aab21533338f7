"""What a node by activity does: it mines on, signs what has drawn it, closes blocks, and keeps within bounds."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from protocol.codec import encode_frame
from protocol.events import (
    Broadcast,
    ChainRecord,
    Command,
    Event,
    Judged,
    MessageReceived,
    RightUsedTwice,
    SetTimer,
    Started,
    StartWork,
    TimerFired,
    WorkFinished,
)
from protocol.mechanisms.proof_of_activity.group import Group
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.proposer import PATIENCE_SLOTS, ActivityProposer
from protocol.mechanisms.proof_of_activity.reasons import ActivityMissing, ActivityReason, ActivityTimer
from protocol.mechanisms.proof_of_activity.round import MAX_TEMPLATES
from protocol.mechanisms.proof_of_work.work import SearchNonce, search
from protocol.messages import Message, Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject, Verdict, Wait
from tests.protocol.mechanisms.proof_of_activity.chains import close, cosign, find_group, make_activity, mine, sign
from tests.support.core import SLOT_NS, Cluster, keys

NODES = 5
ME = keys(0).public
SLOT = 3


class Scene:
    """One live node (index 0) at slot 3, and what others may send it."""

    def __init__(self, **changes: Any) -> None:
        self.rules = Rules(make_activity(NODES, **changes))
        self.node = Node(self.rules, keys(0))
        self.slot = SLOT
        self.handle(Started())

    @property
    def proposer(self) -> ActivityProposer:
        assert isinstance(self.node.proposer, ActivityProposer)
        return self.node.proposer

    def handle(self, event: Event) -> list[Command]:
        return self.node.handle(event, self.slot * SLOT_NS)

    def send(self, message: Message) -> list[Command]:
        return self.handle(MessageReceived("peer", encode_frame(self.rules.chain_id, message)))

    def judge(self, message: Message) -> Verdict:
        return next(command.verdict for command in self.send(message) if isinstance(command, Judged))

    def find(
        self, suits: Callable[[Group], bool], parent: ChainRecord | None = None, *, miner: int = 1, skip: int = 0
    ) -> Template:
        """Return a template whose group suits, of those in order the one after so many."""
        on = parent or self.node.tree.head
        found = (mine(self.rules, on, miner=miner, serial=serial) for serial in range(2_000))
        suited = (item for item in found if suits(find_group(self.rules, on, item)))
        return next(itertools.islice(suited, skip, None))


def list_said(commands: list[Command]) -> list[Message]:
    return [command.message for command in commands if isinstance(command, Broadcast)]


def find_search(commands: list[Command]) -> SearchNonce:
    (task,) = [command.task for command in commands if isinstance(command, StartWork)]
    assert isinstance(task, SearchNonce)
    return task


def is_signer(group: Group) -> bool:
    return ME in group.signers and group.closer != ME


def is_closer(group: Group) -> bool:
    return group.closer == ME and len(group.signers) == 2


def is_other(group: Group) -> bool:
    return ME not in (*group.places, group.closer)


# ---- mining ----


def test_a_template_is_told_and_another_one_looked_for_on_the_same_head() -> None:
    scene = Scene()
    node = Node(scene.rules, keys(0))
    task = find_search(node.handle(Started(), SLOT * SLOT_NS))
    found = []
    for _ in range(3):
        commands = node.handle(WorkFinished(task, search("sha256", task, 10**6)), SLOT * SLOT_NS)
        found += [message for message in list_said(commands) if isinstance(message, Template)]
        if node.tree.head.height:
            break  # it was drawn for all places
        task = find_search(commands)
    assert len({scene.rules.hash_message(item) for item in found}) == len(found)
    assert [item.serial for item in found] == list(range(len(found)))
    assert {item.slot for item in found} == {SLOT}


def test_a_miner_rests_while_its_room_is_full_of_templates_that_may_still_be_signed() -> None:
    """Else each new one would take the place of one that waits for its signatures, and none would become a block."""
    scene = Scene(first_target=2**61, drawn=5, needed=5)
    node, found = Node(scene.rules, keys(0)), 0
    commands = node.handle(Started(), SLOT * SLOT_NS)
    while any(isinstance(command, StartWork) for command in commands):
        task = find_search(commands)
        commands = node.handle(WorkFinished(task, search("sha256", task, 10**6)), SLOT * SLOT_NS)
        found += sum(isinstance(message, Template) for message in list_said(commands))
        assert found <= MAX_TEMPLATES
    assert found == MAX_TEMPLATES
    (wake,) = [command for command in commands if isinstance(command, SetTimer)]
    assert wake.timer.slot == SLOT + PATIENCE_SLOTS
    idle = node.handle(MessageReceived("peer", encode_frame(scene.rules.chain_id, scene.find(is_other))), wake.at - 1)
    assert not any(isinstance(command, StartWork | SetTimer) for command in idle)
    task = find_search(node.handle(TimerFired(wake.timer), wake.at))
    said = list_said(node.handle(WorkFinished(task, search("sha256", task, 10**6)), wake.at))
    assert [item.serial for item in said if isinstance(item, Template)] == [MAX_TEMPLATES]


def test_templates_of_silent_owners_are_dead_and_mining_goes_on() -> None:
    cluster = Cluster(make_activity(NODES, length=6))
    silent = {"3", "4"}
    cluster.filters.append(lambda source, _, command: source not in silent)
    cluster.run(until_height=6)
    node = cluster.node(0)
    assert node.tree.head.height == 6
    blocks = [record.block for record in node.tree.get_chain()[1:] if isinstance(record.block, ActivityBlock)]
    heard = [item for _, who, item in cluster.log if isinstance(item, Broadcast) and who not in silent]
    found = {node.rules.hash_message(item.message) for item in heard if isinstance(item.message, Template)}
    assert {node.rules.hash_message(block.template) for block in blocks} < found
    signed = {owner for block in blocks for owner in (block.author, *(item.author for item in block.signatures))}
    assert not signed & {keys(int(index)).public for index in silent}


# ---- signing and closing ----


def test_who_is_drawn_signs_once_whatever_comes_again() -> None:
    scene = Scene()
    template = scene.find(is_signer)
    (signed,) = list_said(scene.send(template))
    assert signed == cosign(scene.rules, template, ME)
    again = sign(scene.rules, msgspec.structs.replace(template, signature=bytes(64)))
    assert list_said(scene.send(again)) == []
    assert list_said(scene.send(scene.find(is_other))) == []
    assert list_said(scene.send(scene.find(is_signer, skip=1))) != []


def test_who_is_drawn_last_closes_with_the_transfers_it_has_heard_of() -> None:
    scene = Scene()
    paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=1)
    scene.send(sign(scene.rules, paid))
    template = scene.find(is_closer)
    first, second = find_group(scene.rules, scene.rules.origin, template).signers
    assert list_said(scene.send(template)) == []
    assert list_said(scene.send(cosign(scene.rules, template, second))) == []
    (block,) = list_said(scene.send(cosign(scene.rules, template, first)))
    assert isinstance(block, ActivityBlock)
    assert [item.author for item in block.signatures] == [first, second]
    assert [item.amount for item in block.transactions] == [5]
    assert scene.node.tree.head.hash == scene.rules.hash_message(block)
    assert scene.judge(cosign(scene.rules, template, first)) == Ignore(ChainReason.DUPLICATE)


def test_a_signature_waits_for_its_template() -> None:
    scene = Scene()
    template = scene.find(is_closer)
    for signer in find_group(scene.rules, scene.rules.origin, template).signers:
        signature = cosign(scene.rules, template, signer)
        assert scene.judge(signature) == Wait(ActivityMissing.TEMPLATE, signature.template)
    scene.send(template)
    assert scene.node.tree.head.height == 1


def test_signatures_of_a_refused_template_are_refused() -> None:
    scene = Scene()
    idle = sign(scene.rules, msgspec.structs.replace(scene.find(is_other), serial=5_000))
    early, late = (cosign(scene.rules, idle, keys(index).public) for index in (1, 2))
    assert isinstance(scene.judge(early), Wait)
    judged = [command for command in scene.send(idle) if isinstance(command, Judged)]
    assert [item.verdict for item in judged] == [
        Reject(ActivityReason.BAD_WORK),
        Reject(ActivityReason.REFUSED_TEMPLATE),
    ]
    assert scene.judge(late) == Reject(ActivityReason.REFUSED_TEMPLATE)


def test_a_signature_of_one_that_was_not_drawn_is_refused() -> None:
    scene = Scene()
    template = scene.find(lambda group: is_other(group) and len(set(group.places)) == 3)
    scene.send(template)
    group = find_group(scene.rules, scene.rules.origin, template)
    assert scene.judge(cosign(scene.rules, template, ME)) == Reject(ActivityReason.NOT_DRAWN)
    assert scene.judge(cosign(scene.rules, template, group.closer)) == Reject(ActivityReason.NOT_DRAWN)
    assert scene.judge(cosign(scene.rules, template, group.signers[0])) is ACCEPT


def test_nobody_signs_for_a_height_that_has_its_block() -> None:
    scene = Scene()
    block = close(scene.rules, scene.rules.origin, scene.find(is_other))
    late = scene.find(is_signer)
    scene.send(block)
    assert scene.node.tree.head.height == 1
    assert scene.judge(late) == Ignore(ChainReason.STALE)
    assert list_said(scene.send(late)) == []


def test_templates_that_were_there_before_their_parent_was_the_head_are_signed_then() -> None:
    scene = Scene()
    first = close(scene.rules, scene.rules.origin, scene.find(is_other))
    record = scene.rules.build_record(scene.rules.origin, first)
    early = scene.find(is_signer, record)
    assert list_said(scene.send(early)) == []
    said = list_said(scene.send(first))
    assert cosign(scene.rules, early, ME) in said


# ---- a closer that makes several blocks of one template ----


@pytest.fixture
def doubled() -> tuple[Scene, ActivityBlock, ActivityBlock]:
    """A node that has heard of the first of two blocks of one template."""
    scene = Scene()
    template = scene.find(is_other)
    closer = find_group(scene.rules, scene.rules.origin, template).closer
    to_itself = Transaction(author=closer, nonce=0, recipient=closer, amount=1, fee=0)
    first = close(scene.rules, scene.rules.origin, template)
    second = close(scene.rules, scene.rules.origin, template, transactions=(sign(scene.rules, to_itself),))
    scene.send(first)
    assert scene.node.tree.head.height == 1
    return scene, first, second


def test_a_template_that_became_two_blocks_counts_nothing(doubled: tuple[Scene, ActivityBlock, ActivityBlock]) -> None:
    scene, _, second = doubled
    told = [command for command in scene.send(second) if isinstance(command, RightUsedTwice)]
    assert [item.author for item in told] == [second.author]
    assert scene.node.tree.head.hash == scene.rules.origin.hash


def test_who_brings_one_of_many_blocks_of_a_template_is_not_blamed_and_its_closer_is(
    doubled: tuple[Scene, ActivityBlock, ActivityBlock],
) -> None:
    """Honest nodes pass on two, and another one may have had two others."""
    scene, first, second = doubled
    closer, template = second.author, second.template
    again = Transaction(author=closer, nonce=0, recipient=closer, amount=2, fee=0)
    third = close(scene.rules, scene.rules.origin, template, transactions=(sign(scene.rules, again),))
    assert scene.judge(first) == Ignore(ChainReason.DUPLICATE)
    told = scene.send(second)
    assert [item.verdict for item in told if isinstance(item, Judged)] == [ACCEPT]
    assert [item.author for item in told if isinstance(item, RightUsedTwice)] == [closer]
    assert scene.judge(third) == Ignore(ChainReason.EQUIVOCATION)


def test_its_miner_cannot_make_two_rights_of_it_by_signing_it_twice(
    doubled: tuple[Scene, ActivityBlock, ActivityBlock],
) -> None:
    scene, first, second = doubled
    mechanism = scene.rules.mechanism
    signed_again = msgspec.structs.replace(second.template, signature=bytes(64))
    other = msgspec.structs.replace(second, template=signed_again)
    assert mechanism.find_right(other) == mechanism.find_right(first)
    assert mechanism.rank(scene.rules, other) == mechanism.rank(scene.rules, first)


def test_what_was_built_on_the_first_holds_it(doubled: tuple[Scene, ActivityBlock, ActivityBlock]) -> None:
    """A template on it is signed though a second block has come in between, so it costs its closer alone."""
    scene, first, second = doubled
    record = scene.rules.build_record(scene.rules.origin, first)
    on_first = scene.find(is_signer, record)
    scene.send(second)
    assert cosign(scene.rules, on_first, ME) in list_said(scene.send(on_first))
    scene.send(close(scene.rules, record, on_first))
    assert scene.node.tree.head.height == 2
    assert scene.node.tree.head.parent == record.hash


def test_a_node_that_comes_back_closes_nothing_twice() -> None:
    scene = Scene()
    template = scene.find(is_closer)
    signers = find_group(scene.rules, scene.rules.origin, template).signers
    for message in (template, *(cosign(scene.rules, template, signer) for signer in signers)):
        scene.send(message)
    assert scene.node.tree.head.height == 1
    again = Node(scene.rules, keys(0))
    again.proposer.restore(scene.node.proposer)  # without the block itself
    assert not any(isinstance(item, ActivityBlock) for item in list_said(again.handle(Started(), 9 * SLOT_NS)))
    (draft,) = scene.proposer.read_round(scene.rules.origin.hash).drafts.values()
    draft.has_closed = False
    assert any(isinstance(item, ActivityBlock) for item in list_said(again.handle(Started(), 9 * SLOT_NS)))


# ---- what is kept ----


def test_a_miner_has_so_much_room_and_takes_none_of_others() -> None:
    scene = Scene(first_target=2**61)
    other = mine(scene.rules, scene.rules.origin, miner=2)
    scene.send(other)
    many = [mine(scene.rules, scene.rules.origin, miner=1, serial=serial) for serial in range(MAX_TEMPLATES + 3)]
    for template in many:
        assert scene.judge(template) is ACCEPT
    kept = list(scene.proposer.read_round(scene.rules.origin.hash).drafts)
    assert kept == [scene.rules.hash_message(item) for item in (other, *many[3:])]
    scene.node._seen.clear()  # as after many frames, or when a miner has signed the same anew
    for template in many[:3]:
        assert scene.judge(template) == Ignore(ChainReason.DUPLICATE)
    assert list(scene.proposer.read_round(scene.rules.origin.hash).drafts) == kept


# ---- where some may be missing ----


class TestSomeMayBeMissing:
    @pytest.fixture
    def scene(self) -> Scene:
        return Scene(drawn=5, needed=3)

    def offer(self, scene: Scene) -> tuple[Template, list[Cosignature], list[Command]]:
        """Have the node find a template that four others and perhaps itself are drawn for."""
        template = scene.find(lambda group: len(set(group.places) - {ME}) == 4, miner=0)
        signers = find_group(scene.rules, scene.rules.origin, template).signers
        return template, [cosign(scene.rules, template, item) for item in signers if item != ME], scene.send(template)

    def test_the_miner_closes_with_enough_when_it_has_waited(self, scene: Scene) -> None:
        template, signatures, commands = self.offer(scene)
        (timer,) = [command.timer for command in commands if isinstance(command, SetTimer)]
        assert (timer.kind, timer.slot) == (ActivityTimer.CLOSE, SLOT + PATIENCE_SLOTS)
        for signature in signatures[:3]:
            assert not any(isinstance(item, ActivityBlock) for item in list_said(scene.send(signature)))
        scene.slot = timer.slot
        (block,) = [item for item in list_said(scene.handle(TimerFired(timer))) if isinstance(item, ActivityBlock)]
        assert block.author == ME == template.author
        assert {item.author for item in block.signatures} - {ME} == {item.author for item in signatures[:3]}

    def test_it_closes_at_once_with_all(self, scene: Scene) -> None:
        _, signatures, _ = self.offer(scene)
        for signature in signatures:
            scene.send(signature)
        assert scene.node.tree.head.height == 1

    def test_it_closes_with_the_one_that_was_missing_however_late(self, scene: Scene) -> None:
        template, signatures, commands = self.offer(scene)
        places = find_group(scene.rules, scene.rules.origin, template).places
        (timer,) = [command.timer for command in commands if isinstance(command, SetTimer)]
        scene.slot = timer.slot
        assert list_said(scene.handle(TimerFired(timer))) == []
        present = places.count(ME)
        for signature in signatures:
            scene.send(signature)
            present += places.count(signature.author)
            assert scene.node.tree.head.height == (present >= 3)
            if present >= 3:
                break

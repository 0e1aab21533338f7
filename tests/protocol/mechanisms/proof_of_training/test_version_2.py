"""What version 2 of the rules repairs: each repair against version 1, where the same thing goes through."""

from functools import partial
from typing import Any

import msgspec
import pytest

from protocol import participant
from protocol.codec import encode_frame
from protocol.crypto import compute_content_hash
from protocol.events import BlockAppended, Broadcast, ChainRecord, RightUsedTwice
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    TrainedBlock,
    TrainedHeader,
    TrainedSignature,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingReason
from protocol.mechanisms.proof_of_training.repairs import SETTLED_AFTER_SLOTS, VERSION_2
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.messages import Transaction
from protocol.settling import WITNESSES
from protocol.verdicts import ACCEPT, ChainMissing, ChainReason, Ignore, LedgerReason, Reject, Wait
from tests.support.core import SLOT_NS, STRANGER, Cluster, Scene, genesis, get_header, get_proposer, keys

NODES = 5


def make_scene(**changes: Any) -> Scene:
    return Scene(genesis(NODES, repairs=VERSION_2, **changes))


def make_first_scene(**changes: Any) -> Scene:
    return Scene(genesis(NODES, **changes))


# ---- draws ----


def test_draws_do_not_depend_on_anything_an_author_says() -> None:
    scene = make_scene()
    header = scene.header()
    fewer = scene.sign(msgspec.structs.replace(header, declarations=header.declarations[1:]))
    assert scene.stakeholders(fewer) == scene.stakeholders(header)
    won = [scene.pot.has_won(Right.PROPOSE, scene.head, slot, header.author) for slot in range(200)]
    scene.grow((scene.transfer(),))
    assert [scene.pot.has_won(Right.PROPOSE, scene.head, slot, header.author) for slot in range(200)] == won


def test_in_version_1_declarations_and_parents_decide_draws() -> None:
    scene = make_first_scene()
    header = scene.header()
    variants = [header.declarations[start:] for start in range(3)]
    drawn = {scene.stakeholders(msgspec.structs.replace(header, declarations=some)) for some in variants}
    assert len(drawn) > 1
    won = [scene.pot.has_won(Right.PROPOSE, scene.head, slot, header.author) for slot in range(200)]
    scene.grow()
    assert [scene.pot.has_won(Right.PROPOSE, scene.head, slot, header.author) for slot in range(200)] != won


def test_two_chains_draw_differently() -> None:
    one, other = make_scene(), Scene(msgspec.structs.replace(genesis(NODES, repairs=VERSION_2), seed=8))
    slots = [
        [pot.pot.has_won(Right.PROPOSE, pot.head, slot, keys(1).public) for slot in range(200)] for pot in (one, other)
    ]
    assert slots[0] != slots[1]


# ---- one right, one block ----


@pytest.mark.parametrize("is_second", [True, False], ids=["version 2", "version 1"])
def test_a_header_needs_a_slot_after_its_parents(*, is_second: bool) -> None:
    scene = make_scene() if is_second else make_first_scene()
    parent = scene.grow()
    has_won = partial(scene.pot.has_won, Right.PROPOSE, parent, parent.slot)
    losers = (index for index in range(NODES) if not has_won(keys(index).public))
    header = scene.sign(msgspec.structs.replace(scene.header(next(losers)), slot=parent.slot))
    reason = ChainReason.SLOT_BEFORE_PARENT if is_second else ChainReason.LOTTERY_LOST
    assert scene.judge(header) == Reject(reason)


def test_two_headers_of_one_right_are_equivocation_on_whatever_parents() -> None:
    scene = make_scene()
    first = scene.header(1, slot=60)
    assert scene.judge(first) is ACCEPT
    assert scene.judge(scene.sign(msgspec.structs.replace(first, declarations=first.declarations[1:]))) == Reject(
        ChainReason.EQUIVOCATION
    )
    scene.deliver(scene.block(scene.header(2, slot=40)))
    scene.finish(1)
    assert scene.head.slot < first.slot
    again = scene.header(1, slot=first.slot)
    assert again.slot == first.slot
    assert scene.judge(again) == Reject(ChainReason.EQUIVOCATION)


def test_a_header_is_held_against_its_authors_others_before_its_declarations_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = make_scene()
    first = scene.header(1)
    assert scene.judge(first) is ACCEPT
    second = scene.sign(msgspec.structs.replace(first, declarations=first.declarations[1:]))
    asked: list[object] = []
    monkeypatch.setattr(type(scene.pot), "judge_header", lambda *arguments: asked.append(arguments))
    assert scene.judge(second) == Reject(ChainReason.EQUIVOCATION)
    assert not asked


# ---- two versions of a block ----


def make_versions(scene: Scene, count: int, header: BlockHeader | None = None) -> list[WrappedBlock]:
    """Return blocks of one header with different transfers."""
    header = header or scene.header()
    return [
        scene.block(header, tuple(scene.transfer(nonce=nonce) for nonce in range(number))) for number in range(count)
    ]


def test_who_has_seen_two_versions_goes_on_from_the_block_below_whichever_came_first() -> None:
    heads = []
    for order in ((0, 1), (1, 0)):
        scene = make_scene()
        versions = make_versions(scene, 2)
        below = scene.head
        assert scene.judge(versions[order[0]]) is ACCEPT
        assert scene.head.hash == compute_content_hash(scene.chain_id, versions[order[0]])
        commands = scene.send(versions[order[1]])
        assert scene.head.hash == below.hash
        (used,) = [item for item in commands if isinstance(item, RightUsedTwice)]
        assert used.author == get_header(scene.node.tree.require(used.first)).author
        assert (used.head, used.head_height) == (below.hash, below.height)
        (appended,) = [item for item in commands if isinstance(item, BlockAppended)]
        assert appended.change is not None
        assert [record.hash for record in appended.change.abandoned] == [used.first]
        heads.append(scene.head.hash)
    assert heads[0] == heads[1]


def test_a_version_that_others_have_built_on_counts() -> None:
    scene = make_scene()
    versions = make_versions(scene, 2)
    scene.deliver(versions[0])
    scene.deliver(versions[1])
    scene.finish(1)
    chosen = scene.node.tree.require(compute_content_hash(scene.chain_id, versions[1]))
    child = scene.block(scene.header(2, parent=chosen, slot=chosen.slot + 40))
    assert scene.judge(child) is ACCEPT
    assert scene.head.hash == compute_content_hash(scene.chain_id, child)


@pytest.mark.parametrize("comes_first", [True, False])
def test_a_header_on_a_version_gets_its_signatures_though_the_other_version_has_been_shown(
    *, comes_first: bool
) -> None:
    scene = make_scene()
    versions = make_versions(scene, 2)
    scene.deliver(versions[0])
    scene.finish(1)
    on, below, own = scene.head, scene.head.parent, scene.node.keys.public
    slots = range(on.slot + 40, on.slot + 4_000, 10)
    headers = (scene.header(2, (1, 2), parent=on, slot=slot) for slot in slots)  # too few to back it
    header = next(item for item in headers if own in scene.stakeholders(item)[:-1])
    scene.now = header.slot * SLOT_NS
    shown = [header, versions[1]] if comes_first else [versions[1], header]
    commands = [command for message in shown for command in scene.send(message)]
    said = [item.message for item in commands if isinstance(item, Broadcast)]
    assert [item.header for item in said if isinstance(item, TrainedSignature)] == [
        compute_content_hash(scene.chain_id, header)
    ]
    assert scene.head.hash == below
    assert scene.judge(scene.block(header)) is ACCEPT
    assert scene.head.parent == on.hash


def test_two_versions_of_the_last_block_start_its_round_again() -> None:
    scene = make_scene(stages=1)
    first, second = make_versions(scene, 2)
    scene.deliver(first)
    assert get_proposer(scene.node).phase is Phase.FINISHED
    scene.deliver(second)
    assert scene.head.height == 0
    assert get_proposer(scene.node).phase is not Phase.FINISHED
    other = scene.block(scene.header(2, slot=90))
    scene.deliver(other)
    assert scene.head.hash == compute_content_hash(scene.chain_id, other)
    assert get_proposer(scene.node).phase is Phase.FINISHED


def test_a_delivery_is_not_undone_by_another_version() -> None:
    scene = Scene(genesis(NODES, repairs=VERSION_2, stages=1), party=LightClient)
    first, second = make_versions(scene, 2)
    assert scene.judge(first) is ACCEPT
    assert scene.judge(second) == Ignore(TrainingReason.JOB_DELIVERED)
    assert scene.head.hash == compute_content_hash(scene.chain_id, first)


def test_another_block_of_that_height_beats_both_versions() -> None:
    scene = make_scene()
    versions = make_versions(scene, 2)
    other = scene.block(scene.header(2, slot=90))
    for block in (*versions, other):
        scene.deliver(block)
    assert scene.head.hash == compute_content_hash(scene.chain_id, other)


def test_a_third_version_is_taken_out_of_an_answer_only() -> None:
    scene = make_scene()
    versions = make_versions(scene, 3)
    for block in versions[:2]:
        assert scene.judge(block) is ACCEPT
    assert scene.judge(versions[2]) == Ignore(ChainReason.EQUIVOCATION)
    third = compute_content_hash(scene.chain_id, versions[2])
    assert third not in scene.node.tree
    assert not scene.node.is_refused(third)


@pytest.mark.parametrize(("declarers", "is_taken"), [((1, 2), False), ((1, 2, 3), True)])
def test_however_many_versions_there_are_one_that_most_stake_works_on_is_taken(
    declarers: tuple[int, ...], *, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(participant, "MAX_VERSIONS_NEEDED", 2)
    scene = make_scene()
    first, second, third = make_versions(scene, 3)
    for block in (first, second):
        scene.deliver(block)
    below = scene.head
    record = scene.node.rules.build_record(below, third)
    child = scene.block(scene.header(2, declarers, parent=record, slot=record.slot + 40))
    assert scene.judge(child) == Wait(ChainMissing.BLOCK, record.hash)
    assert scene.judge(third) == (ACCEPT if is_taken else Ignore(ChainReason.EQUIVOCATION))


def test_in_version_1_every_version_with_a_lower_hash_moves_the_head() -> None:
    scene = make_first_scene()
    versions = sorted(
        make_versions(scene, 4), key=lambda item: compute_content_hash(scene.chain_id, item), reverse=True
    )
    for block in versions:
        assert scene.judge(block) is ACCEPT
        assert scene.head.hash == compute_content_hash(scene.chain_id, block)


def test_the_proposer_of_two_headers_is_named_and_not_who_wrapped_them() -> None:
    scene = make_scene()
    header = scene.header()
    other = scene.sign(msgspec.structs.replace(header, declarations=header.declarations[1:]))
    scene.deliver(scene.block(header))
    (used,) = [item for item in scene.send(scene.block(other)) if isinstance(item, RightUsedTwice)]
    assert used.author == header.author


# ---- the body ----


def test_a_header_is_one_block_whoever_signs_and_wraps_it_how_often() -> None:
    scene = make_scene()
    block = scene.block(transactions=(scene.transfer(),))
    assert isinstance(block, TrainedBlock)
    wrapper, others = scene.keys[block.author], [key for key in scene.keys if key != block.author]
    spoiled = (
        (msgspec.structs.replace(block, transactions=()), ChainReason.WRONG_BODY),
        (scene.sign(msgspec.structs.replace(block, coinbase=block.coinbase[1:])), LedgerReason.WRONG_COINBASE),
        (scene.sign(msgspec.structs.replace(block, signatures=())), TrainingReason.WRONG_SIGNATURE_COUNT),
        (
            scene.sign(msgspec.structs.replace(block, signatures=block.signatures[::-1])),
            TrainingReason.NOT_A_STAKEHOLDER,
        ),
        (scene.sign(msgspec.structs.replace(block, training_secret=bytes(32))), TrainingReason.UNTRAINED_STAKEHOLDER),
        (scene.sign(msgspec.structs.replace(block, author=keys(STRANGER).public)), ChainReason.NOT_BONDED),
        (scene.sign(msgspec.structs.replace(block, author=others[0])), TrainingReason.WRONG_WRAPPER),
        (msgspec.structs.replace(block, signature=wrapper.sign_hash(bytes(32))), ChainReason.BAD_SIGNATURE),
    )
    for other, reason in spoiled:
        assert compute_content_hash(scene.chain_id, other) == compute_content_hash(scene.chain_id, block)
        assert scene.judge(other) == Reject(reason)
    assert scene.judge(block) is ACCEPT
    assert scene.head.hash == compute_content_hash(scene.chain_id, block.header)


def test_transfers_are_judged_with_the_header_that_commits_to_them() -> None:
    scene = make_scene()
    header = scene.carry(scene.header(), (scene.transfer(),))
    assert isinstance(header, TrainedHeader)
    for carried in ((), (scene.transfer(amount=6_000),)):
        stripped = msgspec.structs.replace(header, transactions=carried)
        assert compute_content_hash(scene.chain_id, stripped) == compute_content_hash(scene.chain_id, header)
        assert scene.judge(stripped) == Reject(ChainReason.WRONG_BODY)
    unplaced = scene.sign(msgspec.structs.replace(header, parent=bytes(32)))
    assert scene.judge(msgspec.structs.replace(unplaced, transactions=())) == Reject(ChainReason.WRONG_BODY)
    assert scene.judge(unplaced) == Wait(ChainMissing.BLOCK, bytes(32))
    assert scene.judge(header) is ACCEPT
    dear = scene.carry(scene.header(2), (scene.transfer(amount=10**12),))
    assert scene.judge(dear) == Reject(LedgerReason.OVERDRAFT)


def test_the_block_of_a_header_has_the_transfers_that_its_proposer_chose() -> None:
    cluster = Cluster(genesis(5, repairs=VERSION_2))
    rules = cluster.node(0).rules
    transfer = keys(1).sign(
        rules.chain_id,
        Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5_000, fee=7),
    )
    for name in cluster.parties:
        cluster.send(name, "user", encode_frame(rules.chain_id, transfer))
    cluster.run(until_height=1)
    block = cluster.node(0).tree.get_chain()[1].block
    assert block is not None
    assert block.transactions == (transfer,)


# ---- ties, and the last block ----


def test_of_two_blocks_of_one_height_the_earlier_slot_wins() -> None:
    for first, second in ((40, 90), (90, 40)):
        scene = make_scene()
        blocks = [scene.block(scene.header(author, slot=slot)) for author, slot in ((1, first), (2, second))]
        for block in blocks:
            scene.deliver(block)
        assert scene.head.slot == min(block.slot for block in blocks)


def take_last_block(scene: Scene, seconds_later: float, sibling_slot: int) -> tuple[ChainRecord, ChainRecord]:
    """Complete a job of one block, show a sibling later, and return the head before and after."""
    sibling = scene.block(scene.header(2, slot=sibling_slot))
    scene.deliver(scene.block(scene.header(1, slot=90)))
    before = scene.head
    assert before.height == scene.node.rules.chain.length
    scene.now += round(seconds_later * 1e9)
    scene.deliver(sibling)
    return before, scene.head


def test_the_last_block_stays_once_it_has_stood_for_a_while() -> None:
    late = (SETTLED_AFTER_SLOTS + 1) * SLOT_NS / 1e9
    before, after = take_last_block(make_scene(stages=1), late, 40)
    assert after.hash == before.hash
    before, after = take_last_block(make_scene(stages=1), SETTLED_AFTER_SLOTS / WITNESSES / 2, 40)
    assert after.hash != before.hash
    assert after.slot < before.slot


def test_before_that_it_goes_for_one_that_witnesses_had_in_time() -> None:
    before, after = take_last_block(make_scene(stages=1), SETTLED_AFTER_SLOTS / WITNESSES, 40)
    assert after.hash == before.hash


def test_in_version_1_the_last_block_never_stays() -> None:
    moved = 0
    for slot in range(40, 100, 10):
        before, after = take_last_block(make_first_scene(stages=1), 3600, slot)
        moved += before.hash != after.hash
    assert moved


# ---- open rounds ----


def test_declarations_of_a_header_count_for_the_next_one_and_declaring_goes_on() -> None:
    scene = make_scene()
    header = scene.header(1, (1, 2, 3))
    assert scene.judge(header) is ACCEPT
    round_ = get_proposer(scene.node).read_round(scene.head.hash)
    assert {keys(index).public for index in (1, 2, 3)} <= set(round_.declarations)
    assert scene.judge(scene.declaration(4)) is ACCEPT


def test_in_version_1_a_header_closes_the_window_and_keeps_its_declarations_to_itself() -> None:
    scene = make_first_scene()
    assert scene.judge(scene.header(1, (1, 2, 3))) is ACCEPT
    round_ = get_proposer(scene.node).read_round(scene.head.hash)
    assert not set(round_.declarations) & {keys(index).public for index in (1, 2, 3)}
    assert scene.judge(scene.declaration(4)) == Ignore(TrainingReason.WINDOW_CLOSED)


# ---- secrets of one's own ----


def test_what_others_show_makes_no_declaration_and_no_header() -> None:
    scene = make_scene()
    header = scene.header(1)
    honest = scene.declaration(4)
    copied = commit(keys(4), scene.chain_id, honest.height, honest.parent, header.training_secret)
    declaration = scene.sign(msgspec.structs.replace(honest, commitment=copied))
    assert scene.judge(declaration) == Reject(TrainingReason.BAD_COMMITMENT)
    stolen = scene.sign(msgspec.structs.replace(scene.header(2), training_secret=header.training_secret))
    assert scene.judge(stolen) == Reject(TrainingReason.DIFFERENT_SECRET)


def test_in_version_1_the_secret_of_a_header_makes_a_declaration() -> None:
    scene = make_first_scene()
    header = scene.header(1)
    honest = scene.declaration(4)
    copied = commit(keys(4), scene.chain_id, honest.height, honest.parent, header.training_secret)
    assert scene.judge(scene.sign(msgspec.structs.replace(honest, commitment=copied))) is ACCEPT


def test_who_signs_or_wraps_shows_a_secret_of_its_own() -> None:
    scene = make_scene()
    header = scene.header(1)
    scene.deliver(header)
    signer = scene.stakeholders(header)[0]
    right = scene.signature(header, signer)
    assert isinstance(right, TrainedSignature)
    for wrong in (header.training_secret, bytes(32)):
        if wrong != right.training_secret:
            copied = scene.sign(msgspec.structs.replace(right, training_secret=wrong))
            assert scene.judge(copied) == Reject(TrainingReason.UNTRAINED_STAKEHOLDER)
    block = scene.block(header)
    assert isinstance(block, TrainedBlock)
    lazy = scene.sign(msgspec.structs.replace(block, training_secret=bytes(32)))
    assert scene.judge(lazy) == Reject(TrainingReason.UNTRAINED_STAKEHOLDER)
    unproved = scene.sign(
        msgspec.structs.replace(
            block,
            signatures=tuple(
                scene.sign(msgspec.structs.replace(item, training_secret=bytes(32))) for item in block.signatures
            ),
        )
    )
    assert scene.judge(unproved) == Reject(TrainingReason.UNTRAINED_STAKEHOLDER)
    assert scene.judge(block) is ACCEPT


def test_who_has_not_trained_holds_secrets_against_declarations() -> None:
    """A wrapper that has declared is bound to its commitment; of another one only who has trained can tell."""
    for is_declared in (True, False):
        scene = Scene(genesis(NODES, repairs=VERSION_2), party=LightClient)
        wrapper = next(
            index for index in range(NODES) if keys(index).public == scene.stakeholders(scene.header(1, ()))[-1]
        )
        declarers = (wrapper, *(other for other in range(NODES) if other != wrapper))
        block = scene.block(scene.header(1, declarers[:3] if is_declared else declarers[1:4]))
        forged = scene.sign(msgspec.structs.replace(block, training_secret=bytes(32)))
        refused = Reject(TrainingReason.UNTRAINED_STAKEHOLDER)
        assert scene.judge(forged) == (refused if is_declared else ACCEPT)
        assert scene.judge(block) == (ACCEPT if is_declared else Ignore(ChainReason.DUPLICATE))


def test_who_has_not_trained_holds_a_proposers_secret_against_its_declaration() -> None:
    scene = Scene(genesis(NODES, repairs=VERSION_2), party=LightClient)
    header = scene.header(1, (1, 2, 3))
    forged = scene.sign(msgspec.structs.replace(header, training_secret=bytes(32)))
    assert scene.judge(scene.block(forged)) == Reject(TrainingReason.BAD_COMMITMENT)
    assert scene.judge(scene.block(header)) is ACCEPT


# ---- pay ----


def test_what_a_declarer_earns_does_not_depend_on_who_else_is_in_the_header() -> None:
    paid = []
    for declarers in ((1, 2), (1, 2, 3, 4)):
        scene = make_scene()
        header = scene.header(3, declarers)
        outsider = keys(1).public  # proposes nothing here; whoever is a stakeholder besides earns for that too
        block = scene.block(header)
        seats = scene.stakeholders(header).count(outsider)
        amount = next(line.amount for line in block.coinbase if line.account == outsider)
        paid.append((seats, amount))
    assert paid[0] == paid[1]


# ---- a whole run ----


@pytest.mark.many_runs
def test_nobody_uses_a_right_twice_where_all_are_honest() -> None:
    cluster = Cluster(
        genesis(9, repairs=VERSION_2, stages=12, headers_per_slot=9_000_000, declarations_per_slot=4_000_000)
    )
    cluster.run(until_height=12)
    said = [item for name in cluster.parties for item in cluster.judgements(name)]
    assert not [item for item in said if isinstance(item.verdict, Reject)]
    rights = [
        (message.author, message.slot)
        for _, _, command in cluster.log
        if isinstance(command, Broadcast) and isinstance(message := command.message, BlockHeader)
    ]
    assert len(rights) == len(set(rights)) > 12
    slots = [record.slot for record in get_node_chain(cluster)]
    assert slots == sorted(set(slots))


def get_node_chain(cluster: Cluster) -> list[ChainRecord]:
    return list(cluster.node(0).tree.get_chain()[1:])

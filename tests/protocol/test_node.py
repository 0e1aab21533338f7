"""What a node does: alone against faulty messages (`Scene`), and among others in virtual time (`Cluster`)."""

from collections import Counter

import msgspec

from protocol.codec import encode_frame
from protocol.crypto import compute_content_hash
from protocol.events import Broadcast, Command, Judged, StartWork, Timer, TimerFired
from protocol.mechanisms.proof_of_training.messages import BlockHeader, StakeholderSignature, WrappedBlock
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.mechanisms.proof_of_training.work import TrainStage
from protocol.messages import Message
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject, Wait
from tests.support.core import SLOT_NS, TRAINING_NS, Cluster, Scene, genesis, get_header, get_proposer, keys

NEXT_STAGE = 1


def untrained_scene() -> Scene:
    """Return a node whose head is at height 1 and that has not trained the stage on it."""
    scene = Scene()
    scene.deliver(scene.block())
    return scene


# ---- equivocation and the declaration window ----


def test_a_second_declaration_of_an_author_is_equivocation_and_the_first_one_stays() -> None:
    scene = Scene()
    first = scene.declaration(1)
    assert scene.judge(first) == ACCEPT
    assert scene.judge(first) == Ignore(ChainReason.DUPLICATE)
    assert scene.judge(scene.declaration(1, slot=first.slot + 1)) == Reject(ChainReason.EQUIVOCATION)
    assert scene.judge(scene.declaration(2)) == ACCEPT


def test_a_second_header_of_an_author_in_one_slot_is_equivocation_but_not_in_another_slot() -> None:
    scene = Scene()
    header = scene.header(1, (1, 2, 3))
    other = scene.header(1, (1, 2, 4))
    assert header.slot == other.slot
    assert scene.judge(header) == ACCEPT
    assert scene.judge(other) == Reject(ChainReason.EQUIVOCATION)
    assert scene.judge(scene.header(1, (1, 2, 4), slot=header.slot + 1)) == ACCEPT
    assert scene.judge(scene.header(2, (1, 2, 4))) == ACCEPT


def test_a_declaration_after_the_reveal_finds_the_window_closed() -> None:
    scene = Scene()
    late = scene.declaration(4)
    assert scene.judge(scene.header(1, (1, 2))) == ACCEPT
    assert scene.judge(late) == Ignore(TrainingReason.WINDOW_CLOSED)
    open_window = Scene()
    assert open_window.judge(late) == ACCEPT


def test_a_faulty_header_does_not_close_the_window() -> None:
    scene = Scene()
    assert scene.judge(scene.header(1, (1,))) == Reject(TrainingReason.CONFIDENCE_NOT_REACHED)
    assert scene.judge(scene.declaration(4)) == ACCEPT


def test_junk_declarations_do_not_spoil_an_honest_chain() -> None:
    cluster = Cluster(genesis(4))
    cluster.down.add("3")
    scene = Scene(cluster.genesis)
    true = scene.declaration(3, slot=0)
    junk = [
        scene.sign(msgspec.structs.replace(true, commitment=bytes([number]) * 64, slot=true.slot))
        for number in range(9)
    ]
    assert {scene.judge(item) for item in junk} == {Reject(TrainingReason.BAD_COMMITMENT)}
    cluster.run(seconds=(true.slot * SLOT_NS + TRAINING_NS) / 1e9 + 0.5)
    for name in "012":
        for item in junk:
            cluster.send(name, "3", encode_frame(scene.chain_id, item))
    cluster.run(until_height=2)
    assert [cluster.node(index).tree.head.height for index in range(3)] == [2, 2, 2]
    assert any(item.verdict == Reject(TrainingReason.BAD_COMMITMENT) for item in cluster.judgements("0"))


def test_an_equivocating_author_does_not_spoil_a_header_that_holds_its_other_declaration() -> None:
    scene = Scene()
    assert scene.judge(scene.declaration(1, slot=20)) == ACCEPT
    header = scene.header(2, (1, 2, 3))
    assert scene.declaration(1, slot=20) not in header.declarations
    assert scene.judge(header) == ACCEPT


# ---- proposing, signing, wrapping ----


def test_a_header_whose_stakeholders_are_silent_dies_and_a_later_one_succeeds() -> None:
    cluster = Cluster(genesis(6))
    dead: list[bytes] = []

    def drop_first_header_signatures(_: str, __: str, command: Command) -> bool:
        if not (isinstance(command, Broadcast) and isinstance(command.message, StakeholderSignature)):
            return True
        if not dead:
            dead.append(command.message.header)
        return command.message.header not in dead

    cluster.filters.append(drop_first_header_signatures)
    cluster.run(until_height=1)
    chain = cluster.node(0).tree.get_chain()
    header = get_header(chain[1])
    chain_id = cluster.node(0).rules.chain_id
    sent = [item.message for _, _, item in cluster.log if isinstance(item, Broadcast)]
    slots = {compute_content_hash(chain_id, item): item.slot for item in sent if isinstance(item, BlockHeader)}
    assert dead[0] in slots
    assert compute_content_hash(chain_id, header) != dead[0]
    assert header.slot >= slots[dead[0]]


def test_a_stakeholder_signs_a_header_once_and_the_last_one_wraps_it_once_it_is_complete() -> None:
    roles = Counter[str]()
    for author in range(1, 5):
        for declarers in ((1, 2), (1, 3), (2, 3), (1, 2, 3)):
            scene = Scene()
            header = scene.header(author, declarers)
            chosen = scene.stakeholders(header)
            sent = send_all(scene, [header])
            is_signer = keys(0).public in chosen[:-1]
            assert [type(item) for item in sent] == [StakeholderSignature] * is_signer
            others = [scene.signature(header, signer) for signer in chosen[:-1] if signer != keys(0).public]
            completed = send_all(scene, [*others, *others])
            assert [type(item) for item in completed] == [WrappedBlock] * (keys(0).public == chosen[-1])
            assert scene.head.height == len(completed)
            roles["signer" if is_signer else "wrapper" if completed else "none"] += 1
    assert set(roles) == {"signer", "wrapper", "none"}, "the cases must cover every role"


def send_all(scene: Scene, messages: list[BlockHeader] | list[StakeholderSignature]) -> list[object]:
    """Return what the node broadcasts because of these messages."""
    commands = [command for message in messages for command in scene.send(message)]
    return [command.message for command in commands if isinstance(command, Broadcast)]


def test_a_signature_that_overtakes_its_header_waits_and_is_judged_after_it() -> None:
    scene = Scene()
    header = scene.header()
    signer = next(key for key in scene.stakeholders(header)[:-1] if key != keys(0).public)
    signature = scene.signature(header, signer)
    assert scene.judge(signature) == Wait(TrainingMissing.HEADER, compute_content_hash(scene.chain_id, header))
    assert [item.verdict for item in scene.deliver(header, "other")] == [ACCEPT, ACCEPT]
    assert scene.judge(signature) == Ignore(ChainReason.DUPLICATE)


def test_signatures_and_children_of_refused_messages_are_refused_too() -> None:
    scene = Scene()
    poisoned = scene.header(data="poison")
    signer = scene.stakeholders(poisoned)[0]
    waiting = scene.signature(poisoned, signer)
    assert isinstance(scene.judge(waiting), Wait)
    verdicts = [item.verdict for item in scene.deliver(poisoned)]
    assert verdicts == [Reject(TrainingReason.DIFFERENT_WEIGHTS), Reject(TrainingReason.REFUSED_HEADER)]
    block = scene.block(poisoned)
    assert scene.judge(block) == Reject(TrainingReason.DIFFERENT_WEIGHTS)
    child = msgspec.structs.replace(scene.declaration(2), height=2, parent=compute_content_hash(scene.chain_id, block))
    assert scene.judge(scene.sign(child)) == Reject(ChainReason.REFUSED_PARENT)


def test_true_messages_for_a_height_that_is_settled_are_stale_and_blame_nobody() -> None:
    scene = Scene()
    late = (scene.declaration(4), scene.header(2, (2, 3)))
    scene.grow()
    assert [scene.judge(message) for message in late] == [Ignore(ChainReason.STALE)] * 2


def test_a_proposer_leaves_out_declarations_later_than_its_own_slot() -> None:
    scene = Scene()
    early = [scene.declaration(index) for index in (1, 2)]
    slot = scene.find_slot(Right.PROPOSE, 0, scene.head, 1 + max(item.slot for item in early))
    late = scene.declaration(3, slot=slot + 1)
    assert {scene.judge(item) for item in (*early, late)} == {ACCEPT}
    commands = scene.handle(TimerFired(Timer(Right.PROPOSE, slot, scene.head.hash)))
    (header,) = [item.message for item in commands if isinstance(item, Broadcast) and item.message.kind == "header"]
    assert isinstance(header, BlockHeader)
    assert sorted(early, key=lambda item: item.author) == list(header.declarations)
    assert Scene().judge(header) == ACCEPT


# ---- its own training is the only oracle ----


def test_an_honest_node_given_other_data_refuses_the_true_headers_of_the_others() -> None:
    cluster = Cluster(genesis(6), data={5: "other"})
    cluster.run(until_height=2)
    assert cluster.node(0).tree.head.height == 2
    assert cluster.node(5).tree.head.height == 0
    refused = {(item.kind, item.verdict) for item in cluster.judgements("5")}
    for kind in ("declaration", "header", "block"):
        assert (kind, Reject(TrainingReason.DIFFERENT_WEIGHTS)) in refused
        assert (kind, ACCEPT) not in refused


def test_a_true_weights_digest_with_another_loss_trace_is_refused_by_its_secret() -> None:
    scene = Scene()
    honest, poisoned = scene.header(), scene.header(data="poison")
    declarations = tuple(
        scene.sign(msgspec.structs.replace(item, weights_digest=honest.weights_digest))
        for item in poisoned.declarations
    )
    header = scene.sign(
        msgspec.structs.replace(poisoned, weights_digest=honest.weights_digest, declarations=declarations)
    )
    assert scene.judge(header) == Reject(TrainingReason.DIFFERENT_SECRET)
    assert scene.judge(declarations[0]) == Reject(TrainingReason.BAD_COMMITMENT)


def test_messages_that_come_before_training_is_finished_wait_and_are_judged_after() -> None:
    scene = untrained_scene()
    header = scene.header(2)
    waiting: list[Message] = [scene.declaration(1), header, scene.declaration(4, data="poison"), scene.block(header)]
    for message in waiting:
        assert scene.judge(message) == Wait(TrainingMissing.TRAINING, TrainStage(NEXT_STAGE))
        assert scene.judge(message) == Ignore(ChainReason.DUPLICATE), "it already waits"
    assert scene.head.height == 1
    judged = [item.verdict for item in scene.finish(NEXT_STAGE) if isinstance(item, Judged)]
    assert judged[:4] == [ACCEPT, ACCEPT, Reject(TrainingReason.DIFFERENT_WEIGHTS), ACCEPT]
    assert scene.head.height == 2


def test_a_result_for_a_stage_the_node_has_left_or_not_reached_starts_no_second_training() -> None:
    scene = untrained_scene()
    assert get_proposer(scene.node).phase is Phase.TRAINING
    commands = [*scene.finish(0), *scene.finish(2)]
    assert StartWork(TrainStage(2)) not in commands
    assert get_proposer(scene.node).phase is Phase.TRAINING
    scene.finish(NEXT_STAGE)
    assert get_proposer(scene.node).phase is Phase.DECLARING

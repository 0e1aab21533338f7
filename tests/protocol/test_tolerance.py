"""A network with a tolerance: near weights count as the same training, and nothing else does."""

from collections import Counter
from typing import Final

import msgspec
import pytest

from protocol.crypto import compute_content_hash
from protocol.events import Broadcast, ChainTimer, Command, Judged, StartWork, Timer, TimerFired, WorkFinished
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_training import tolerance as tolerance_module
from protocol.mechanisms.proof_of_training.messages import BlockHeader
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.mechanisms.proof_of_training.tolerance import Comparisons
from protocol.mechanisms.proof_of_training.work import INCOMPARABLE, CompareWeights, TrainStage
from protocol.messages import Message
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject, Verdict, Wait
from tests.support.core import SLOT_NS, Cluster, Scene, genesis, get_header, get_proposer, keys, train

TOLERANCE: Final = 1_000
OWN: Final = train(0).weights_digest
NEAR: Final = train(0, "near").weights_digest
WAIT: Final = Wait(TrainingMissing.COMPARISON, CompareWeights(OWN, NEAR))


def tolerant() -> Scene:
    return Scene(genesis(5, tolerance=TOLERANCE))


def compare(scene: Scene, distance: int | None, other: Hash32 = NEAR, own: Hash32 = OWN) -> list[Command]:
    """Tell the node how far weights lie from its own."""
    return scene.handle(WorkFinished(CompareWeights(own, other), distance))


def list_verdicts(commands: list[Command]) -> list[Verdict]:
    return [command.verdict for command in commands if isinstance(command, Judged)]


def is_comparison(command: Command) -> bool:
    return isinstance(command, StartWork) and isinstance(command.task, CompareWeights)


def list_trainings(commands: list[Command]) -> list[StartWork]:
    return [item for item in commands if isinstance(item, StartWork) and isinstance(item.task, TrainStage)]


def list_comparisons(commands: list[Command]) -> list[CompareWeights]:
    return [item.task for item in commands if isinstance(item, StartWork) and isinstance(item.task, CompareWeights)]


def make(scene: Scene, kind: str) -> Message:
    """Return a message of other weights than the node's own."""
    header = scene.header(2, data="near")
    made: dict[str, Message] = {"declaration": scene.declaration(1, data="near"), "header": header}
    return made.get(kind) or scene.block(header)


# ---- near, far, or not to be had ----


@pytest.mark.parametrize("kind", ["declaration", "header", "block"])
@pytest.mark.parametrize("distance", [0, 1, TOLERANCE])
def test_near_weights_wait_for_their_distance_and_are_accepted(kind: str, distance: int) -> None:
    scene = tolerant()
    commands = scene.send(make(scene, kind))
    assert list_verdicts(commands) == [WAIT]
    assert list_comparisons(commands) == [CompareWeights(OWN, NEAR)]
    assert list_verdicts(compare(scene, distance))[0] == ACCEPT


@pytest.mark.parametrize("kind", ["declaration", "header", "block"])
@pytest.mark.parametrize("distance", [TOLERANCE + 1, 10**18, INCOMPARABLE])
def test_weights_beyond_the_tolerance_or_that_do_not_fit_are_refused_and_leave_no_mark(
    kind: str, distance: int
) -> None:
    scene = tolerant()
    before = scene.node.snapshot()
    assert scene.judge(make(scene, kind)) == WAIT
    assert list_verdicts(compare(scene, distance)) == [Reject(TrainingReason.DIFFERENT_WEIGHTS)]
    assert scene.node.snapshot() == before


@pytest.mark.parametrize("kind", ["declaration", "header", "block"])
def test_weights_that_are_not_there_yet_are_waited_for(kind: str) -> None:
    """Who trains faster may name weights long before those who have them too hand them out."""
    scene = tolerant()
    assert scene.judge(scene.declaration(3, data="near")) == WAIT
    assert list_verdicts(compare(scene, None)) == [WAIT]
    scene.now += SLOT_NS
    commands = scene.send(make(scene, kind))
    assert list_verdicts(commands) == [WAIT]
    assert list_comparisons(commands) == [CompareWeights(OWN, NEAR)]
    assert ACCEPT in list_verdicts(compare(scene, 1))
    if kind == "block":
        assert scene.head.height == 1


def test_what_waits_for_weights_has_them_looked_up_again_ever_less_often_and_nobody_makes_it_more() -> None:
    scene = tolerant()
    start = scene.now // SLOT_NS
    asked = [0] * len(list_comparisons(scene.send(scene.declaration(3, data="near"))))
    compare(scene, None)
    for slot in range(1, 300):
        scene.now = (start + slot) * SLOT_NS
        told = scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, start + slot)))
        told += scene.send(scene.declaration(1 + slot % 3, data="near", slot=scene.head.slot + slot % 90))
        asked += [slot] * len(list_comparisons(told))
        assert list_comparisons(compare(scene, None)) == []
    assert asked == [0, 1, 3, 7, 15, 31, 63, 127, 255]


def test_what_is_looked_up_is_not_asked_for_again_before_the_answer() -> None:
    scene = tolerant()
    scene.send(scene.declaration(3, data="near"))
    scene.now += 1_000 * SLOT_NS
    assert list_comparisons(scene.send(scene.declaration(1, data="near"))) == []
    assert list_comparisons(scene.handle(TimerFired(Timer(ChainTimer.ANNOUNCE, 1_400)))) == []


def test_each_pair_is_compared_once_however_many_messages_name_it() -> None:
    scene = tolerant()
    header = scene.header(2, data="near")
    messages: list[Message] = [
        scene.declaration(1, data="near"),
        scene.declaration(3, data="near"),
        header,
        scene.block(header),
    ]
    asked = [list_comparisons(scene.send(message)) for message in messages]
    assert asked == [[CompareWeights(OWN, NEAR)], [], [], []]
    assert list_verdicts(compare(scene, 1))[:4] == [ACCEPT] * 4
    later = scene.declaration(4, data="near", parent=scene.node.rules.origin)
    assert scene.judge(later) == Ignore(ChainReason.STALE), "judged at once: its weights are known to be near"


def test_a_comparison_that_nobody_waits_for_any_more_changes_nothing() -> None:
    scene = tolerant()
    before = scene.node.snapshot()
    assert compare(scene, 1) == []
    assert scene.node.snapshot() == before
    client = Scene(genesis(5, tolerance=TOLERANCE), party=LightClient)
    assert client.handle(WorkFinished(CompareWeights(OWN, NEAR), 1)) == []


def test_memory_of_comparisons_is_bounded_and_keeps_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance_module, "MAX_COMPARED", 3)
    memory = Comparisons(TOLERANCE)
    pairs = [CompareWeights(OWN, bytes([number]) * 32) for number in range(5)]
    assert all(memory.ask(pair, 0) for pair in pairs)
    assert len(memory) == 3
    memory.settle(pairs[4], TOLERANCE + 1)
    assert memory.ask(pairs[0], 0)
    assert (len(memory), memory.get(pairs[4]), memory.get(pairs[0])) == (3, False, None)
    assert not memory.ask(pairs[4], 0)
    assert memory.ask(pairs[2], 0)


def test_weights_that_are_far_or_nowhere_make_nobody_forget_near_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance_module, "MAX_COMPARED", 3)
    memory = Comparisons(TOLERANCE)
    pairs = [CompareWeights(OWN, bytes([number]) * 32) for number in range(40)]
    memory.settle(pairs[0], 1)
    for pair in pairs[1:20]:
        memory.settle(pair, INCOMPARABLE)
    for pair in pairs[20:]:
        memory.ask(pair, 0)
        memory.settle(pair, None)
    assert (len(memory), memory.get(pairs[0])) == (4, True)


@pytest.mark.parametrize("kind", ["declaration", "header", "block"])
def test_without_a_tolerance_other_weights_are_refused_at_once_and_nothing_is_compared(kind: str) -> None:
    scene = Scene()
    commands = scene.send(make(scene, kind))
    assert list_verdicts(commands) == [Reject(TrainingReason.DIFFERENT_WEIGHTS)]
    assert list_comparisons(commands) == []
    compare(scene, 0)
    again = scene.header(3, data="near")
    assert scene.judge(again) == Reject(TrainingReason.DIFFERENT_WEIGHTS), (
        "nor does an answer that was not asked for count"
    )


def test_a_light_client_takes_near_weights_as_it_takes_all() -> None:
    scene = Scene(genesis(5, tolerance=TOLERANCE), party=LightClient)
    assert scene.judge(scene.block(scene.header(2, data="near"))) == ACCEPT


# ---- secrets ----


def test_the_secret_of_equal_weights_is_still_compared() -> None:
    scene = tolerant()
    header = msgspec.structs.replace(scene.header(1), training_secret=bytes(32))
    assert scene.judge(scene.sign(header)) == Reject(TrainingReason.DIFFERENT_SECRET)
    declaration = msgspec.structs.replace(scene.declaration(1), commitment=bytes(64))
    assert scene.judge(scene.sign(declaration)) == Reject(TrainingReason.BAD_COMMITMENT)


def test_declarations_in_a_near_header_must_commit_to_its_secret_and_have_its_weights() -> None:
    scene = tolerant()
    compare(scene, 1)
    header = scene.header(1, data="near")
    assert scene.judge(header) == ACCEPT
    one = header.declarations[0]
    author = next(index for index in range(5) if keys(index).public == one.author)
    liar = commit(keys(author), scene.chain_id, 1, scene.head.hash, scene.secret(scene.head))
    for change, reason in (
        ({"commitment": liar}, TrainingReason.BAD_COMMITMENT),
        ({"weights_digest": OWN}, TrainingReason.DECLARATION_MISMATCH),
    ):
        bent = (scene.sign(msgspec.structs.replace(one, **change)), *header.declarations[1:])
        assert scene.judge(scene.sign(msgspec.structs.replace(header, declarations=bent))) == Reject(reason)


def propose(scene: Scene) -> list[BlockHeader]:
    """Let the proposing slots of some time pass; return what the node proposes."""
    proposed: list[BlockHeader] = []
    for slot in range(401, 440):
        scene.now = slot * SLOT_NS
        commands = scene.handle(TimerFired(Timer(Right.PROPOSE, slot, scene.head.hash)))
        sent = [item.message for item in commands if isinstance(item, Broadcast)]
        proposed += [message for message in sent if isinstance(message, BlockHeader)]
    return proposed


def test_a_node_proposes_with_declarations_of_its_own_weights_only() -> None:
    scene = tolerant()
    compare(scene, 1)
    near = [scene.declaration(author, data="near") for author in (1, 2)]
    assert [scene.judge(item) for item in near] == [ACCEPT, ACCEPT]
    assert propose(scene) == [], "two authors are enough, but not of these weights"
    scene = tolerant()
    compare(scene, 1)
    junk = scene.sign(msgspec.structs.replace(scene.declaration(3, data="near"), commitment=bytes(64)))
    messages = [junk, scene.declaration(4, data="near"), scene.declaration(1), scene.declaration(2)]
    assert [scene.judge(item) for item in messages] == [ACCEPT] * 4, "a commitment to another secret shows nothing yet"
    proposed = propose(scene)
    assert proposed
    assert {item.author for item in proposed[0].declarations} == {keys(1).public, keys(2).public}


# ---- where the next stage starts ----


def test_the_next_stage_starts_from_the_weights_of_the_block() -> None:
    scene = tolerant()
    scene.send(scene.block(scene.header(2, data="near")))
    assert list_trainings(compare(scene, 1)) == [StartWork(TrainStage(1, NEAR))]
    assert get_proposer(scene.node).phase is Phase.TRAINING
    scene.finish(1)
    assert get_proposer(scene.node).phase is Phase.TRAINING, "a result from its own weights is of no use there"
    scene.finish(1, base=NEAR)
    assert get_proposer(scene.node).phase is Phase.DECLARING
    own = tolerant()
    assert list_trainings(own.send(own.block())) == [StartWork(TrainStage(1, OWN))]
    exact = Scene()
    assert list_trainings(exact.send(exact.block())) == [StartWork(TrainStage(1))]


def fork() -> tuple[Scene, Hash32, Hash32]:
    """Return a node with two blocks at height 1, and the weights of its head and of the other one."""
    scene = tolerant()
    compare(scene, 1)
    others = [scene.block(scene.header(2, slot=slot, data="near")) for slot in range(40, 100, 4)]
    assert scene.judge(scene.block(scene.header(1))) == ACCEPT
    other = next(block for block in others if compute_content_hash(scene.chain_id, block) > scene.head.hash)
    assert scene.judge(other) == ACCEPT
    return scene, OWN, NEAR


def on_other_branch(scene: Scene, weights: Hash32) -> dict[str, Message]:
    """Return messages that build on the block of these weights."""
    records = scene.node.tree.get_records()
    parent = next(item for item in records if item.block and get_header(item).weights_digest == weights)
    header = scene.header(3, parent=parent)
    return {"declaration": scene.declaration(4, parent=parent), "header": header, "block": scene.block(header)}


def test_a_block_on_another_branch_has_its_stage_trained_after_the_heads() -> None:
    scene, head, other = fork()
    block = on_other_branch(scene, other)["block"]
    commands = scene.send(block)
    assert list_verdicts(commands) == [Wait(TrainingMissing.TRAINING, TrainStage(1, other))]
    assert list_trainings(commands) == [], "one training at a time, the head's first"
    assert list_trainings(scene.finish(1, base=head)) == [StartWork(TrainStage(1, other))]
    commands = scene.finish(1, base=other)
    assert list_verdicts(commands) == [ACCEPT]
    assert scene.head.height == 2
    assert list_trainings(commands) == [StartWork(TrainStage(2, train(1).weights_digest))]


@pytest.mark.parametrize("kind", ["declaration", "header"])
def test_what_is_no_block_waits_for_another_branch_but_has_nothing_trained(kind: str) -> None:
    scene, head, other = fork()
    message = on_other_branch(scene, other)[kind]
    assert scene.judge(message) == Wait(TrainingMissing.TRAINING, TrainStage(1, other))
    assert list_trainings(scene.finish(1, base=head)) == []
    scene.deliver(scene.block(scene.header(1)))
    scene.finish(2, base=train(1).weights_digest)
    assert scene.judge(on_other_branch(scene, other)[kind], "another peer") == Ignore(ChainReason.STALE)


# ---- many nodes ----


@pytest.mark.parametrize("tolerance", [0, 1])
def test_nodes_of_two_arithmetics_build_one_chain_where_there_is_a_tolerance(tolerance: int) -> None:
    data = {4: "near", 5: "near", 6: "near", 7: "poison"}
    cluster = Cluster(genesis(8, tolerance=tolerance), data=data, employer=True)
    cluster.run(until_height=3)
    cluster.run(seconds=30)
    heads = {name: party.tree.head for name, party in cluster.parties.items()}
    clean = {heads[str(index)].hash for index in range(4)}
    assert len(clean) == 1
    assert {heads[str(index)].hash for index in (4, 5, 6)} == (clean if tolerance else {heads["4"].hash})
    assert (heads["4"].hash in clean) == bool(tolerance)
    assert heads["7"].hash not in clean
    asked = Counter((who, command) for _, who, command in cluster.log if is_comparison(command))
    assert bool(asked) == bool(tolerance)
    assert set(asked.values()) <= {1}
    trained = [item for _, who, item in cluster.log if who == "0" and isinstance(item, StartWork)]
    bases = {item.task.base for item in trained if isinstance(item.task, TrainStage)}
    tree = cluster.parties["0"].tree
    known = {get_header(record).weights_digest for record in tree.get_records() if record.block}
    attested = {get_header(record).weights_digest for record in tree.get_chain()[:-1] if record.block}
    assert {b"", *attested} <= bases <= {b"", *known} if tolerance else bases == {b""}
    assert {cluster.trained[digest][0] for digest in known} <= ({"clean", "near"} if tolerance else {"clean"})

"""One memory of judgements for all participants changes no decision."""

from collections.abc import Iterable
from functools import cache
from itertools import permutations, product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import DecodeError, encode_frame
from protocol.crypto import verify
from protocol.events import ChainRecord
from protocol.mechanism import Context, Mechanism
from protocol.mechanisms.proof_of_training.job import TrainingGenesis
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingContext
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration, WrappedBlock
from protocol.mechanisms.proof_of_training.reasons import TrainingMissing, TrainingReason
from protocol.mechanisms.proof_of_training.work import CompareWeights
from protocol.messages import Message
from protocol.rules import Rules
from protocol.types import Hash32
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reason, Reject, Verdict, Wait
from simulation.commands.checks.soak_scenarios import draw_scenario
from simulation.engines.caching_rules import CachingRules
from simulation.engines.virtual import engine
from tests.support.core import SLOT_NS, Scene, genesis, make_rules, train
from tests.support.memory_runs import make_raw, population, simulate

pytestmark = pytest.mark.xdist_group("caching rules")

Judged = TrainingDeclaration | BlockHeader | WrappedBlock


# ---- whole runs ----

LARGE: dict[str, Any] = make_raw(
    population("honest", 8),
    population("poisoners", 3, "data_injection"),
    population("garbage", 2, "garbage"),
    users={"count": 3, "transactions": 8},
    network={"topology": "ring", "loss": 0.1, "duplication": 0.3, "reordering": 0.3},
)


DRAWN = (
    *(draw_scenario(seed, "proof_of_training") for seed in (3, 5, 16)),
    draw_scenario(3, "proof_of_work"),
)


class SeparateRules(Rules):
    """Rules that remember nothing for one party of what another one has found out."""

    def __init__(self, mechanism: Mechanism, nodes: int) -> None:
        super().__init__(mechanism)
        self.asker = 0
        self.checked = [0] * (nodes + 1)
        self._known: list[set[tuple[bytes, Hash32, bytes]]] = [set() for _ in self.checked]

    def verify(self, public_key: bytes, digest: Hash32, signature: bytes) -> bool:
        known, key = self._known[self.asker], (public_key, digest, signature)
        if key not in known:
            self.checked[self.asker] += 1
            if not verify(public_key, digest, signature):
                return False
            known.add(key)
        return True


@pytest.mark.parametrize("raw", [LARGE, *DRAWN])
def test_a_run_with_a_shared_memory_is_the_run_without(raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shared = simulate(raw)
    monkeypatch.setattr(engine, "CachingRules", SeparateRules)
    plain = simulate(raw)
    assert shared.lines == plain.lines
    assert shared.result == plain.result
    assert len(shared.records) > 50


# ---- judging ----


@cache
def get_scene() -> Scene:
    return Scene()


@cache
def list_judged() -> tuple[Judged, ...]:
    """Return honest and poisoned messages of one height, and one that somebody has tampered with."""
    scene = get_scene()
    messages: list[Judged] = []
    for data in ("clean", "poison"):
        header = scene.header(data=data)
        messages += [scene.declaration(2, data=data), header, scene.block(header)]
    forged = scene.header(2)
    return (*messages, type(forged)(**{**_fields(forged), "training_secret": bytes(32)}))


def _fields(header: BlockHeader) -> dict[str, Any]:
    return {name: getattr(header, name) for name in header.__struct_fields__}


def own_training(data: str) -> OwnTraining:
    scene = get_scene()
    return OwnTraining(weights_digest=train(0, data).weights_digest, secret=scene.secret(scene.head, data))


def judge(rules: Rules, message: Judged, *, slot: int, own: OwnTraining | None) -> Verdict:
    context: TrainingContext = Context(rules=rules, parent=get_scene().head, now=slot * SLOT_NS, own=own)
    pot = get_training(rules)
    verdict = rules.judge_author(context.parent.state, message)
    if verdict is not ACCEPT:
        return verdict
    match message:
        case TrainingDeclaration():
            return rules.judge_once(pot.judge_declaration, context, message)
        case BlockHeader():
            return rules.judge_once(pot.judge_header, context, message)
        case WrappedBlock():
            return rules.judge_block(context, message)


def get_slot(message: Judged) -> int:
    return message.header.slot if isinstance(message, WrappedBlock) else message.slot


@pytest.mark.parametrize("is_backwards", [False, True])
def test_every_judge_gets_the_verdict_it_would_reach_alone(is_backwards: bool) -> None:
    judges = (own_training("clean"), own_training("poison"), None)
    cases = [
        (message, get_slot(message) + later, own)
        for message, later, own in product(list_judged(), (-1, 0, 1_000), judges)
    ] * 2
    shared, plain = CachingRules(get_scene().pot), Rules(get_scene().pot)
    found = set()
    for message, slot, own in reversed(cases) if is_backwards else cases:
        verdict = judge(shared, message, slot=slot, own=own)
        assert verdict == judge(plain, message, slot=slot, own=own)
        found.add(verdict)
    assert {
        ACCEPT,
        Ignore(ChainReason.FUTURE_SLOT),
        Reject(TrainingReason.DIFFERENT_WEIGHTS),
        Reject(ChainReason.BAD_SIGNATURE),
    } <= found


@pytest.mark.parametrize("index", range(3))
def test_a_slot_that_was_still_to_come_is_judged_again_when_it_has(index: int) -> None:
    message, own = list_judged()[index], own_training("clean")
    shared = CachingRules(get_scene().pot)
    slot = get_slot(message)
    verdicts = [judge(shared, message, slot=now, own=own) for now in (slot - 1, slot, slot + 1, slot - 1)]
    future = Ignore(ChainReason.FUTURE_SLOT)
    assert verdicts == [future, ACCEPT, ACCEPT, future]


def test_a_remembered_verdict_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, Hash32, bytes]] = []

    def count(public_key: bytes, digest: Hash32, signature: bytes) -> bool:
        asked.append((public_key, digest, signature))
        return verify(public_key, digest, signature)

    monkeypatch.setattr("simulation.engines.caching_rules.verify", count)
    message = list_judged()[2]
    shared = CachingRules(get_scene().pot)
    for own in (own_training("clean"), None, own_training("clean")):
        assert judge(shared, message, slot=get_slot(message), own=own) == ACCEPT
    assert len(asked) == len(set(asked)) > 5


# ---- the other questions ----


def answer(rules: Rules, message: Message, parent: ChainRecord) -> Iterable[object]:
    """Return what the rules say about a message, in every way they can be asked."""
    yield rules.encode(message)
    yield rules.hash_message(message)
    yield rules.is_signed(message)
    yield rules.verify(message.author, rules.hash_message(message), message.signature)
    pot = get_training(rules)
    yield pot.compute_secret(rules, parent, train(0).losses)
    yield pot.compute_secret(rules, parent, train(0, "poison").losses)
    if isinstance(message, BlockHeader):
        yield pot.draw_stakeholders(rules, parent, message)
    if isinstance(message, WrappedBlock):
        record = rules.build_record(parent, message)
        yield record.hash, record.parent, record.height, record.slot, record.block
        yield dict(record.state.accounts), record.state.supply


def test_all_questions_have_the_same_answers_however_often_they_are_asked() -> None:
    shared, plain = CachingRules(get_scene().pot), Rules(get_scene().pot)
    parent = get_scene().head
    for first, second in permutations(list_judged(), 2):
        for message in (first, second, first):
            assert list(answer(shared, message, parent)) == list(answer(plain, message, parent))


# ---- decoding ----


def decode(rules: Rules, frame: bytes) -> Message | Reason:
    try:
        return rules.decode(frame)
    except DecodeError as error:
        return error.reason


@cache
def list_frames() -> tuple[bytes, ...]:
    chains: tuple[TrainingGenesis, ...] = (get_scene().genesis, genesis(4))
    return tuple(encode_frame(make_rules(chain).chain_id, message) for chain in chains for message in list_judged()[:3])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    frame = bytearray(draw(st.sampled_from(list_frames())))
    for _ in range(draw(st.integers(0, 2))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))]) if draw(st.booleans()) else bytes(frame)


@given(st.lists(st.one_of(frames(), st.binary(max_size=40)), min_size=1, max_size=6))
def test_decoding_gives_the_same_message_or_the_same_reason_each_time(sent: list[bytes]) -> None:
    shared, plain = CachingRules(get_scene().pot), Rules(get_scene().pot)
    for frame in (*sent, *sent):
        assert decode(shared, frame) == decode(plain, frame)
        assert shared.hash_frame(frame) == plain.hash_frame(frame)


def test_equal_frames_are_one_message() -> None:
    shared = CachingRules(get_scene().pot)
    frame = list_frames()[1]
    assert shared.decode(bytes(frame)) is shared.decode(bytes(bytearray(frame)))


def test_refusing_the_same_garbage_again_and_again_keeps_nothing_of_who_asked() -> None:
    """A remembered exception that is raised again keeps the frames of all its callers alive."""
    shared = CachingRules(get_scene().pot)
    depths = []
    for _ in range(20):
        with pytest.raises(DecodeError) as caught:
            shared.decode(b"garbage")
        depth, trace = 0, caught.value.__traceback__
        while trace is not None:
            depth, trace = depth + 1, trace.tb_next
        depths.append(depth)
    assert max(depths) <= depths[0] + 1


def test_a_verdict_is_remembered_for_each_outcome_of_a_comparison() -> None:
    scene = Scene(genesis(5, tolerance=1))
    header, shared = scene.header(data="near"), CachingRules(scene.pot)
    own = OwnTraining(weights_digest=train(0).weights_digest, secret=scene.secret(scene.head))
    wait = Wait(TrainingMissing.COMPARISON, CompareWeights(own.weights_digest, header.weights_digest))
    verdicts = {None: wait, True: ACCEPT, False: Reject(TrainingReason.DIFFERENT_WEIGHTS)}
    for is_near, verdict in [*verdicts.items(), *verdicts.items()]:
        now = header.slot * SLOT_NS
        known = msgspec.structs.replace(own, is_near=is_near)
        context: TrainingContext = Context(rules=shared, parent=scene.head, now=now, own=known)
        assert shared.judge_once(scene.pot.judge_header, context, header) == verdict

"""A validator follows the rules: votes, locks, rounds, and what it does not count."""

import msgspec
import pytest

from protocol.events import BlockAppended, Judged, Relay
from protocol.mechanisms.stake_bft.ballots import MAX_AHEAD
from protocol.mechanisms.stake_bft.facts import Decided, Equivocated
from protocol.mechanisms.stake_bft.messages import NIL, CertifiedBlock, Precommit, Prevote, Proposal
from protocol.mechanisms.stake_bft.reasons import BftReason
from protocol.mechanisms.stake_bft.validator import MAX_REPORTED, Validator
from protocol.node import Node
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject
from tests.protocol.mechanisms.stake_bft.chains import make_bft
from tests.protocol.mechanisms.stake_bft.scene import Scene, find_scene
from tests.support.core import STRANGER, Cluster, keys

PAUSE, PROPOSE, VOTE = 2, 3, 2
OTHERS = range(1, 4)


@pytest.fixture
def scene() -> Scene:
    """A node of four whose others propose in the first rounds, at the end of the pause."""
    made = find_scene(proposers=dict.fromkeys(range(4), OTHERS))
    made.wait(PAUSE)
    return made


def name(scene: Scene, block: CertifiedBlock) -> bytes:
    return scene.rules.hash_message(block)


# ---- a round that goes well ----


@pytest.mark.parametrize(("nodes", "copies"), [(4, 24), (7, 84), (10, 180)])
def test_a_block_of_one_round_takes_twice_n_times_n_less_one_votes(nodes: int, copies: int) -> None:
    cluster = Cluster(make_bft(nodes, length=3))
    cluster.run(until_height=3)
    cluster.run(seconds=1)
    kinds = [item.kind for name in cluster.parties for item in cluster.judgements(name)]
    sent = [kind for kind in kinds if kind in (Prevote.kind, Precommit.kind)]
    assert len(sent) == 3 * copies == 3 * 2 * nodes * (nodes - 1)
    chain = cluster.node(0).tree.get_chain()[1:]
    assert [record.block.certificate.round for record in chain if isinstance(record.block, CertifiedBlock)] == [0] * 3


def test_votes_of_more_than_two_thirds_make_a_block_final_at_once(scene: Scene) -> None:
    block = scene.block()
    scene.hear(scene.proposal(block))
    assert scene.list_votes(Prevote) == [(0, name(scene, block))]
    scene.poll(Prevote, block, [1])
    assert scene.list_votes(Precommit) == []
    scene.poll(Prevote, block, [2])
    assert scene.list_votes(Precommit) == [(0, name(scene, block))]
    scene.poll(Precommit, block, [1])
    assert scene.head.height == 0
    scene.poll(Precommit, block, [2])
    assert scene.head.hash == scene.node.tree.final.hash == name(scene, block)
    assert isinstance(scene.head.block, CertifiedBlock)
    assert len(scene.head.block.certificate.signatures) == 3
    assert scene.list_noted(Decided) == [Decided(1, 0, name(scene, block), 3)]


def test_pre_commits_decide_in_whatever_round_and_order_they_come(scene: Scene) -> None:
    block = scene.block()
    scene.poll(Precommit, block, [1, 2, 3])
    assert scene.head.height == 0
    scene.wait(PROPOSE)
    scene.hear(scene.proposal(block))
    assert scene.head.hash == name(scene, block)


def test_a_proposer_waits_for_the_pause_and_proposes_what_its_pool_has() -> None:
    scene = find_scene(proposers={0: 0})
    assert scene.list_said(Proposal) == []
    scene.wait(PAUSE)
    (proposal,) = scene.list_said(Proposal)
    assert (proposal.block.slot, proposal.round, proposal.valid_round) == (PAUSE, 0, -1)
    assert scene.list_votes(Prevote) == [(0, name(scene, proposal.block))]


# ---- rounds that go wrong ----


def test_who_hears_no_proposal_votes_for_nothing_and_goes_on_to_the_next_round(scene: Scene) -> None:
    scene.wait(PROPOSE)
    assert scene.list_votes(Prevote) == [(0, NIL)]
    scene.poll(Prevote, None, [1, 2])
    assert scene.list_votes(Precommit) == [(0, NIL)]
    scene.poll(Precommit, None, [1, 2])
    scene.wait(VOTE)
    block = scene.block(1)
    scene.hear(scene.proposal(block))
    assert scene.list_votes(Prevote)[1:] == [(1, name(scene, block))]


def test_votes_that_do_not_agree_end_a_round_after_a_time_out_that_grows(scene: Scene) -> None:
    block = scene.block()
    scene.hear(scene.proposal(block))
    scene.poll(Prevote, None, [1, 2])
    assert scene.list_votes(Precommit) == []
    scene.wait(VOTE)
    assert scene.list_votes(Precommit) == [(0, NIL)]
    scene.poll(Precommit, None, [1, 2])
    scene.wait(VOTE)
    scene.wait(PROPOSE)
    assert scene.list_votes(Prevote)[1:] == []
    scene.wait(1)
    assert scene.list_votes(Prevote)[1:] == [(1, NIL)]


def test_a_round_that_more_than_a_third_has_reached_is_gone_to_at_once(scene: Scene) -> None:
    scene.hear(scene.vote(Prevote, 1, None, 5))
    scene.hear(scene.vote(Precommit, 1, None, 6))
    block = scene.block(3)
    scene.hear(scene.vote(Prevote, 2, None, 3))
    scene.hear(scene.proposal(block))
    assert scene.list_votes(Prevote)[-1] == (3, name(scene, block))


def test_who_goes_on_leaves_its_votes_behind_for_those_who_have_yet_to(scene: Scene) -> None:
    """Votes that brought it on may have been for it alone: without its own the others would stand still."""
    scene.poll(Prevote, None, [1, 2], 3)
    left = [(0, NIL), (2, NIL)]
    assert scene.list_votes(Prevote) == scene.list_votes(Precommit) == left
    scene.poll(Precommit, None, [1, 2, 3], 3)
    scene.wait(VOTE + 3)
    assert scene.list_votes(Precommit) == [*left, (3, NIL)]


@pytest.mark.parametrize("is_relaying", [False, True])
def test_who_stands_still_says_its_words_of_two_rounds_again_and_may_pass_on_those_of_others(
    is_relaying: bool,
) -> None:
    scene = find_scene(proposers=dict.fromkeys(range(4), OTHERS), is_relaying=is_relaying)
    scene.wait(PAUSE)
    scene.poll(Prevote, None, [1, 2], 1)
    own = {message.signature for kind in (Prevote, Precommit) for message in scene.list_said(kind)}
    scene.wait(50)
    scene.commands.clear()
    scene.wait(20)
    again = {message.signature for kind in (Prevote, Precommit) for message in scene.list_said(kind)}
    assert own < again
    passed_on = [item for item in scene.commands if isinstance(item, Relay)]
    assert len(passed_on) == (2 if is_relaying else 0)


def test_one_of_four_drags_nobody_into_another_round(scene: Scene) -> None:
    for round_ in range(1, 60):
        scene.hear(scene.vote(Precommit, 1, None, round_))
    block = scene.block()
    scene.hear(scene.proposal(block))
    assert scene.list_votes(Prevote) == [(0, name(scene, block))]


# ---- locks ----


def lock(scene: Scene) -> CertifiedBlock:
    """Let the node pre-commit a block in round 0, which others then do not complete; it goes on to round 1."""
    block = scene.block()
    scene.hear(scene.proposal(block))
    scene.poll(Prevote, block, [1, 2])
    assert scene.list_votes(Precommit) == [(0, name(scene, block))]
    scene.poll(Precommit, None, [1, 2])
    scene.wait(VOTE)
    return block


def test_who_has_pre_committed_a_block_pre_votes_no_other_that_shows_nothing(scene: Scene) -> None:
    lock(scene)
    other = scene.block(1)
    scene.hear(scene.proposal(other))
    assert scene.list_votes(Prevote)[1:] == [(1, NIL)]


def test_a_locked_block_that_comes_again_is_voted_for(scene: Scene) -> None:
    block = lock(scene)
    scene.hear(scene.proposal(block, 1, valid_round=0))
    assert scene.list_votes(Prevote)[1:] == [(1, name(scene, block))]


def test_a_later_majority_of_pre_votes_frees_a_lock_and_an_earlier_one_does_not(scene: Scene) -> None:
    block = lock(scene)
    scene.poll(Prevote, None, [1, 2], 1)
    scene.wait(VOTE + PROPOSE + 1)
    scene.poll(Precommit, None, [1, 2], 1)
    scene.wait(VOTE + 1)
    other = scene.block(1, slot=PAUSE + 1)
    freed = scene.proposal(other, 2, valid_round=1)
    assert freed.prevotes
    scene.hear(freed)
    assert (2, name(scene, other)) in scene.list_votes(Prevote)
    assert block != other


def test_a_proposer_proposes_what_two_thirds_have_pre_voted_and_shows_the_votes() -> None:
    scene = find_scene(proposers={0: OTHERS, 1: 0})
    scene.wait(PAUSE)
    block = lock(scene)
    again = scene.list_said(Proposal)[-1]
    assert (again.round, again.valid_round, name(scene, again.block)) == (1, 0, name(scene, block))
    assert len(again.prevotes) == 3
    assert scene.list_votes(Prevote)[1:] == [(1, name(scene, block))]


@pytest.mark.parametrize("has_locks", [True, False])
def test_locks_are_what_keeps_two_blocks_of_one_height_from_becoming_final(
    monkeypatch: pytest.MonkeyPatch, has_locks: bool
) -> None:
    """The first decides and is heard no more; the last has missed the proposal, and proposes another one next."""
    if not has_locks:
        monkeypatch.setattr(Validator, "_choose", lambda self, proposal: self._name_block(proposal))
    cluster = Cluster(find_scene(proposers={0: 0, 1: 3}, length=1).mechanism)

    def keep(source: str, target: str, command: object) -> bool:
        message = getattr(command, "message", None)
        is_missed = isinstance(message, Proposal) and message.round == 0 and target == "3"
        return not is_missed and not (source == "0" and isinstance(message, Precommit | CertifiedBlock))

    cluster.filters.append(keep)
    cluster.run(seconds=PAUSE + 1)
    first = cluster.node(0).tree.head
    assert [cluster.node(index).tree.head.height for index in range(4)] == [1, 0, 0, 0]
    cluster.down.add("0")
    cluster.run(seconds=100)
    (other,) = {cluster.node(index).tree.head.hash for index in (1, 2, 3)}
    assert cluster.node(1).tree.head.height == 1
    assert (other == first.hash) is has_locks


def test_who_comes_back_with_its_disk_keeps_its_promises(scene: Scene) -> None:
    lock(scene)
    before = scene.node
    scene.node = Node(scene.rules, keys(0))
    scene.node.restore(before)
    assert scene.node.snapshot() == before.snapshot()
    scene.hear(scene.proposal(scene.block(1)))
    assert scene.list_votes(Prevote)[1:] == [(1, NIL)]


# ---- what is not counted ----


def test_strangers_have_no_vote(scene: Scene) -> None:
    block = scene.block()
    scene.hear(scene.proposal(block))
    vote = scene.vote(Prevote, 1, block)
    stranger = scene.sign(msgspec.structs.replace(vote, author=keys(STRANGER).public))
    assert scene.judge(stranger) == Reject(ChainReason.NOT_BONDED)
    forged = msgspec.structs.replace(vote, author=keys(2).public)
    assert scene.judge(forged) == Reject(ChainReason.BAD_SIGNATURE)


@pytest.mark.parametrize("kind", [Prevote, Precommit])
def test_who_votes_twice_is_counted_once_and_put_on_record_once(
    scene: Scene, kind: type[Prevote] | type[Precommit]
) -> None:
    block = scene.block()
    first, second = scene.vote(kind, 1, block), scene.vote(kind, 1, None)
    assert scene.judge(first) is ACCEPT
    assert scene.judge(second) == Reject(ChainReason.EQUIVOCATION)
    third = msgspec.structs.replace(first, block=b"\1" * 32)
    assert scene.judge(scene.sign(third)) == Reject(ChainReason.EQUIVOCATION)
    told = Equivocated(keys(1).public, 1, 0, kind.kind, name(scene, block), NIL)
    assert scene.list_noted(Equivocated) == [told]


def test_a_proposer_that_proposes_twice_is_put_on_record(scene: Scene) -> None:
    scene.wait(1)
    block, other = scene.block(), scene.block(slot=PAUSE + 1)
    scene.hear(scene.proposal(block))
    assert scene.judge(scene.proposal(other)) == Reject(ChainReason.EQUIVOCATION)
    author = keys(scene.find_proposer()).public
    told = Equivocated(author, 1, 0, "proposal", name(scene, block), name(scene, other))
    assert scene.list_noted(Equivocated) == [told]


def test_what_is_about_heights_gone_by_is_stale_and_about_blocks_to_come_waits(scene: Scene) -> None:
    block = scene.block()
    scene.hear(scene.proposal(block))
    late = scene.vote(Precommit, 3, block)
    ahead = msgspec.structs.replace(late, height=2, parent=name(scene, block), author=keys(3).public)
    waiting = scene.sign(ahead)
    (judged,) = [item for item in scene.hear(waiting) if isinstance(item, Judged)]
    assert not isinstance(judged.verdict, Ignore | Reject)
    scene.poll(Prevote, block, [1, 2])
    scene.poll(Precommit, block, [1, 2])
    assert scene.judge(late) == Ignore(ChainReason.STALE)
    assert scene.judge(waiting) == Ignore(ChainReason.DUPLICATE)


def test_no_proposal_for_a_distant_round_is_looked_into(scene: Scene) -> None:
    near, far = (scene.proposal(scene.block(round_)) for round_ in (MAX_AHEAD, MAX_AHEAD + 1))
    assert scene.judge(near) is ACCEPT
    assert scene.judge(far) == Ignore(ChainReason.STALE)
    scene.poll(Prevote, None, [1, 2], 1)
    assert scene.judge(far) is ACCEPT


def test_an_author_that_contradicts_itself_all_the_time_fills_no_log(scene: Scene) -> None:
    for round_ in range(2 * MAX_REPORTED):
        scene.poll(Prevote, None, [2, 3], round_)
        for block in (None, scene.block()):
            scene.hear(scene.vote(Prevote, 1, block, round_))
    assert len(scene.list_noted(Equivocated)) == MAX_REPORTED


# ---- proposals that are not right ----


def test_each_fault_of_a_proposal_has_its_reason(scene: Scene) -> None:
    scene.wait(1)
    block = scene.block()
    right = scene.proposal(block)

    def sign(**changes: object) -> Proposal:
        return scene.sign(msgspec.structs.replace(right, **changes))

    def rebuild(**changes: object) -> Proposal:
        return sign(block=scene.sign(msgspec.structs.replace(block, **changes)))

    wrong = next(index for index in range(1, 4) if index != scene.find_proposer())
    cases = {
        BftReason.WRONG_PROPOSER: [sign(author=keys(wrong).public), rebuild(author=keys(wrong).public)],
        BftReason.BAD_VALID_ROUND: [sign(valid_round=0), sign(round=1, author=scene.proposal(block, 1).author)],
        BftReason.TOO_EARLY: [rebuild(slot=PAUSE - 1)],
        BftReason.BAD_CERTIFICATE: [
            rebuild(certificate=scene.certify(block)),
            sign(prevotes=scene.certify(block, kind=Prevote).signatures),
        ],
        ChainReason.WRONG_BODY: [rebuild(body=bytes(32))],
        ChainReason.BAD_SIGNATURE: [sign(block=msgspec.structs.replace(block, signature=bytes(64)))],
    }
    for reason, proposals in cases.items():
        for proposal in proposals:
            assert scene.judge(proposal) == Reject(reason), proposal
    assert scene.judge(rebuild(slot=PAUSE + 5)) == Ignore(ChainReason.FUTURE_SLOT)
    assert scene.judge(right) is ACCEPT


def test_a_proposal_shows_enough_right_pre_votes_or_is_refused(scene: Scene) -> None:
    block = scene.block()
    again = scene.proposal(block, 1, valid_round=0)

    def sign(prevotes: object) -> Proposal:
        return scene.sign(msgspec.structs.replace(again, prevotes=prevotes))

    few, precommits = scene.certify(block, 0, [1, 2], kind=Prevote), scene.certify(block, 0)
    assert scene.judge(sign(few.signatures)) == Reject(BftReason.NO_QUORUM)
    assert scene.judge(sign(precommits.signatures)) == Reject(BftReason.BAD_CERTIFICATE)
    assert scene.judge(sign(scene.certify(block, 1, kind=Prevote).signatures)) == Reject(BftReason.BAD_CERTIFICATE)
    assert scene.judge(again) is ACCEPT


# ---- certificates ----


def test_a_certificate_is_right_or_the_block_is_refused_and_may_come_again(scene: Scene) -> None:
    block = scene.block()
    right = scene.certify(block)
    first, *rest = right.signatures
    forged = msgspec.structs.replace(first, signature=rest[0].signature)

    def show(signatures: object, round_: int = 0) -> CertifiedBlock:
        certificate = msgspec.structs.replace(right, signatures=signatures, round=round_)
        return msgspec.structs.replace(block, certificate=certificate)

    stranger = msgspec.structs.replace(first, author=keys(STRANGER).public)
    ordered = sorted([*rest, stranger], key=lambda item: item.author)
    cases = {
        BftReason.NO_QUORUM: [show(()), show(tuple(rest))],
        BftReason.BAD_CERTIFICATE: [
            show((forged, *rest)),
            show((first, first, *rest)),
            show(tuple(reversed(right.signatures))),
            show(tuple(ordered)),
            show(right.signatures, 1),
            show(scene.certify(block, kind=Prevote).signatures),
        ],
    }
    for reason, blocks in cases.items():
        for wrong in blocks:
            assert scene.judge(wrong) == Reject(reason), wrong
    assert scene.judge(show(right.signatures)) is ACCEPT
    assert scene.head.hash == name(scene, block)


def test_two_certificates_make_one_block(scene: Scene) -> None:
    block = scene.block()
    one, other = (
        msgspec.structs.replace(block, certificate=scene.certify(block, round_, authors))
        for round_, authors in ((0, [1, 2, 3]), (4, [0, 1, 3]))
    )
    assert name(scene, one) == name(scene, other)
    assert scene.judge(one) is ACCEPT
    assert scene.judge(other) == Ignore(ChainReason.DUPLICATE)


def test_a_certificate_of_a_round_before_the_block_was_built_is_none(scene: Scene) -> None:
    block = scene.block(2)
    early = msgspec.structs.replace(block, certificate=scene.certify(block, 1))
    assert scene.judge(early) == Reject(BftReason.BAD_CERTIFICATE)


def test_a_rival_with_a_right_certificate_is_stored_and_never_followed(scene: Scene) -> None:
    block, rival = scene.block(), scene.block(1)
    scene.wait(1)
    scene.hear(msgspec.structs.replace(block, certificate=scene.certify(block)))
    change = [
        item.change
        for item in scene.hear(msgspec.structs.replace(rival, certificate=scene.certify(rival, 1)))
        if isinstance(item, BlockAppended)
    ]
    assert change == [None]
    assert scene.head.hash == name(scene, block)

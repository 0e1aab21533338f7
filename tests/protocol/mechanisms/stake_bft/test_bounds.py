"""What one owner can have others keep and pass on by signing words without end; and that it silences nobody by that."""

import msgspec
import pytest

from protocol.codec import MAX_FRAME_BYTES, encode, encode_frame
from protocol.events import Command, Judged, Relay
from protocol.mechanisms.stake_bft import quorum
from protocol.mechanisms.stake_bft.ballots import MAX_AHEAD, Heard
from protocol.mechanisms.stake_bft.messages import NIL, Precommit, Prevote, Proposal, Vote
from protocol.mechanisms.stake_bft.quorum import SPARE_BYTES, VOTE_BYTES
from protocol.messages import Message, Transaction
from protocol.verdicts import ACCEPT, ChainReason, FrameReason, Ignore, Reject
from tests.protocol.mechanisms.stake_bft.scene import Scene, find_scene
from tests.support.core import keys

PAUSE, ROUNDS = 2, 60
OTHERS = range(1, 4)
KINDS = (Prevote, Precommit)


@pytest.fixture
def scene() -> Scene:
    """A node of four that passes on what it hears; others propose in the first rounds, and it has begun the first."""
    made = find_scene(proposers=dict.fromkeys(range(MAX_AHEAD + 2), OTHERS), is_relaying=True)
    made.wait(PAUSE)
    return made


def shout(scene: Scene, author: int, rounds: range) -> list[Vote]:
    """Have an author vote in each of some rounds, whatever it is in; return what it said."""
    votes = [scene.vote(kind, author, None, round_) for round_ in rounds for kind in KINDS]
    for vote in votes:
        scene.hear(vote)
    return votes


def list_relayed(scene: Scene) -> list[bytes]:
    return [item.frame for item in scene.commands if isinstance(item, Relay)]


def count_relayed(scene: Scene, author: int) -> int:
    decoded = [scene.rules.decode(frame) for frame in list_relayed(scene)]
    return sum(message.author == keys(author).public for message in decoded)


def is_relayed(scene: Scene, message: Message) -> bool:
    return encode_frame(scene.rules.chain_id, message) in list_relayed(scene)


def list_blamed(commands: list[Command]) -> list[Judged]:
    return [item for item in commands if isinstance(item, Judged) and isinstance(item.verdict, Reject)]


def test_an_author_fills_no_memory_with_rounds_to_come(scene: Scene) -> None:
    heard = Heard(scene.head.state.stakes)
    for round_ in range(1, 200):
        for kind in KINDS:
            vote = scene.vote(kind, 1, None, round_)
            assert heard.has_room(vote, 0) is (round_ <= MAX_AHEAD)
            if round_ <= MAX_AHEAD:
                heard.add(vote, 0)
    assert sorted(heard.prevotes) == sorted(heard.precommits) == list(range(1, MAX_AHEAD + 1))
    assert heard.has_room(scene.vote(Prevote, 2, None, 150), 0)


@pytest.mark.parametrize("rounds", [range(1, ROUNDS), range(ROUNDS, 0, -1), range(2**31 - ROUNDS, 2**31)])
def test_votes_for_ever_other_rounds_are_passed_on_within_the_bounds_of_what_is_kept(
    scene: Scene, rounds: range
) -> None:
    for _ in range(2):
        shout(scene, 1, rounds)
        assert count_relayed(scene, 1) == len(KINDS) * MAX_AHEAD
    assert scene.judge(scene.vote(Prevote, 1, None, 500)) == Ignore(ChainReason.STALE)
    assert list_blamed(scene.commands) == []


def test_no_word_makes_room_for_another_that_is_then_passed_on_in_its_place(scene: Scene) -> None:
    """A proposer of a round that is near and votes for far ones took turns in one place."""
    near, author = 2, scene.find_proposer(2)
    for number in range(10):
        for round_ in range(100, 100 + MAX_AHEAD):
            vote = scene.vote(Prevote, author, None, round_)
            scene.hear(scene.sign(msgspec.structs.replace(vote, block=bytes([number]) * 32)))
        scene.hear(scene.proposal(scene.block(near, slot=PAUSE + number)))
        scene.wait(0)
    assert count_relayed(scene, author) <= MAX_AHEAD + 1


def test_words_about_far_heights_are_not_passed_on_and_within_bounds_when_the_height_has_come(scene: Scene) -> None:
    block = scene.block()
    parent = scene.rules.hash_message(block)
    far = [
        scene.sign(Prevote(height=2, parent=parent, round=round_, block=NIL, author=keys(1).public))
        for round_ in range(ROUNDS)
    ]
    for vote in far:
        scene.hear(vote)
    assert list_relayed(scene) == []
    scene.hear(scene.proposal(block))
    for kind in KINDS:
        scene.poll(kind, block, [2, 3])
    assert scene.head.hash == parent
    assert 0 < sum(is_relayed(scene, vote) for vote in far) <= MAX_AHEAD
    assert list_blamed(scene.commands) == []


# ---- nobody is silenced ----


def test_who_was_cut_off_learns_the_round_while_one_owner_says_what_it_likes(scene: Scene) -> None:
    shout(scene, 1, range(1, ROUNDS))
    late = [scene.vote(kind, author, None, 45) for author in (2, 3) for kind in KINDS]
    for vote in late:
        assert scene.judge(vote) is ACCEPT
        assert is_relayed(scene, vote)
    block = scene.block(45)
    scene.hear(scene.proposal(block))
    assert (45, scene.rules.hash_message(block)) in [(vote.round, vote.block) for vote in scene.list_said(Prevote)]
    assert any(
        isinstance(message, Proposal) and message.round == 45
        for message in map(scene.rules.decode, list_relayed(scene))
    )


def test_old_words_of_honest_owners_that_somebody_shows_again_keep_nobody_behind(scene: Scene) -> None:
    """Their room is filled with what they have truly said before; then their last words are heard all the same."""
    now = 4 * MAX_AHEAD
    for author in (2, 3):
        shout(scene, author, range(1, now))
    last = [scene.vote(kind, author, None, now) for author in (2, 3) for kind in KINDS]
    for _ in range(now):
        for vote in last:
            scene.hear(vote)  # as who stands still says its last words again
    scene.hear(scene.proposal(scene.block(now)))
    assert scene.list_votes(Prevote)[-1][0] == now
    assert all(is_relayed(scene, vote) for vote in last)


def test_an_owner_has_room_again_when_the_node_has_gone_on(scene: Scene) -> None:
    ahead = range(1, 2 * MAX_AHEAD + 1)
    shout(scene, 1, ahead)
    scene.poll(Prevote, None, [2], MAX_AHEAD)
    assert scene.list_votes(Prevote)[-1][0] == MAX_AHEAD - 1  # it votes in the round before that it has gone to
    before = count_relayed(scene, 1)
    shout(scene, 1, ahead)
    assert count_relayed(scene, 1) - before == len(KINDS) * MAX_AHEAD


# ---- room for votes ----


def test_a_block_leaves_room_for_the_votes_that_make_it_final_or_is_not_voted_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, everybody = scene.block(), range(4)
    needed = len(encode(block)) + 4 * VOTE_BYTES + SPARE_BYTES
    monkeypatch.setattr(quorum, "MAX_FRAME_BYTES", needed - 1)
    assert scene.judge(scene.proposal(scene.block(1))) == Reject(FrameReason.OVERSIZED)
    monkeypatch.setattr(quorum, "MAX_FRAME_BYTES", needed)
    assert scene.judge(scene.proposal(block)) is ACCEPT
    final = msgspec.structs.replace(block, certificate=scene.certify(block, 2**31 - 1, everybody))
    prevotes = scene.certify(block, 2**31 - 2, everybody, kind=Prevote).signatures
    again = msgspec.structs.replace(scene.proposal(block), round=2**31 - 1, valid_round=2**31 - 2, prevotes=prevotes)
    arrays = 2 * 4  # of thousands of votes and transfers the lengths take so much more
    for message in (final, again):
        assert len(encode_frame(scene.rules.chain_id, message)) + arrays <= needed


def test_a_proposer_takes_no_more_transfers_than_leave_room(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = find_scene(proposers={0: 0})
    paid = [Transaction(author=keys(1).public, nonce=n, recipient=keys(2).public, amount=5, fee=1) for n in range(9)]
    for transfer in paid:
        scene.hear(scene.sign(transfer))
    room = len(encode(scene.block(transactions=tuple(map(scene.sign, paid[:5])))))
    monkeypatch.setattr(quorum, "MAX_FRAME_BYTES", room + 4 * VOTE_BYTES + SPARE_BYTES)
    scene.wait(PAUSE)
    (proposal,) = scene.list_said(Proposal)
    assert len(proposal.block.transactions) == 4
    assert scene.list_said(Prevote)[0].block == scene.rules.hash_message(proposal.block)
    assert room < MAX_FRAME_BYTES

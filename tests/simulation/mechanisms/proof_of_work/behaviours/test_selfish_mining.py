"""A selfish miner shows what algorithm 1 of Eyal and Sirer shows, and nothing besides."""

import pytest

from protocol.events import Broadcast, ChainRecord, ChainTimer, Timer, TimerFired
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.messages import BlockRequest, BlockResponse, HeadAnnouncement
from simulation.attacks.catalogue import load_catalogue
from simulation.attacks.traits import Parameters
from tests.simulation.mechanisms.proof_of_work.behaviours.mining import MEMBER, OTHER, Scene
from tests.support.core import keys

TIES = pytest.mark.parametrize("ties", ["first_seen", "lowest_hash"])


def make_scene(**changes: object) -> Scene:
    return Scene(load_catalogue()["selfish_miner"], Parameters(), **changes)  # type: ignore[arg-type]


def play(scene: Scene, steps: str) -> list[list[int]]:
    """Let blocks be found; return what the miner shows at each.

    Args:
        scene: The miner.
        steps: `p` for a block of its own, `m` for a member's on that, `h` for one of others on the last of theirs, `g`
            for one of others on the last block that it has shown.
    """
    shown, others, own = [], scene.rules.origin, scene.rules.origin
    last_shown: ChainRecord = scene.rules.origin
    for step in steps:
        if step == "p":
            own = scene.find()
        elif step == "m":
            own = scene.hear(own, by=MEMBER)
        else:
            others = scene.hear(others if step == "h" else last_shown)
            own = own if own.weight >= others.weight else others
        shown.append(scene.list_shown())
        for record in scene.node.tree.get_records():
            if shown[-1] and record.height == shown[-1][-1] and scene.node.proposer.is_own(record):  # type: ignore[attr-defined]
                last_shown = record
    return shown


@TIES
@pytest.mark.parametrize(
    ("steps", "shown", "mined_on"),
    [
        ("p", [[]], 2),
        ("ppp", [[], [], []], 4),
        ("h", [[]], 2),
        ("ph", [[], [1]], 2),
        ("php", [[], [1], [2]], 3),
        ("phh", [[], [1], []], 3),
        ("phg", [[], [1], []], 3),
        ("pph", [[], [], [1, 2]], 3),
        ("pphp", [[], [], [1, 2], []], 4),
        ("ppph", [[], [], [], [1]], 4),
        ("ppphh", [[], [], [], [1], [2, 3]], 4),
        ("ppphg", [[], [], [], [1], [2, 3]], 4),
        ("pppphh", [[], [], [], [], [1], [2]], 5),
        ("hpph", [[], [], [], [2, 3]], 4),
        ("pmh", [[], [], [1, 2]], 3),
        ("pmmh", [[], [], [], [1]], 4),
        ("phm", [[], [1], [2]], 3),
    ],
)
def test_it_shows_blocks_as_published(ties: str, steps: str, shown: list[list[int]], mined_on: int) -> None:
    scene = make_scene(ties=ties)
    assert play(scene, steps) == shown
    assert scene.mined_on == mined_on


def test_a_members_block_that_comes_after_one_of_others_is_raced_with() -> None:
    scene = make_scene()
    scene.hear(scene.rules.origin)
    late = scene.hear(scene.rules.origin, by=MEMBER)
    assert scene.list_shown() == [1]
    assert scene.find().parent == late.hash
    assert scene.list_shown() == [2]


def test_a_whole_chain_is_shown_at_once() -> None:
    scene = make_scene(length=3)
    assert play(scene, "ppp") == [[], [], [1, 2, 3]]


def test_members_alone_get_what_is_kept_back() -> None:
    scene = make_scene()
    scene.find()
    assert [peer for peer, _ in scene.list_told(WorkedBlock)] == ["member"]
    scene.feed(TimerFired(Timer(ChainTimer.ANNOUNCE, 20)))  # the head has moved since the last one
    scene.feed(TimerFired(Timer(ChainTimer.ANNOUNCE, 40)))
    assert [peer for peer, _ in scene.list_told(HeadAnnouncement)] == ["member"]
    assert not any(isinstance(action, Broadcast) for action in scene.actions)


def test_answers_end_below_what_is_kept_back() -> None:
    scene = make_scene()
    play(scene, "hpp")
    for peer, heights in (("peer", [1]), ("member", [1, 2, 3])):
        pair = keys(OTHER if peer == "peer" else MEMBER)
        asked = BlockRequest(locator=(scene.rules.chain_id,), author=pair.public)
        scene.tell(pair.sign(scene.rules.chain_id, asked), peer)
        ((to, answer),) = scene.list_told(BlockResponse)
        assert (to, [block.height for block in answer.blocks]) == (peer, heights)
        assert scene.rules.is_signed(answer)

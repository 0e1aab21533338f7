"""Who passes on what an author contradicts itself in is never charged for it; the author is, whatever the mechanism."""

from typing import Any

import msgspec
import pytest

from protocol.events import Judged, Relay
from protocol.mechanisms.stake_bft.facts import Equivocated
from protocol.mechanisms.stake_bft.messages import Precommit, Prevote, Vote
from protocol.verdicts import ACCEPT, ChainReason, Reject
from simulation.records import find_blamed
from tests.protocol.mechanisms.stake_bft.scene import find_scene
from tests.simulation.mechanisms.stake_chain.scenarios import make_raw as make_stake
from tests.support.core import keys
from tests.support.memory_runs import Ended, simulate

RING = {"topology": "ring", "latency": {"kind": "uniform", "ms": 5.0, "max_ms": 400.0}}
"""Each node has two neighbours, so nearly all comes from who has not written it."""


def simulate_ring(raw: dict[str, Any]) -> Ended:
    ended = simulate({**raw, "network": RING})
    assert (ended.reason, ended.broken) == ("complete", None)
    return ended


@pytest.mark.parametrize("kind", [Prevote, Precommit, None])
def test_words_that_contradict_each_other_are_charged_to_who_signed_them_whoever_brings_them(
    kind: type[Vote] | None,
) -> None:
    scene = find_scene(proposers={0: 1}, is_relaying=True)
    scene.wait(3)
    blocks = [scene.block(slot=slot) for slot in (2, 3)]
    words = [scene.vote(kind, 1, block) if kind is not None else scene.proposal(block) for block in blocks]
    for word, link in zip(words, ("honest-2", "honest-3"), strict=True):
        scene.hear(word, link)
    first, second = [item for item in scene.commands if isinstance(item, Judged)]
    assert (first.verdict, second.verdict) == (ACCEPT, Reject(ChainReason.EQUIVOCATION))
    assert second.author == keys(1).public
    assert find_blamed("bad-1", second.peer, ChainReason.EQUIVOCATION.value) == "bad-1"
    (relayed,) = [item for item in scene.commands if isinstance(item, Relay)]
    assert scene.rules.decode(relayed.frame) == words[0]
    assert [fact.author for fact in scene.list_noted(Equivocated) if isinstance(fact, Equivocated)] == [second.author]


def test_blocks_of_one_slot_are_charged_to_nobody_but_the_stake_of_who_made_them() -> None:
    raw = make_stake(("honest", 4, 100.0), length=40, protocol={"slot_ms": 300.0})
    bad = {"name": "bad", "role": "adversary", "count": 3, "stake": 100.0, "behaviours": ["nothing_at_stake"]}
    raw["populations"].append(bad)
    ended = simulate_ring(raw)
    told = ended.find("used_twice")
    assert {str(record.fields["author"]).rpartition("-")[0] for record in told} == {"bad"}
    assert {record.who.rpartition("-")[0] for record in told} >= {"honest"}
    assert ended.tally.rejected_from["honest"].total() == 0


@pytest.mark.parametrize("reason", ["equivocation", "not-leader", "not-bonded", "forged-evidence"])
def test_what_only_an_author_can_do_is_put_down_to_it(reason: str) -> None:
    assert find_blamed("bad-0", "honest-0", reason) == "bad-0"


def test_a_wrong_certificate_under_an_honest_block_is_put_down_to_who_sends_it() -> None:
    scene = find_scene(proposers={0: 1})
    scene.wait(2)
    block = scene.block()
    few, of_others = scene.certify(block, authors=[2]), scene.certify(block, 5)
    for certificate in (few, msgspec.structs.replace(of_others, round=6)):
        told = scene.hear(msgspec.structs.replace(block, certificate=certificate), "bad-3")
        (judged,) = [item for item in told if isinstance(item, Judged)]
        assert isinstance(judged.verdict, Reject)
        assert find_blamed("honest-1", judged.peer, judged.verdict.reason.value) == "bad-3"

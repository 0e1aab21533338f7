"""Adversaries that misuse the connection itself, in simulated time."""

from typing import Any

import pytest

from simulation.attacks.behaviour import SendFragment
from simulation.engines.link_rules import MAX_TRANSPORT_BYTES, STALL_NS
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 4)
SLOW = {"slot_ms": 1_000.0}
"""So that a run is not over before a stall is told."""

TOLD = {"half": "stalled", "cut": "unlinked", "gibibyte": "closed"}
"""What the others say of each fragment."""


def attack(fragment: str, seed: int, *others: Any, **sections: Any) -> Observed:
    behaviours = [{"kind": "half_framer", "fragment": fragment}, *others]
    crowd = (population("honest", 5), population("bad", 2, "adversary", behaviours=behaviours))
    raw = make_raw(*crowd, seed=seed, job={"stages": 8}, protocol=SLOW, **sections)
    return observe(raw)


@pytest.mark.parametrize("fragment", TOLD)
@pytest.mark.parametrize("seed", SEEDS)
def test_half_a_frame_costs_its_sender_its_own_links_and_nobody_else_anything(fragment: str, seed: int) -> None:
    observed = attack(fragment, seed)
    observed.assert_unharmed()
    members, ended = observed.get_members("bad"), observed.ended
    hearers = {*observed.honest, "employer"}
    sent = [record for record in ended.find("sent") if record.who in members]
    assert {record.who: record.fields["kind"] for record in sent} == dict.fromkeys(members, "fragment")
    assert len(sent) == len(members)
    told = [record for record in ended.find(TOLD[fragment]) if record.who in hearers]
    assert {(record.who, record.fields["peer"]) for record in told} == {
        (who, bad) for who in hearers for bad in members
    }
    assert len(told) == len(hearers) * len(members)
    assert not [record for event in set(TOLD.values()) - {TOLD[fragment]} for record in ended.find(event)]
    assert not [item for item in observed.judgements if item.peer in members or item.author in members]
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_what_is_told_of_a_fragment_is_what_came_of_it() -> None:
    stalled, unlinked, closed = (attack(fragment, 1).ended for fragment in TOLD)
    sent = stalled.find("sent", "bad-0", kind="fragment")[0]
    size = 4 + int(str(sent.fields["bytes"])) // int(str(sent.fields["copies"]))
    first = stalled.find("stalled", "honest-0", peer="bad-0")[0]
    assert first.fields["received"] == size
    assert size < int(str(first.fields["announced"])) <= MAX_TRANSPORT_BYTES
    assert first.time >= sent.time + STALL_NS / 1e9
    assert unlinked.find("unlinked", "honest-0", peer="bad-0", unfinished=size)
    assert closed.find("closed", "honest-0", peer="bad-0", announced=1 << 30)


@pytest.mark.parametrize("fragment", TOLD)
def test_only_a_link_that_is_still_open_brings_the_attacker_anything(fragment: str) -> None:
    """Who has merely stopped hears the others; who has lost its links hears nobody."""
    heads = {record.who: record.fields["height"] for record in attack(fragment, 1).ended.find("final")}
    assert heads["bad-0"] == (8 if fragment == "half" else 0)


@pytest.mark.parametrize("fragment", TOLD)
def test_nothing_goes_over_a_link_after_a_fragment_whatever_else_a_node_does(fragment: str) -> None:
    observed = attack(fragment, 1, "garbage", {"kind": "flooder", "rate": 3})
    observed.assert_unharmed()
    members = observed.get_members("bad")
    assert not [item for item in observed.judgements if item.peer in members]
    sent = [record.fields for record in observed.ended.find("sent") if record.who in members]
    assert {fields["copies"] for fields in sent if fields["kind"] != "fragment"} <= {0}


@pytest.mark.parametrize(
    ("fragment", "down_s", "up_s"), [("half", 0.0, 4.0), ("half", 3.0, 4.0), ("cut", 0.0, 4.0), ("gibibyte", 0.0, 4.0)]
)
def test_a_node_that_was_down_knows_of_no_fragment(fragment: str, down_s: float, up_s: float) -> None:
    """What arrives while it is down is lost, and what it had of a frame before is forgotten."""
    outage = {"node": "honest-0", "down_s": down_s, "up_s": up_s, "disk": "lost"}
    observed = attack(fragment, 1, network={"outages": [outage]})
    observed.assert_unharmed()
    assert max(record.time for record in observed.ended.find("sent", kind="fragment")) < 2.9
    assert observed.ended.find(TOLD[fragment], "honest-1")
    assert not observed.ended.find(TOLD[fragment], "honest-0")


@pytest.mark.parametrize("fragment", TOLD)
def test_an_answer_over_a_link_that_was_given_up_goes_nowhere(fragment: str) -> None:
    parties = attack(fragment, 1).ended.engine._parties
    assert parties["bad-0"].send("honest-0", b"frame") == 0
    if fragment != "half":
        assert parties["honest-0"].send("bad-0", b"frame") == 0


def test_a_whole_frame_is_no_fragment() -> None:
    for announced in (0, 5):
        with pytest.raises(ValueError, match="no mere part"):
            SendFragment(announced, b"whole", is_closing=False, label="whole")

"""Adversaries that say nothing, too much, or nonsense."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from protocol.codec import encode_frame
from protocol.events import MessageReceived, Started
from protocol.inbox import MAX_OF_AUTHOR, Delivery, Inbox
from protocol.messages import Transaction
from protocol.rules import Rules
from protocol.verdicts import Wait
from simulation.attacks.behaviour import SendBytes
from simulation.engines.parties.building import build_node
from simulation.engines.result import PartyError
from simulation.scenario.world.transfers import draw_transfers, plan_transfers
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, make_world, population
from tests.support.weakened import (
    fail_at_malformed_bytes,
    forget_what_was_heard,
    keep_everything_that_waits,
    propose_once,
    skip_signatures,
)

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 7)
TRANSFERS = {"count": 3, "transactions": 9, "per_second": 3.0}


def attack(behaviour: Any, seed: int, *, honest: int = 5, **sections: Any) -> Observed:
    crowd = (population("honest", honest), population("bad", 2, "adversary", behaviours=[behaviour]))
    return observe(make_raw(*crowd, seed=seed, **sections))


# ---- silent ----


@pytest.mark.parametrize("seed", SEEDS)
def test_the_silent_are_heard_of_by_nobody_and_hold_up_nobody_for_ever(seed: int) -> None:
    observed = attack("silent", seed, job={"stages": 4})
    observed.assert_unharmed()
    members = observed.get_members("bad")
    assert not [item for item in observed.judgements if item.peer in members or item.author in members]
    assert not [record for record in observed.ended.find("sent") if record.who in members]
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}
    assert observed.ended.find("trained", "bad-0")


def test_if_nobody_proposed_again_a_silent_stakeholder_would_end_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    propose_once(monkeypatch)
    assert sum(attack("silent", seed, job={"stages": 4}).ended.reason == "time-limit" for seed in SEEDS) >= 4


# ---- garbage ----


@pytest.mark.parametrize("seed", SEEDS)
def test_garbage_is_refused_with_its_reasons_and_charged_to_its_link(seed: int) -> None:
    observed = attack("garbage", seed, job={"stages": 4})
    observed.assert_unharmed()
    refused = observed.count_refused("bad")
    assert set(refused) == {"malformed", "bad-signature", "oversized"}
    assert min(refused.values()) > 0
    assert observed.count_refused_elsewhere("bad") == {}


def test_garbage_would_crash_a_node_that_does_not_expect_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at_malformed_bytes(monkeypatch)
    with pytest.raises(PartyError, match="ValueError: malformed"):
        attack("garbage", 1)


# ---- forger ----


@pytest.mark.parametrize("seed", SEEDS)
def test_forged_messages_are_refused_and_charged_to_who_sent_them(seed: int) -> None:
    observed = attack("forger", seed, users=TRANSFERS, job={"stages": 4})
    observed.assert_unharmed()
    assert set(observed.count_refused("bad")) == {"bad-signature"}
    assert observed.count_refused_elsewhere("bad") == {}
    forged = [item for item in observed.judgements if item.outcome == "bad-signature" and item.who in observed.honest]
    assert {item.peer for item in forged} == observed.get_members("bad")
    assert {"declaration", "transaction"} <= {item.kind for item in forged}
    assert any(item.author in observed.honest for item in forged if item.kind == "declaration")
    assert any(item.author.startswith("user-") for item in forged if item.kind == "transaction")
    assert count_stolen(observed) == 0


def count_stolen(observed: Observed) -> int:
    members = observed.get_members("bad")
    paid = [item for block in observed.get_chain() for item in block.transactions]
    assert paid
    return sum(observed.name(item.recipient) in members for item in paid)


def test_where_names_are_believed_a_forger_has_others_pay_it(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_signatures(monkeypatch)
    runs = [attack("forger", seed, users=TRANSFERS, job={"stages": 4}) for seed in SEEDS]
    assert sum(map(count_stolen, runs)) >= 3


def test_forgers_leave_each_others_forgeries_alone() -> None:
    """Or two of them would never end, once there are more transfers than they remember."""
    crowd = (population("honest", 3), population("bad", 1, "adversary", behaviours=["forger"]))
    world = make_world(make_raw(*crowd, users=TRANSFERS))
    rules = Rules(world.mechanism)
    core, behaviour = build_node(world.nodes[-1], rules)
    core.handle(Started(), 0)
    transfer = next(draw_transfers(plan_transfers(world), rules.chain_id)).transaction
    forged = msgspec.structs.replace(transfer, recipient=bytes(32))

    def count_sent(message: Transaction) -> int:
        event = MessageReceived("honest-0", encode_frame(rules.chain_id, message))
        return sum(isinstance(action, SendBytes) for action in behaviour.react(core, event, 1))

    assert count_sent(forged) == 0
    assert count_sent(transfer) == 1


# ---- replayer ----


ONE_PARENT = {"rules": 1}
"""With these seeds nobody declares on two branches of one height, so that two declarations are one that came twice."""


def count_most_accepted(observed: Observed) -> int:
    """Return how often an honest node has at most accepted one declaration."""
    accepted = [item for item in observed.judgements if item.kind == "declaration" and item.outcome == "accept"]
    return max(
        Counter((item.who, item.author, item.height) for item in accepted if item.who in observed.honest).values()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_replayer_sends_again_changes_nothing(seed: int) -> None:
    observed = attack("replayer", seed, protocol=ONE_PARENT)
    observed.assert_unharmed()
    members = observed.get_members("bad")
    assert [record for record in observed.ended.find("sent", kind="replayed") if record.who in members]
    assert count_most_accepted(observed) == 1
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_a_node_without_memory_counts_what_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_what_was_heard(monkeypatch)
    assert max(count_most_accepted(attack("replayer", seed, protocol=ONE_PARENT)) for seed in SEEDS) > 1
    assert max(count_most_accepted(attack("censoring_wrapper", seed, protocol=ONE_PARENT)) for seed in SEEDS) == 1


# ---- flooder ----

RATE = 1_200


def flood(monkeypatch: pytest.MonkeyPatch) -> tuple[Observed, int]:
    """Let a fast flooder bury nodes that still train; return the most that a node kept of its link."""
    most = 0
    put = Inbox.put

    def watch(inbox: Inbox, wait: Wait, delivery: Delivery) -> None:
        nonlocal most
        put(inbox, wait, delivery)
        most = max(most, sum(share.count for share in inbox._shares.get("bad-0", {}).values()))

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "put", watch)
        bad = population("bad", 1, "adversary", speed=1e6, behaviours=[{"kind": "flooder", "rate": RATE}])
        raw = make_raw(population("honest", 3), bad, job={"steps_per_stage": 10_000, "stages": 1})
        return observe(raw), most


def test_a_flood_is_refused_and_fills_no_more_than_its_own_share_of_an_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    observed, most = flood(monkeypatch)
    observed.assert_unharmed()
    assert most == MAX_OF_AUTHOR
    declared = observed.count_outcomes("bad", "declaration")
    assert declared["inbox-full"] > 0
    refused = observed.count_refused("bad")
    assert set(refused) <= {"lottery-lost", "different-weights", "beyond-job"}
    assert refused.total() >= 3 * (MAX_OF_AUTHOR - 1)
    assert observed.count_refused_elsewhere("bad") == {}


def test_without_a_bound_a_flood_is_kept_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_everything_that_waits(monkeypatch)
    observed, most = flood(monkeypatch)
    assert most > 4 * MAX_OF_AUTHOR
    assert observed.count_outcomes("bad", "declaration")["inbox-full"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_go_on_in_a_flood(seed: int) -> None:
    observed = attack({"kind": "flooder", "rate": 20}, seed)
    observed.assert_unharmed()
    assert observed.count_refused("bad")["lottery-lost"] > 0
    assert observed.count_refused_elsewhere("bad") == {}


# ---- partitioner ----

SIDES = [("left-0", "left-1"), ("left-1", "left-2"), ("left-0", "left-2")]
SIDES += [(first.replace("left", "right"), second.replace("left", "right")) for first, second in SIDES]
BRIDGE = [("bridge-0", "left-0"), ("bridge-0", "right-0")]


def join(role: str, *more: tuple[str, str], seed: int) -> Observed:
    """Run two triangles of nodes that a bridge joins, and perhaps more links."""
    behaviours = {"behaviours": ["partitioner"]} if role == "adversary" else {}
    raw = make_raw(
        population("left", 3),
        population("right", 3),
        population("bridge", 1, role, **behaviours),
        seed=seed,
        network={"topology": "edges", "edges": [list(edge) for edge in (*SIDES, *BRIDGE, *more)], "client_links": 2},
        protocol={"stakeholders": 1},
        run={"time_limit_s": 60.0},
    )
    return observe(raw)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partitioner_has_no_effect_where_another_path_is_left(seed: int) -> None:
    observed = join("adversary", ("left-1", "right-1"), seed=seed)
    observed.assert_unharmed()
    assert not observed.ended.find("relayed", "bridge-0")
    assert observed.count_refused("bridge") == observed.count_refused_elsewhere("bridge") == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partitioner_that_is_the_only_path_lets_the_sides_grow_apart(seed: int) -> None:
    cut = join("adversary", seed=seed)
    assert cut.ended.tally.compute_agreement()[0] == 0.5
    assert cut.get_chain("left-0") != cut.get_chain("right-0")
    assert cut.ended.broken is None
    join("honest", seed=seed).assert_unharmed()

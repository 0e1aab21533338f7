"""Behaviours together, coalitions, and runs with adversaries that come again: the same events, the same cores."""

from typing import Any

import numpy as np
import pytest

from protocol.events import Event, MessageReceived, Started
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.rules import Rules
from simulation.attacks.behaviour import Action, Core
from simulation.attacks.catalogue import load_catalogue
from simulation.attacks.layers import build_proposer_type
from simulation.attacks.rewriting import PrivateChain
from simulation.engines.parties.building import build_node
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, make_world, population, simulate

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 5)
KINDS = [kind for kind, item in load_catalogue().items() if item.mechanism in (None, "proof_of_training")]
ALL: list[Any] = [
    {
        "withholder": {"kind": "withholder", "what": "signature"},
        "private_chain": {"kind": "private_chain", "release_s": 4},
        "pool_filler": {"kind": "pool_filler", "accounts": 1},
    }.get(kind, kind)
    for kind in KINDS
]


def attack(*behaviours: Any, seed: int = 3, **more: Any) -> Observed:
    bad = population("bad", 2, "adversary", behaviours=list(behaviours), **more)
    return observe(make_raw(population("honest", 5), bad, seed=seed, job={"stages": 4}))


# ---- composition ----


@pytest.mark.parametrize("seed", SEEDS)
def test_several_behaviours_and_a_poison_all_act(seed: int) -> None:
    observed = attack("equivocator", "replayer", seed=seed, poison={"kind": "label_noise"})
    observed.assert_unharmed()
    members = observed.get_members("bad")
    declared = [item for item in observed.ended.find("sent", kind="declaration") if item.who == "bad-0"]
    heights = [item.fields["height"] for item in declared]
    assert len(heights) > len(set(heights))  # equivocator
    assert [item for item in observed.ended.find("sent", kind="replayed") if item.who in members]  # replayer
    assert {item.fields["data"] for item in observed.ended.find("trained", "bad-0")} == {"poisoned"}  # poison
    assert observed.count_refused("bad")["different-weights"] > 0


def test_behaviours_that_replace_parts_of_the_node_are_combined() -> None:
    observed = attack("stake_liar", "censoring_wrapper", {"kind": "withholder", "what": "signature"}, "forger")
    observed.assert_unharmed()
    assert set(observed.count_refused("bad")) - {"slot-before-parent"} == {"lottery-lost", "bad-signature"}
    assert not [item for item in observed.ended.find("sent", kind="stakeholder") if item.who.startswith("bad")]
    node = next(node for node in observed.ended.world.nodes if node.population == "bad")
    core, _ = build_node(node, observed.ended.engine._rules)
    bases = type(core.proposer).__mro__
    assert len({base for base in bases if "wins_slot" in vars(base)}) == 2
    assert len({base for base in bases if "choose_transactions" in vars(base)}) == 2
    assert len({base for base in bases if issubclass(base, TrainingProposer) and "publish" in vars(base)}) == 2


def test_two_withholders_withhold_both() -> None:
    kinds = [{"kind": "withholder", "what": what} for what in ("signature", "header")]
    observed = attack(*kinds)
    observed.assert_unharmed()
    sent = {item.fields["kind"] for item in observed.ended.find("sent") if item.who.startswith("bad")}
    assert "declaration" in sent
    assert not {"stakeholder", "header"} & sent


def test_the_outermost_behaviour_has_the_last_word() -> None:
    silenced = attack("garbage", "flooder", "silent")
    assert not [item for item in silenced.ended.find("sent") if item.who.startswith("bad")]
    loud = attack("silent", "flooder")
    assert not [item for item in loud.ended.find("sent") if item.who.startswith("bad")]
    hidden = attack("forger", "garbage", {"kind": "private_chain", "release_s": 1e6})
    to = {item.fields["to"] for item in hidden.ended.find("sent") if item.who.startswith("bad")}
    assert to
    assert to <= hidden.get_members("bad")


@pytest.mark.parametrize("first", ALL, ids=KINDS)
def test_any_two_behaviours_fit_together(first: Any) -> None:
    """No pair makes a node fail, and no pair of a minority harms anybody honest."""
    for second in ALL:
        if second != first:
            attack(first, second).assert_unharmed()


def test_a_node_without_a_replaced_part_is_an_ordinary_one() -> None:
    world = make_world(make_raw(population("honest", 3), population("bad", 1, "adversary", behaviours=["forger"])))
    assert build_proposer_type([]) is None
    types = {type(build_node(node, observe(make_raw()).ended.engine._rules)[0].proposer) for node in world.nodes}
    assert types == {TrainingProposer}


# ---- coalitions ----


def list_coalitions(*populations: dict[str, Any]) -> dict[str, set[str]]:
    world = make_world(make_raw(*populations))
    return {node.label: {label for label, _ in node.coalition.members} for node in world.nodes}


def test_members_of_one_coalition_know_each_other_and_nobody_else() -> None:
    found = list_coalitions(
        population("honest", 3),
        population("one", 2, "adversary", behaviours=["replayer"], coalition="plot"),
        population("other", 1, "data_injection", coalition="plot"),
        population("lone", 2, "adversary", behaviours=["forger"]),
        population("quiet", 1, "silent"),
    )
    plot = {"one-0", "one-1", "other-0"}
    assert {label for label, members in found.items() if members == plot} == plot
    assert found["lone-0"] == found["lone-1"] == {"lone-0", "lone-1"}
    assert found["quiet-0"] == {"quiet-0"}
    assert [found[f"honest-{index}"] for index in range(3)] == [{f"honest-{index}"} for index in range(3)]


def test_a_coalition_of_two_populations_has_the_true_keys_and_its_members_are_equal() -> None:
    bads = [population(name, 1, "adversary", behaviours=["replayer"], coalition="plot") for name in ("one", "other")]
    world = make_world(make_raw(population("honest", 3), *bads))
    nodes = {node.label: node for node in world.nodes}
    assert nodes["one-0"].coalition == nodes["other-0"].coalition
    labels = world.get_labels()
    assert {(label, labels[account]) for label, account in nodes["one-0"].coalition.members} == {
        ("one-0", "one-0"),
        ("other-0", "other-0"),
    }


def test_a_private_chain_is_shared_by_the_whole_coalition_and_by_nobody_else() -> None:
    def hide(coalition: str | None) -> set[tuple[str, str]]:
        behaviours = [{"kind": "private_chain", "release_s": 1e6}]
        shared = {"coalition": coalition} if coalition else {}
        bads = [population(name, 1, "adversary", behaviours=behaviours, **shared) for name in ("one", "other")]
        ended = simulate(make_raw(population("honest", 5), *bads))
        return {(item.who, str(item.fields["to"])) for item in ended.find("sent") if item.who[0] == "o"}

    assert hide("plot") == {("one-0", "other-0"), ("other-0", "one-0")}
    assert hide(None) == set()


def test_a_private_chain_needs_a_full_mesh_also_where_nodes_have_turned() -> None:
    behaviours = [{"kind": "private_chain", "release_s": 4}]
    raw = make_raw(population("honest", 6), network={"topology": "ring"})
    bad = population("bad", 2, "adversary", behaviours=behaviours)
    with pytest.raises(ValueError, match="write full_mesh"):
        Scenario.model_validate({**raw, "populations": [*raw["populations"], bad]})
    turned = {"name": "bad", "role": "adversary", "behaviours": behaviours, "of": ["honest"], "count": 2}
    scenario = Scenario.model_validate({**raw, "corruptions": [turned]})
    with pytest.raises(ValueError, match="write full_mesh"):
        build_world(scenario, "made up", bytes(32))


# ---- the same again ----


@pytest.mark.parametrize("behaviour", ALL, ids=KINDS)
def test_a_run_with_adversaries_comes_to_the_same_events_again(behaviour: Any) -> None:
    crowd = (population("honest", 4), population("bad", 2, "adversary", behaviours=[behaviour]))
    users = {"count": 2, "transactions": 4, "per_second": 4.0}
    raw = make_raw(*crowd, users=users, job={"stages": 2})
    first, second = simulate(raw), simulate(raw)
    assert first.lines == second.lines
    assert first.result.chains == second.result.chains
    assert first.lines != simulate({**raw, "seed": 8}).lines


def test_a_hidden_event_is_not_heard_by_the_core() -> None:
    """A behaviour stands between inputs and core: what it keeps back has never happened for the core."""
    world = make_world(make_raw(population("honest", 2), population("bad", 2, "adversary", behaviours=ALL[-1:])))
    node = next(node for node in world.nodes if node.population == "bad")
    assert ALL[-1]["kind"] == "private_chain"
    heard: list[Event] = []

    class Ear:
        rules: Rules = observe(make_raw()).ended.engine._rules
        keys = build_node(node, rules)[0].keys
        tree = build_node(node, rules)[0].tree

        def handle(self, event: Event, now: int) -> list[Action]:
            heard.append(event)
            return []

    behaviour = PrivateChain(np.random.default_rng(1), node.coalition, release_s=10e-9)
    core: Core = Ear()
    for event, now in ((Started(), 0), (MessageReceived("honest-0", b"?"), 9), (MessageReceived("bad-1", b"?"), 9)):
        behaviour.react(core, event, now)
    behaviour.react(core, MessageReceived("honest-0", b"!"), 10)
    assert heard == [Started(), MessageReceived("bad-1", b"?"), MessageReceived("honest-0", b"!")]

"""Attacks that need no behaviour of their own: many identities, cutting off, and two poisons."""

from math import sqrt
from typing import Any, get_args

import numpy as np
import pytest

from protocol.ledger import LedgerState
from protocol.lottery import is_slot_won
from protocol.mechanisms.proof_of_training.judging import HEADER_LOTTERY
from simulation.scenario.populations import Poison
from simulation.scenario.world.key_pairs import make_keys
from simulation.training.poisons import apply_poison
from simulation.training.trainer import count_trained_steps
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, make_world, population
from tests.support.scenarios import make_job
from tests.support.weakened import count_identities, never_ask_for_blocks, trust_proposers

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 7)

# ---- Sybil: one owner of many identities ----

OWNERS = 7
"""One of them splits its stake; all have bonded the same."""


def split(identities: int, seed: int, **sections: Any) -> dict[str, Any]:
    sybil = population("sybil", 1, stake=1000.0, identities=identities)
    return make_raw(population("honest", OWNERS - 1), sybil, seed=seed, **sections)


SLOTS = 20_000


def measure_rights(identities: int) -> float:
    """Return which share of all rights to propose the splitting owner's nodes win."""
    world = make_world(split(identities, 7))
    stakes = LedgerState.from_genesis(world.genesis).stakes
    sybils = [make_keys(node.key_seed).public for node in world.nodes if node.population == "sybil"]
    assert len(sybils) == identities
    won = {
        owner: sum(
            is_slot_won(HEADER_LOTTERY, stakes, 300_000, parent=bytes(32), height=1, slot=slot, author=owner)
            for slot in range(SLOTS // len(stakes.owners) * 7)
        )
        for owner in stakes.owners
    }
    return sum(won[owner] for owner in sybils) / sum(won.values())


def test_splitting_a_stake_wins_no_more_rights_to_propose() -> None:
    draws = SLOTS * 0.3
    bound = 3.3 * sqrt(1 / OWNERS * (1 - 1 / OWNERS) / draws * 2)
    assert measure_rights(1) == pytest.approx(1 / OWNERS, abs=bound)
    assert measure_rights(8) == pytest.approx(1 / OWNERS, abs=bound)


def test_with_one_vote_an_identity_splitting_a_stake_would_win_most_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    count_identities(monkeypatch)
    assert measure_rights(1) == pytest.approx(1 / OWNERS, abs=0.03)
    assert measure_rights(8) == pytest.approx(8 / (OWNERS - 1 + 8), abs=0.03)


def count_won_blocks(identities: int, seeds: range) -> int:
    runs = [observe(split(identities, seed, job={"stages": 8})) for seed in seeds]
    return sum(run.count_proposed("sybil") for run in runs)


def test_the_share_of_proposed_blocks_is_that_of_the_stake_however_it_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = range(25)
    blocks = 8 * len(seeds)
    bound = 3 * sqrt(1 / OWNERS * (1 - 1 / OWNERS) * blocks)
    for identities in (1, 8):
        assert count_won_blocks(identities, seeds) == pytest.approx(blocks / OWNERS, abs=bound)
    count_identities(monkeypatch)
    assert count_won_blocks(8, seeds) > blocks / OWNERS + 2 * bound


def test_many_identities_of_a_small_stake_reach_a_number_but_never_a_share_of_stake() -> None:
    def poison(rule: dict[str, Any]) -> list[Observed]:
        bad = population("bad", 1, "data_injection", identities=12)
        raws = [make_raw(population("honest", 5), bad, seed=seed, protocol={"confidence": rule}) for seed in SEEDS]
        return [observe(raw) for raw in raws]

    by_stake = poison({"stake_share": 0.5})
    for observed in by_stake:
        observed.assert_unharmed()
        assert observed.count_outcomes("bad", "header").total() == 0
    assert sum(run.count_refused("bad")["different-weights"] for run in by_stake) > 0
    by_number = poison({"count": 3})
    assert sum(run.count_outcomes("bad", "header")["different-weights"] for run in by_number) > 0
    assert all(run.ended.tally.count_poisoned_honest() == 0 for run in by_number)


# ---- eclipse ----

HEAL_S = 20.0


def eclipse(victim: dict[str, Any], seed: int) -> Observed:
    """Cut a victim off from everybody but poisoners, for a while."""
    name = victim["name"]
    network = {"eclipses": [{"start_s": 0.0, "heal_s": HEAL_S, "victims": [f"{name}-0"], "by": ["poisoners"]}]}
    crowd = (population("honest", 5), victim, population("poisoners", 3, "data_injection"))
    rules = {"protocol": {"stakeholders": 1}, "run": {"time_limit_s": 120.0}}
    return observe(make_raw(*crowd, seed=seed, network=network, **rules))


def count_poisoned(observed: Observed, label: str) -> int:
    tally = observed.ended.tally
    return sum(tally.is_poisoned(block) for block in tally.appended_by[label])


@pytest.mark.parametrize("seed", SEEDS)
def test_an_eclipsed_honest_node_stands_still_and_catches_up(seed: int) -> None:
    observed = eclipse(population("victim", 1), seed)
    observed.assert_unharmed()
    during = [item for item in observed.ended.find("appended", "victim-0") if item.time < HEAL_S]
    assert not [item for item in during if item.fields["proposer"] != "victim-0"]
    assert count_poisoned(observed, "victim-0") == 0
    refused = [item for item in observed.judgements if item.who == "victim-0" and item.outcome == "different-weights"]
    assert {item.peer for item in refused} == observed.get_members("poisoners")
    refusals = {"different-weights", "refused-header", "refused-block", "refused-parent"}
    assert set(observed.count_refused("poisoners")) <= refusals


def test_an_eclipsed_node_without_a_training_of_its_own_takes_what_it_is_fed() -> None:
    runs = [eclipse(population("victim", 1, "adversary", behaviours=["lazy_verifier"]), seed) for seed in SEEDS]
    assert sum(count_poisoned(run, "victim-0") > 0 for run in runs) >= 2
    assert all(run.ended.tally.count_poisoned_honest() == 0 for run in runs)


def test_where_nobody_asks_for_blocks_an_eclipse_outlasts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    never_ask_for_blocks(monkeypatch)
    observed = eclipse(population("victim", 1), 1)
    assert observed.ended.reason != "complete"
    assert len(observed.get_chain("honest-0")) == 3
    assert len(observed.get_chain("victim-0")) < 3


# ---- poisons ----

POISONS: dict[str, dict[str, Any]] = {
    "appended_mislabelled": {"share": 0.5},
    "label_noise": {"share": 0.3},
    "mirrored_labels": {"share": 0.3},
    "targeted_flip": {"share": 0.5, "source": 7, "target": 1},
    "backdoor": {"share": 0.01, "target": 0},
    "clean_label": {"share": 0.5, "target": 3},
    "truncated": {"share": 0.5},
}


def test_no_poison_is_left_out() -> None:
    assert list(POISONS) == list(get_args(Poison.model_fields["kind"].annotation))


def poison(kind: str, seed: int, *, honest: int = 5, bad: int = 2) -> Observed:
    bads = population("bad", bad, "adversary", poison={"kind": kind, **POISONS[kind]})
    return observe(make_raw(population("honest", honest), bads, seed=seed))


@pytest.mark.parametrize("kind", POISONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_poison_is_refused_by_whoever_trains(kind: str, seed: int) -> None:
    observed = poison(kind, seed)
    observed.assert_unharmed()
    refused = observed.count_refused("bad")
    assert refused["different-weights"] > 0
    assert set(refused) <= {"different-weights", "refused-header", "refused-parent", "refused-block"}
    assert observed.count_refused_elsewhere("bad") == {}
    assert observed.count_outcomes("bad", "declaration")["accept"] == 0
    assert observed.ended.tally.count_poisoned_employer() == 0


@pytest.mark.parametrize("kind", POISONS)
def test_where_others_results_are_believed_a_poison_is_in_honest_chains(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust_proposers(monkeypatch)
    broken = [poison(kind, seed, honest=4, bad=3).ended.broken or "" for seed in SEEDS]
    assert sum(text.startswith("poison: ") for text in broken) >= len(SEEDS) // 2


def test_who_truncates_is_done_earlier() -> None:
    observed = poison("truncated", 1)

    def find_first(label: str) -> float:
        return observed.ended.find("trained", label)[0].time

    assert find_first("bad-0") == pytest.approx(find_first("honest-0") / 2)
    node = next(item for item in observed.ended.world.nodes if item.label == "bad-0")
    assert count_trained_steps(make_job(steps_per_stage=100), node.poison) == 50


LABELS = np.tile(np.arange(10, dtype=np.uint8), 100)


def test_a_clean_label_poison_patches_its_share_of_one_class_and_changes_no_label() -> None:
    spec = Poison(kind="clean_label", share=0.4, target=3)
    labels, rows, stamped = apply_poison(spec, LABELS, np.random.default_rng(1), 10)
    assert np.array_equal(labels, LABELS)
    assert rows is None
    assert stamped is not None
    assert stamped.sum() == 40
    assert set(LABELS[stamped].tolist()) == {3}


def test_a_truncated_poison_leaves_the_data_as_it_is() -> None:
    labels, rows, stamped = apply_poison(Poison(kind="truncated", share=0.4), LABELS, np.random.default_rng(1), 10)
    assert np.array_equal(labels, LABELS)
    assert (rows, stamped) == (None, None)

"""Adversaries that claim rights they do not have, or use one twice."""

from collections import Counter

import pytest

from protocol.mechanisms.proof_of_training.messages import TrainingDeclaration
from protocol.mechanisms.proof_of_training.round import Proposal, Round
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.weakened import allow_future_slots, allow_two_stories, believe_every_right

pytestmark = pytest.mark.many_runs

SEEDS = range(1, 9)


def attack(behaviour: str, seed: int, *, honest: int = 5, bad: int = 2, stages: int = 6, rules: int = 2) -> Observed:
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=[behaviour]))
    return observe(make_raw(*crowd, seed=seed, job={"stages": stages}, protocol={"rules": rules}))


# ---- equivocator ----


def equivocate(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Observed, Counter[str]]:
    """Run equivocators; return also how often a node took a second declaration of a round, or header of a slot."""
    twice: Counter[str] = Counter()
    add_proposal, add_declaration = Round.add_proposal, Round.add_declaration

    def watch_proposal(book: Round, header_hash: bytes, proposal: Proposal) -> None:
        known = book.get_header_in_slot(proposal.header.author, proposal.header.slot)
        twice["header"] += known not in (None, header_hash)
        add_proposal(book, header_hash, proposal)

    def watch_declaration(book: Round, declaration: TrainingDeclaration) -> None:
        known = book.declarations.get(declaration.author)
        twice["declaration"] += known is not None and known.signature != declaration.signature
        add_declaration(book, declaration)

    with monkeypatch.context() as patch:
        patch.setattr(Round, "add_proposal", watch_proposal)
        patch.setattr(Round, "add_declaration", watch_declaration)
        return attack("equivocator", seed), twice


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_hears_two_stories_refuses_the_second(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    observed, twice = equivocate(seed, monkeypatch)
    observed.assert_unharmed()
    assert observed.count_outcomes("bad", "declaration")["equivocation"] > 0
    assert set(observed.count_refused("bad")) == {"equivocation"}
    assert observed.count_refused_elsewhere("bad") == {}
    assert twice.total() == 0
    for block in observed.get_chain():
        authors = [item.author for item in block.header.declarations]
        assert len(set(authors)) == len(authors)


def test_headers_are_refused_too_where_one_slot_has_two(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = [equivocate(seed, monkeypatch)[0].count_outcomes("bad", "header")["equivocation"] for seed in SEEDS]
    assert sum(refused) >= len(SEEDS)


def test_where_equivocation_is_not_noticed_both_stories_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_two_stories(monkeypatch)
    runs = [equivocate(seed, monkeypatch) for seed in SEEDS]
    assert sum(twice["header"] for _, twice in runs) >= len(SEEDS)
    assert sum(twice["declaration"] for _, twice in runs) >= len(SEEDS)
    assert sum(observed.ended.tally.count_forks() for observed, _ in runs) >= 3


# ---- stake liar ----


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stake_liar_speaks_no_more_often_than_its_stake_allows(seed: int) -> None:
    observed = attack("stake_liar", seed)
    observed.assert_unharmed()
    assert set(observed.count_refused("bad")) <= {"lottery-lost", "slot-before-parent", "equivocation"}
    assert observed.count_outcomes("bad", "header")["lottery-lost"] > 0
    assert observed.count_refused_elsewhere("bad") == {}


def count_proposed(behaviour: str, *, stages: int, seeds: range, rules: int = 2) -> int:
    """Return how many blocks one adversary among seven nodes of equal stake proposes."""
    runs = (attack(behaviour, seed, honest=6, bad=1, stages=stages, rules=rules) for seed in seeds)
    return sum(run.count_proposed("bad") for run in runs)


def test_where_its_word_is_taken_a_liar_proposes_nearly_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = 6 * len(SEEDS)
    assert count_proposed("stake_liar", stages=6, seeds=SEEDS) < 0.35 * blocks  # its stake is a seventh
    believe_every_right(monkeypatch)
    assert count_proposed("stake_liar", stages=6, seeds=SEEDS) > 0.65 * blocks


# ---- timestamp grinder ----


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_grinder_dates_into_the_future_is_dropped(seed: int) -> None:
    observed = attack("timestamp_grinder", seed)
    observed.assert_unharmed()
    assert observed.count_outcomes("bad", "declaration")["future-slot"] > 0
    assert observed.count_refused("bad") == observed.count_refused_elsewhere("bad") == {}


def test_a_grinder_spends_its_declaration_and_its_headers_come_to_nothing() -> None:
    ground = [attack("timestamp_grinder", seed) for seed in SEEDS]
    patient = [attack("censoring_wrapper", seed) for seed in SEEDS]
    assert sum(run.count_outcomes("bad", "header")["future-slot"] for run in ground) > 0
    assert sum(run.count_declared("bad") for run in ground) < 0.8 * sum(run.count_declared("bad") for run in patient)


def test_where_slots_are_not_held_against_the_clock_a_grinder_is_nearly_always_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeds = range(20)
    assert count_proposed("timestamp_grinder", stages=1, seeds=seeds, rules=1) < 0.4 * len(seeds)
    allow_future_slots(monkeypatch)
    assert count_proposed("timestamp_grinder", stages=1, seeds=seeds, rules=1) > 0.8 * len(seeds)

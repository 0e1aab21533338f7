"""Adversaries that invent results for the employer, who cannot check them."""

from typing import Any

import pytest

from simulation.mechanisms.proof_of_training.formulas import deceive_employer_by_inventing
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.profit import bound
from tests.support.rights import can_invent, list_kinds

pytestmark = pytest.mark.many_runs

BLOCKS = 2
HEADERS_PER_SLOT = 0.5
STAKEHOLDERS = 3


def race(seed: int, rules: int, *, honest: int, bad: int, blocks: int = BLOCKS, **changes: Any) -> Observed:
    """Run the race of the studies: only the lottery for headers takes time, and whoever has the whole job has won."""
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=["fabricator"]))
    chain = {
        "rules": rules,
        "confidence": {"count": 3},
        "stakeholders": STAKEHOLDERS,
        "slot_ms": 1000.0,
        "declarations_per_slot": 1e6,
        "headers_per_slot": HEADERS_PER_SLOT,
        **changes,
    }
    return observe(
        make_raw(
            *crowd,
            seed=seed,
            job={"stages": blocks, "steps_per_stage": 1},
            protocol=chain,
            network={"latency": {"kind": "constant", "ms": 0.0}},
            virtual={"step_us": 1.0},
            run={"time_limit_s": 3000.0, "linger_s": 0.0},
        )
    )


def count_deceived(runs: list[Observed], blocks: int = BLOCKS) -> int:
    """Return in how many runs the employer took invented results, after a look at everybody else."""
    for run in runs:
        assert run.ended.broken is None
        assert run.ended.tally.count_poisoned_honest() == 0
        assert len(run.get_chain("employer")) == blocks
        assert set(run.count_refused("bad")) <= {"different-weights", "refused-parent"}
    return sum(run.ended.tally.count_poisoned_employer() > 0 for run in runs)


@pytest.mark.parametrize(("honest", "bad"), [(20, 4), (8, 4)])
def test_under_version_1_a_few_deceive_the_employer_in_most_races(honest: int, bad: int) -> None:
    runs = [race(seed, 1, honest=honest, bad=bad) for seed in range(10)]
    assert not any(item.who in run.get_members("bad") for run in runs for item in run.ended.find("trained"))
    assert count_deceived(runs) > len(runs) / 2
    assert sum(run.count_refused("bad")["different-weights"] for run in runs) > 0


@pytest.mark.parametrize(("honest", "bad", "blocks", "races"), [(7, 5, 2, 40), (6, 4, 4, 15)])
def test_under_version_2_they_deceive_it_whenever_rights_allow_it(
    honest: int, bad: int, blocks: int, races: int
) -> None:
    runs = [race(seed, 2, honest=honest, bad=bad, blocks=blocks) for seed in range(races)]
    for run in runs:
        is_possible = can_invent(list_kinds(run.ended.world, "bad", slots=500), blocks)
        assert (run.ended.tally.count_poisoned_employer() > 0) is is_possible
    expected = deceive_employer_by_inventing(
        bad, honest, stakeholders=STAKEHOLDERS, blocks=blocks, headers_per_slot=HEADERS_PER_SLOT, count=3
    )
    deceived = count_deceived(runs, blocks)
    assert deceived <= bound(expected, races) * races
    assert races - deceived <= bound(1 - expected, races) * races


@pytest.mark.parametrize("rules", [1, 2])
def test_a_minority_of_the_stake_invents_nothing_where_a_majority_has_to_declare(rules: int) -> None:
    runs = [race(seed, rules, honest=8, bad=4, confidence={"stake_share": 0.5}) for seed in range(3)]
    assert count_deceived(runs) == 0
    assert all(not run.count_refused("bad") for run in runs)


@pytest.mark.parametrize("rules", [1, 2])
def test_invented_blocks_that_the_inventors_own_chain_lacks_are_left_alone_by_other_behaviours(rules: int) -> None:
    behaviours = ["fabricator", {"kind": "sibling_staller", "versions": 5}]
    crowd = (population("honest", 5), population("bad", 3, "adversary", behaviours=behaviours))
    observed = observe(make_raw(*crowd, protocol={"rules": rules}, run={"time_limit_s": 40.0, "linger_s": 5.0}))
    assert observed.ended.tally.count_poisoned_employer() > 0
    assert observed.ended.broken is None

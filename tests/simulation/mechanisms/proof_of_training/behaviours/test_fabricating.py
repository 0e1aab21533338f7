"""Adversaries that invent results for the employer, who cannot check them."""

from typing import Any

import pytest

from tests.support.judgements import Observed, observe
from tests.support.memory_runs import make_raw, population
from tests.support.profit import bound
from tests.support.races import win_from_any_block, win_race

pytestmark = pytest.mark.many_runs

BLOCKS = 2
STAKEHOLDERS = 3


def race(seed: int, rules: int, *, honest: int, bad: int, **changes: Any) -> Observed:
    """Run the race of the studies: only the lottery for headers takes time, and whoever has the whole job has won."""
    crowd = (population("honest", honest), population("bad", bad, "adversary", behaviours=["fabricator"]))
    chain = {
        "rules": rules,
        "confidence": {"count": 3},
        "stakeholders": STAKEHOLDERS,
        "slot_ms": 1000.0,
        "declarations_per_slot": 1e6,
        "headers_per_slot": 0.5,
        **changes,
    }
    return observe(
        make_raw(
            *crowd,
            seed=seed,
            job={"stages": BLOCKS, "steps_per_stage": 1},
            protocol=chain,
            network={"latency": {"kind": "constant", "ms": 0.0}},
            virtual={"step_us": 1.0},
            run={"time_limit_s": 3000.0, "linger_s": 0.0},
        )
    )


def count_deceived(runs: list[Observed]) -> int:
    """Return in how many runs the employer took invented results, after a look at everybody else."""
    for run in runs:
        assert run.ended.broken is None
        assert run.ended.tally.count_poisoned_honest() == 0
        assert len(run.get_chain("employer")) == BLOCKS
        assert set(run.count_refused("bad")) <= {"different-weights", "refused-parent"}
        assert not [item for item in run.ended.find("trained") if item.who in run.get_members("bad")]
    return sum(run.ended.tally.count_poisoned_employer() > 0 for run in runs)


@pytest.mark.parametrize(("honest", "bad"), [(20, 4), (8, 4)])
def test_under_version_1_a_few_deceive_the_employer_in_most_races(honest: int, bad: int) -> None:
    runs = [race(seed, 1, honest=honest, bad=bad) for seed in range(10)]
    assert count_deceived(runs) > len(runs) / 2
    assert sum(run.count_refused("bad")["different-weights"] for run in runs) > 0


def find_share(honest: int, bad: int) -> float:
    """Return the share of the rights that are used in which members have all seats, where nobody can choose them."""

    def draw(owners: int) -> float:
        total, chosen = honest + bad, 1.0
        for index in range(STAKEHOLDERS):
            chosen *= max(0, owners - index) / (total - index)
        return owners / total * chosen

    return draw(bad) / (draw(bad) + draw(honest))


def test_under_version_2_they_deceive_it_no_more_often_than_the_closed_form() -> None:
    honest, bad, races = 7, 5, 60
    expected = win_from_any_block(BLOCKS, find_share(honest, bad))
    deceived = count_deceived([race(seed, 2, honest=honest, bad=bad) for seed in range(races)])
    assert 0 < deceived <= bound(expected, races) * races


def test_an_invented_end_of_a_chain_is_easier_than_a_whole_one() -> None:
    """What those who poison data race for is the whole job; who invents may begin at any block."""
    share = find_share(8, 4)
    assert win_from_any_block(1, share) == pytest.approx(win_race(1, share))
    assert win_from_any_block(2, share) == pytest.approx(1 - (1 - share) ** 2 * (1 + share))
    assert win_from_any_block(2, share) > 10 * win_race(2, share)


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

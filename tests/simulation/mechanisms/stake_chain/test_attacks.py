"""What is won by signing every branch, by choosing who leads, and by writing history anew; and what stops it."""

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from simulation.analysis.measures import compute_measures
from simulation.records.stake_facts import LedBlock
from tests.simulation.mechanisms.stake_chain.scenarios import make_raw
from tests.support.goodness import has_shares
from tests.support.memory_runs import Ended, simulate

pytestmark = pytest.mark.many_runs

NEAR = {"latency": {"kind": "constant", "ms": 20.0}}
FAR = {"latency": {"kind": "uniform", "ms": 10.0, "max_ms": 800.0}}
"""Blocks take longer than a slot, time and again, so that there are forks."""


def bad(count: int, stake: float, behaviour: Any, **more: Any) -> dict[str, Any]:
    behaviours = {"behaviours": [behaviour]} if behaviour is not None else {}
    return {
        "name": "bad",
        "role": "honest" if behaviour is None else "adversary",
        "count": count,
        "stake": stake,
        **behaviours,
        **more,
    }


def measure(ended: Ended) -> dict[str, Any]:
    return compute_measures(ended.tally, "stake_chain")


# ---- signing every branch ----


@cache
def fork(behaviour: str | None, *, slashing: bool) -> Ended:
    raw = make_raw(("honest", 5, 100.0), length=90, mechanism={"slashing": slashing}, network=FAR)
    raw["populations"].append(bad(5, 100.0, behaviour))
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.rejected_from["honest"].total() == 0
    return ended


def count_doubled(ended: Ended) -> int:
    """Return how many pairs of blocks of one slot and author were seen."""
    return len({(record.fields["first"], record.fields["second"]) for record in ended.find("used_twice")})


def test_without_slashing_nothing_at_stake_keeps_forks_alive() -> None:
    honest, signing = fork(None, slashing=False), fork("nothing_at_stake", slashing=False)
    assert count_doubled(honest) == 0
    assert count_doubled(signing) > 30
    assert signing.tally.count_forks() > 2 * honest.tally.count_forks()
    told, fair = measure(signing)["blocks"]["reorganisations"], measure(honest)["blocks"]["reorganisations"]
    assert told > 3 * fair
    assert all(node.height == 90 for node in signing.tally.nodes.values())


def test_with_slashing_who_signs_every_branch_loses_its_stake_and_forks_are_as_they_were() -> None:
    honest, signing = fork(None, slashing=False), fork("nothing_at_stake", slashing=True)
    accused = {name for part in get_chain(signing) if part.accused for name in part.accused.split()}
    assert accused == {f"bad-{index}" for index in range(5)}
    state = find_state(signing)
    labels = signing.world.get_labels()
    left = {labels[owner]: stake for owner, stake in ((o, state.stakes.get_stake(o)) for o in state.accounts) if stake}
    assert left == {f"honest-{index}": 100_000_000 for index in range(5)}
    assert state.burnt == 500_000_000
    assert signing.tally.count_forks() < 1.5 * honest.tally.count_forks()


def get_chain(ended: Ended) -> list[LedBlock]:
    """Return what the blocks of the honest chain say of themselves, lowest first."""
    names = ended.tally.get_chain(ended.tally.compute_agreement()[1].head)[::-1]
    parts = [ended.tally.blocks[name].part for name in names]
    return [part for part in parts if isinstance(part, LedBlock)]


def find_state(ended: Ended) -> Any:
    core: Any = ended.engine._parties["honest-0"].core
    return core.tree.head.state


# ---- choosing who leads ----

LENGTH, SHARE = 200, 0.2


@cache
def grind(drawn_by: str, contents: int) -> list[bool]:
    """Return of each block of the chain whether a grinder made it."""
    mechanism = {"drawn_by": drawn_by, "epoch_slots": 8}
    raw = make_raw(("honest", 8, 100.0), length=LENGTH, mechanism=mechanism, network=NEAR)
    raw["populations"].append(bad(2, 100.0, {"kind": "leader_grinder", "contents": contents}))
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.rejected.total() == 0
    return [part.leader.startswith("bad") for part in get_chain(ended)]


@pytest.mark.parametrize("contents", [1, 4])
def test_where_the_block_below_is_the_seed_grinders_follow_themselves(contents: int) -> None:
    """After a block of theirs with 1 - (1 - a)^k, after another one with a."""
    led = grind("parent_hash", contents)
    chance = 1 - (1 - SHARE) ** contents
    for is_after_own, wanted in ((True, chance), (False, SHARE)):
        next_ones = [later for earlier, later in pairwise(led) if earlier is is_after_own]
        found = sum(next_ones)
        assert has_shares([found, len(next_ones) - found], [wanted, 1 - wanted])


def test_with_many_tries_the_chain_is_theirs_and_with_secrets_it_is_not() -> None:
    naive, seeded = grind("parent_hash", 64), grind("reveals", 64)
    assert sum(naive) > 0.9 * LENGTH
    assert has_shares([sum(seeded), LENGTH - sum(seeded)], [SHARE, 1 - SHARE])


def test_with_secrets_a_grinder_can_only_be_silent_and_seldom_gains_by_it() -> None:
    raw = make_raw(("honest", 6, 100.0), length=200, seed=1, mechanism={"epoch_slots": 8}, network=NEAR)
    raw["populations"].append(bad(4, 100.0, "leader_grinder"))
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    told = measure(ended)
    assert 0 < told["stake"]["missed"] < 0.05
    found = round(told["proposed"]["bad"] * 200)
    assert has_shares([found, 200 - found], [0.4, 0.6])


# ---- writing history anew ----


@cache
def rewrite(final_depth: int | None) -> Ended:
    """Return a run in which founders have taken their coins back long before they show another chain."""
    back = [{"node": f"bad-{index}", "at_s": 5.0, "coins": 400.0} for index in range(4)]
    raw = make_raw(
        ("honest", 4, 10.0),
        length=100,
        mechanism={"epoch_slots": 8, "unbonding_blocks": 10, "final_depth": final_depth, "withdrawals": back},
        network={**NEAR, "outages": [{"node": "late-0", "down_s": 0.0, "up_s": 44.0, "disk": "lost"}]},
        users={"count": 2, "transactions": 0},
    )
    raw["populations"].append(bad(4, 400.0, {"kind": "long_range", "rewrites_at_s": 40.0}))
    raw["populations"].append({"name": "late", "role": "honest", "count": 1, "stake": 0.0})
    ended = simulate({**raw, "run": {"time_limit_s": 1e4, "linger_s": 30.0}})
    assert ended.broken is None
    return ended


def test_old_keys_make_a_longer_history_and_everybody_follows_it() -> None:
    ended = rewrite(None)
    heads = {node.head for node in ended.tally.nodes.values()}
    assert len(heads) == 1
    assert ended.tally.reorg_depth_max > 30
    parts = get_chain(ended)
    assert sum(part.leader.startswith("bad") for part in parts) > 30


def test_who_was_there_never_leaves_final_blocks_and_who_comes_late_is_deceived() -> None:
    """What would help it is the name of a recent block, from somebody it trusts; nothing in a chain does."""
    ended = rewrite(10)
    nodes = ended.tally.nodes
    present = {nodes[f"honest-{index}"].head for index in range(4)}
    assert present == {ended.tally.employer.head}
    assert nodes["late-0"].head not in present
    assert ended.tally.reorg_depth_max <= 10
    deceived = [ended.tally.blocks[name].part for name in ended.tally.get_chain(nodes["late-0"].head)]
    assert all(isinstance(part, LedBlock) and part.leader.startswith("bad") for part in deceived)


# ---- shares ----


def test_a_run_shares_its_blocks_by_stake() -> None:
    stakes = {"small": (2, 100.0), "middle": (2, 200.0), "large": (1, 400.0)}
    raw = make_raw(*((name, *sizes) for name, sizes in stakes.items()), length=400, network=NEAR)
    ended = simulate(raw)
    assert (ended.reason, ended.broken) == ("complete", None)
    assert ended.tally.count_forks() == 0  # blocks are there before the next slot
    proposed = measure(ended)["proposed"]
    found = [round(proposed[name] * 400) for name in stakes]
    assert sum(found) == 400
    assert has_shares(found, [count * coins for count, coins in stakes.values()])
    assert not has_shares(found, [float(count) for count, _ in stakes.values()])

"""Behaviours that are not about training make sense under any mechanism, and change nothing that they must not."""

from collections import Counter
from typing import Any

import pytest

from simulation.attacks.catalogue import NEUTRAL
from tests.simulation.mechanisms.proof_of_work.scenarios import make_raw
from tests.support.judgements import Observed, observe
from tests.support.memory_runs import simulate

pytestmark = pytest.mark.many_runs

LENGTH, TRANSFERS = 12, 12
HONEST = 4
TOLD: dict[str, dict[str, object]] = {
    "flooder": {"rate": 5},
    "request_flooder": {"requests": 20},
    "pool_filler": {"accounts": 2},
    "private_chain": {"release_s": 5.0},
}
"""Keys of those that take some."""


def attack(kind: str, **changes: Any) -> Observed:
    """Run four honest miners and one that behaves in some way."""
    raw = make_raw(
        ("honest", HONEST, 1.0),
        length=LENGTH,
        users={"count": 3, "transactions": TRANSFERS, "per_second": 10.0, "fee": 1.0},
        network={"latency": {"kind": "uniform", "ms": 5.0, "max_ms": 40.0}},
        **changes,
    )
    told = {"kind": kind, **TOLD.get(kind, {})}
    raw["populations"].append({"name": "bad", "role": "adversary", "count": 1, "stake": 0.0, "behaviours": [told]})
    return observe(raw)


EXPECTED = {
    "silent": Counter[str](),
    "garbage": {"malformed", "bad-signature", "oversized"},
    "forger": {"bad-signature"},
    "replayer": Counter[str](),
    "flooder": {"bad-work"},
    "request_flooder": Counter[str](),
    "pool_filler": Counter[str](),
    "half_framer": Counter[str](),
    "censor": Counter[str](),
    "double_spender": Counter[str](),
    "partitioner": Counter[str](),
    "private_chain": Counter[str](),
}
"""Why honest nodes refuse what comes from each."""


def test_every_neutral_behaviour_is_tried() -> None:
    assert [item.kind for item in NEUTRAL if item.mechanism is not None] == []
    assert set(EXPECTED) == {item.kind for item in NEUTRAL}


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_chain_by_work_goes_on_and_nobody_else_is_blamed(kind: str) -> None:
    observed = attack(kind)
    observed.assert_unharmed()
    assert set(observed.count_refused("bad")) == set(EXPECTED[kind])
    assert observed.count_refused_elsewhere("bad") == Counter()
    assert count_users_transfers(observed) == TRANSFERS
    said = {record.fields["kind"] for record in observed.ended.find("sent", "bad-0")}
    assert bool(said) is (kind != "silent")


OTHERS = {name: {"name": name, "length": LENGTH} for name in ("stake_chain", "stake_bft", "proof_of_activity")}
REFUSED = {"flooder", "forger", "garbage"}


@pytest.mark.parametrize("kind", ["censor", *sorted(REFUSED)])
@pytest.mark.parametrize("name", OTHERS)
def test_so_does_any_other_chain(name: str, kind: str) -> None:
    raw = {**make_raw(("honest", 6, 1.0)), "mechanism": OTHERS[name]}
    told = {"kind": kind, **TOLD.get(kind, {})}
    raw["populations"].append({"name": "bad", "role": "adversary", "count": 1, "behaviours": [told]})
    for item in raw["populations"]:
        item["stake"] = 100.0
    observed = observe(raw)
    observed.assert_unharmed()
    assert observed.count_refused_elsewhere("bad") == Counter()
    assert (observed.count_refused("bad").total() > 0) is (kind in REFUSED)


def count_users_transfers(observed: Observed) -> int:
    """Return how many transfers of users are in the chain of an honest node."""
    blocks: list[Any] = list(observed.get_chain())
    return sum(observed.name(item.author).startswith("user") for block in blocks for item in block.transactions)


def test_a_censor_leaves_transfers_to_others() -> None:
    observed = attack("censor")
    blocks: list[Any] = list(observed.get_chain())
    carried = Counter(dict.fromkeys(("bad", "honest"), 0))
    for block in blocks:
        carried[observed.name(block.author).split("-")[0]] += len(block.transactions)
    assert (carried["bad"], carried["honest"]) == (0, TRANSFERS)
    assert "bad-0" in {observed.name(block.author) for block in blocks}


def test_an_owner_that_speaks_as_many_nodes_has_no_more_power() -> None:
    raw = make_raw(("honest", HONEST, 1.0), length=60)
    raw["populations"].append({"name": "sybil", "role": "adversary", "count": 1, "identities": 8, "stake": 0.0})
    raw["populations"][-1]["behaviours"] = ["censor"]
    observed = observe(raw)
    observed.assert_unharmed()
    tries = observed.ended.tally.work.tries
    power = sum(tries[label] for label in observed.get_members("sybil")) / tries.total()
    assert power == pytest.approx(1 / (HONEST + 1), rel=0.02)


CUTS = {
    "eclipses": {"start_s": 0.0, "heal_s": 6.0, "victims": ["honest-0"], "by": ["honest-1"]},
    "partitions": {"start_s": 1.0, "heal_s": 6.0, "groups": [["honest-0"], ["honest-1", "honest-2", "honest-3"]]},
}


@pytest.mark.parametrize("cut", CUTS)
def test_who_was_cut_off_catches_up(cut: str) -> None:
    ended = simulate(make_raw(("honest", HONEST, 1.0), length=LENGTH, network={cut: [CUTS[cut]]}))
    ended.assert_agreed()
    assert ended.tally.rejected.total() == 0
    assert (ended.tally.reorg_depth_max > 1) is (cut == "partitions")

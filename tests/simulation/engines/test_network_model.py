"""The network model: what a link does to a frame, with fixed seeds."""

import math
from itertools import pairwise, permutations
from statistics import median, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engines.network_model import NetworkModel
from tests.support.memory_runs import make_raw, make_world, population

MS = 1_000_000
SECOND = 1_000 * MS
MANY = 20_000
EVERYBODY = ("east-0", "east-1", "east-2", "west-0", "west-1", "employer", "users")

Plan = tuple[int, ...]


def build(seed: int = 7, **network: Any) -> NetworkModel:
    """Return the links of three nodes in the east and two in the west."""
    network.setdefault("latency", {"kind": "constant", "ms": 10.0})
    raw = make_raw(population("east", 3), population("west", 2), seed=seed)
    return NetworkModel(make_world({**raw, "network": network}))


def send(model: NetworkModel, count: int, source: str = "east-0", target: str = "west-0", now: int = 0) -> list[Plan]:
    return [model.plan(source, target, 1_000, now) for _ in range(count)]


def delays(model: NetworkModel, count: int = MANY, now: int = 3 * SECOND) -> list[int]:
    """Return how long single frames are under way that are never lost."""
    return [arrivals[0] - now for arrivals in send(model, count, now=now)]


# ---- latency ----


@pytest.mark.parametrize("ms", [0.0, 0.25, 40.0])
def test_a_constant_latency_is_always_the_same(ms: float) -> None:
    assert set(delays(build(latency={"kind": "constant", "ms": ms}), 50)) == {round(ms * MS)}


def test_a_uniform_latency_fills_its_range_evenly() -> None:
    found = sorted(delays(build(latency={"kind": "uniform", "ms": 20.0, "max_ms": 120.0})))
    assert 20 * MS <= found[0] < 20.1 * MS
    assert 119.9 * MS < found[-1] <= 120 * MS
    for share in (0.25, 0.5, 0.75):
        assert found[int(share * MANY)] == pytest.approx((20 + 100 * share) * MS, rel=0.02)


def test_a_lognormal_latency_has_its_median_and_its_spread() -> None:
    found = delays(build(latency={"kind": "lognormal", "ms": 50.0, "sigma": 0.8}))
    assert median(found) == pytest.approx(50 * MS, rel=0.03)
    assert pstdev(math.log(delay) for delay in found) == pytest.approx(0.8, rel=0.02)
    assert set(delays(build(latency={"kind": "lognormal", "ms": 50.0, "sigma": 0.0}), 50)) == {50 * MS}


def test_regions_take_their_own_matrix_in_each_direction() -> None:
    regions = {"regions": [["east", "employer"], ["west-1"]], "matrix_ms": [[1.0, 80.0], [90.0, 2.0]]}
    model = build(latency={"kind": "regions", "ms": 300.0, **regions})
    expected = {
        ("east-0", "east-2"): 1,
        ("east-0", "employer"): 1,
        ("east-1", "west-1"): 80,
        ("employer", "west-1"): 80,
        ("west-1", "east-1"): 90,
        ("west-1", "east-2"): 90,
        ("west-0", "east-0"): 300,
        ("east-0", "west-0"): 300,
        ("users", "west-1"): 300,
    }
    found = {(source, target): model.plan(source, target, 1_000, SECOND) for source, target in expected}
    assert found == {pair: (SECOND + ms * MS,) for pair, ms in expected.items()}


LATENCIES = st.one_of(
    st.builds(lambda ms: {"kind": "constant", "ms": ms}, st.floats(0, 1e4)),
    st.builds(lambda ms, more: {"kind": "uniform", "ms": ms, "max_ms": ms + more}, st.floats(0, 1e4), st.floats(0, 99)),
    st.builds(
        lambda ms, sigma: {"kind": "lognormal", "ms": ms, "sigma": sigma}, st.floats(0.001, 1e4), st.floats(0, 5)
    ),
    st.builds(
        lambda ms, cells: {
            "kind": "regions",
            "ms": ms,
            "regions": [["east"], ["west-0"]],
            "matrix_ms": [cells[:2], cells[2:]],
        },
        st.floats(0, 1e4),
        st.lists(st.floats(0, 1e4), min_size=4, max_size=4),
    ),
)


@given(LATENCIES, st.booleans(), st.integers(0, 99))
def test_no_frame_arrives_sooner_than_the_bound_says(latency: dict[str, Any], is_faulty: bool, seed: int) -> None:
    faults = {"duplication": 0.5, "reordering": 0.5, "bandwidth_mbps": 50.0} if is_faulty else {}
    model = build(seed, latency=latency, **faults)
    for source, target in permutations(EVERYBODY[:5], 2):
        for arrivals in send(model, 2, source, target, now=SECOND):
            assert min(arrivals) >= SECOND + model.least_ns >= SECOND


@pytest.mark.parametrize(
    ("latency", "least"),
    [
        ({"kind": "constant", "ms": 30.0}, 30),
        ({"kind": "uniform", "ms": 20.0, "max_ms": 60.0}, 20),
        ({"kind": "regions", "ms": 9.0, "regions": [["east"]], "matrix_ms": [[3.0]]}, 3),
    ],
)
def test_the_bound_is_not_lower_than_it_must_be(latency: dict[str, Any], least: int) -> None:
    assert build(latency=latency).least_ns == least * MS


# ---- loss, duplication, reordering ----


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.9])
def test_the_share_of_lost_frames_is_the_one_asked_for(share: float) -> None:
    lost = sum(not arrivals for arrivals in send(build(loss=share), MANY))
    assert lost / MANY == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_frames_that_arrive_twice_is_the_one_asked_for(share: float) -> None:
    copies = [len(arrivals) for arrivals in send(build(duplication=share), MANY)]
    assert set(copies) <= {1, 2}
    assert copies.count(2) / MANY == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_delayed_frames_is_the_one_asked_for_and_the_delay_is_even(share: float) -> None:
    found = delays(build(reordering=share, reordering_ms=200.0))
    further = sorted(delay - 10 * MS for delay in found if delay > 10 * MS)
    assert min(found) >= 10 * MS
    assert len(further) / MANY == pytest.approx(share, abs=0.01)
    if further:
        assert 195 * MS < further[-1] <= 200 * MS
        assert median(further) == pytest.approx(100 * MS, rel=0.03)


def test_faults_strike_independently_of_each_other() -> None:
    plans = send(build(loss=0.2, duplication=0.2, reordering=0.2), MANY)
    arrived = [arrivals for arrivals in plans if arrivals]
    assert len(arrived) / MANY == pytest.approx(0.8, abs=0.01)
    assert sum(len(arrivals) == 2 for arrivals in arrived) / len(arrived) == pytest.approx(0.2, abs=0.01)
    copies = [at for arrivals in arrived for at in arrivals]
    assert sum(at > 10 * MS for at in copies) / len(copies) == pytest.approx(0.2, abs=0.01)


# ---- luck ----

UNLUCKY: dict[str, Any] = {
    "latency": {"kind": "lognormal", "ms": 50.0},
    "loss": 0.2,
    "duplication": 0.2,
    "reordering": 0.2,
}


def test_what_one_party_sends_does_not_shift_the_luck_of_another() -> None:
    alone = send(build(**UNLUCKY), 200)
    model, among = build(**UNLUCKY), list[Plan]()
    for number in range(200):
        for other in EVERYBODY[1:]:
            send(model, number % 3, other, "east-0", now=number)
        among += send(model, 1)
    assert among == alone


def test_luck_follows_the_seed_and_the_sender() -> None:
    assert send(build(1, **UNLUCKY), 50) == send(build(1, **UNLUCKY), 50)
    assert send(build(1, **UNLUCKY), 50) != send(build(2, **UNLUCKY), 50)
    assert send(build(**UNLUCKY), 50, "east-0") != send(build(**UNLUCKY), 50, "east-1")


# ---- bandwidth ----


def test_a_link_sends_one_frame_after_the_other() -> None:
    model = build(bandwidth_mbps=8.0)  # a byte takes a microsecond
    arrivals = [model.plan("east-0", "west-0", size, SECOND)[0] - SECOND - 10 * MS for size in (1_000, 500, 2_000)]
    assert arrivals == [1 * MS, 1.5 * MS, 3.5 * MS]
    assert model.plan("east-0", "west-1", 1_000, SECOND) == (SECOND + 11 * MS,)
    assert model.plan("west-0", "east-0", 1_000, SECOND) == (SECOND + 11 * MS,)
    assert model.plan("east-0", "west-0", 1_000, SECOND + 2 * MS) == (SECOND + 14.5 * MS,)
    assert model.plan("east-0", "west-0", 1_000, SECOND + 9 * MS) == (SECOND + 20 * MS,)


@given(st.lists(st.tuples(st.integers(0, 5 * MS), st.integers(1, 5_000)), min_size=2, max_size=20))
def test_on_a_link_frames_leave_in_order_and_never_two_at_a_time(frames: list[tuple[int, int]]) -> None:
    model, now, left = build(bandwidth_mbps=8.0), 0, list[tuple[int, int]]()
    for pause, size in frames:
        now += pause
        left.append((model.plan("east-0", "west-0", size, now)[0] - 10 * MS, size))
        assert left[-1][0] >= now + size * 1_000
    assert all(done + size * 1_000 <= later for (done, _), (later, size) in pairwise(left))


def test_without_a_limit_size_does_not_matter() -> None:
    model = build(loss=0.01)
    assert {model.plan("east-0", "west-0", size, 0) for size in (1, 10**6) for _ in range(50)} <= {(10 * MS,), ()}


# ---- partitions and eclipses ----


def find_cut(model: NetworkModel, now: int) -> set[tuple[str, str]]:
    """Return the pairs, by sender and receiver, that cannot reach each other."""
    return {pair for pair in permutations(EVERYBODY, 2) if not model.plan(*pair, 100, now)}


def between(first: tuple[str, ...], second: tuple[str, ...]) -> set[tuple[str, str]]:
    return {pair for a in first for b in second for pair in ((a, b), (b, a))}


EAST = ("east-0", "east-1", "east-2")
WEST = ("west-0", "west-1")

CUTS: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"partitions": [{"groups": [["east"], ["west"]]}]}, between(EAST, WEST)),
    ({"partitions": [{"groups": [["east-0"], ["west-1", "employer"]]}]}, between(("east-0",), ("west-1", "employer"))),
    (
        {"partitions": [{"groups": [["east-0"], ["east-1"], ["users"]]}]},
        between(("east-0",), ("east-1", "users")) | between(("east-1",), ("users",)),
    ),
    (
        {"eclipses": [{"victims": ["east-0"], "by": ["west"]}]},
        between(("east-0",), ("east-1", "east-2", "employer", "users")),
    ),
    (
        {"eclipses": [{"victims": ["east-0", "west-0"], "by": ["east-1"]}]},
        between(("east-0",), ("west-0",)) | between(("east-0", "west-0"), ("east-2", "west-1", "employer", "users")),
    ),
    (
        {"eclipses": [{"victims": ["west"], "by": ["east", "employer", "users"]}]},
        between(("west-0",), ("west-1",)),
    ),
    ({"eclipses": [{"victims": ["employer"], "by": ["east", "west-0"]}]}, between(("employer",), ("west-1", "users"))),
    (
        {
            "partitions": [{"groups": [["east-0"], ["east-1"]]}],
            "eclipses": [{"victims": ["west-0"], "by": ["west-1", "east", "users"]}],
        },
        between(("east-0",), ("east-1",)) | between(("west-0",), ("employer",)),
    ),
]


@pytest.mark.parametrize(("cuts", "expected"), CUTS)
def test_exactly_the_named_pairs_are_cut_from_the_start_until_it_heals(
    cuts: dict[str, list[dict[str, Any]]], expected: set[tuple[str, str]]
) -> None:
    timed: dict[str, Any] = {
        kind: [{"start_s": 2.5, "heal_s": 4.0, **cut} for cut in items] for kind, items in cuts.items()
    }
    model = build(**timed)
    for now in (0, int(2.5 * SECOND) - 1, 4 * SECOND, 99 * SECOND):
        assert find_cut(model, now) == set()
    for now in (int(2.5 * SECOND), 3 * SECOND, 4 * SECOND - 1):
        assert find_cut(model, now) == expected


def test_what_is_cut_off_takes_no_time_of_the_link_when_it_heals() -> None:
    cut = {"start_s": 0.0, "heal_s": 1.0, "groups": [["east"], ["west"]]}
    model = build(bandwidth_mbps=8.0, partitions=[cut])
    assert send(model, 5, now=SECOND - 1) == [()] * 5
    assert model.plan("east-0", "west-0", 1_000, SECOND) == (SECOND + 11 * MS,)

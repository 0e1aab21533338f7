"""Random scenarios in virtual time: drawn from seeds, run with made-up training, judged by the invariants.

A seed that breaks something breaks it again: `python main.py soak --first SEED --count 1`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from msgspec.structs import asdict

from simulation.analysis import estimate_patience_s, find_promises, must_progress
from simulation.attacks import load_catalogue
from simulation.commands.checks.seed_pool import run_shares
from simulation.engines import PartyError
from simulation.foundation import derive_seed
from simulation.runs import MemoryRun
from simulation.scenario import ROLES, BehaviourSection, Scenario

FAULTS_END_S: Final = 40.0
"""Simulated seconds after which a drawn scenario has no more faults."""

LINGER_S: Final = 300.0
"""Simulated seconds that honest nodes get to agree: over lossy links catching up takes several announcements."""

BLOCKED_JOBS: Final = 4
"""For how many times the length of its job a scenario runs that may rightly stand still for ever."""

LONG_SHARE: Final = 0.03
"""Share of drawn scenarios that are long enough for blocks to become final."""

MOST_AT_ONCE: Final = 50
"""Seeds that a process is handed at once."""

ADVERSARY_SHARE: Final = 0.5
"""Share of drawn scenarios in which adversaries take part, besides those of roles."""

STRATEGIC_SHARE: Final = 0.5
"""Share of drawn scenarios with a coalition besides that uses what the rules leave to its choice."""


@dataclass(frozen=True, slots=True)
class SoakResult:
    """What one seed came to."""

    seed: int
    fault: str | None
    """The broken invariant or the failure, in words."""
    reason: str
    """How the run ended."""
    events: int


def draw_scenario(seed: int) -> dict[str, Any]:
    """Return the raw scenario of a seed: populations, stakes, rules, links and faults."""
    rng = Random(derive_seed(seed, "soak"))  # noqa: S311 - a simulation's own draws
    honest = rng.randint(3, 7)
    populations: list[dict[str, Any]] = [
        {"name": "honest", "role": "honest", "count": honest, "stake": rng.choice([1.0, 10.0, 1000.0])}
    ]
    for role in ("data_injection", *ROLES):
        if rng.random() < 0.4:
            item = {"name": role, "role": role, "count": rng.randint(1, 3), "stake": rng.choice([0.0, 1.0, 10.0])}
            populations.append(item if role != "data_injection" else {**item, "colluding": rng.random() < 0.5})
    populations += [*_draw_adversaries(seed), *_draw_strategists(seed)]
    nodes = sum(item["count"] for item in populations)
    bonded = sum(item["count"] for item in populations if item["stake"])
    stages = rng.randint(7, 9) if rng.random() < LONG_SHARE else rng.randint(1, 3)
    confidence = rng.choice([{"count": rng.randint(1, min(3, honest))}, {"stake_share": rng.choice([0.3, 0.5])}])
    raw = {
        "name": "soak",
        "description": f"drawn from seed {seed}",
        "seed": seed,
        "engine": "virtual",
        "job": {"steps_per_stage": rng.choice([1, 100, 1000]), "stages": stages},
        "protocol": {
            "confidence": confidence,
            "stakeholders": rng.randint(1, min(3, bonded)),
            "rules": _draw_rules(seed),
            "slot_ms": rng.choice([100.0, 500.0]),
            "declarations_per_slot": rng.choice([2.0, 5.0]),
            "headers_per_slot": rng.choice([0.5, 1.0]),
        },
        "populations": populations,
        "users": {"count": 3, "transactions": rng.choice([0, 5]), "per_second": 5.0},
        "network": _join(_draw_network(rng, nodes, honest), populations),
        "virtual": {"trainer": "fake"},
        "run": {"linger_s": LINGER_S},
        "output": {"pictures": False},
    }
    scenario = Scenario.model_validate(raw)
    chain_s = find_promises(scenario).estimate_chain_s(scenario) or 0.0
    needed_s = estimate_patience_s(scenario) if must_progress(scenario) else BLOCKED_JOBS * chain_s
    return {**raw, "run": {"linger_s": LINGER_S, "time_limit_s": FAULTS_END_S + needed_s + 1}}


def _draw_rules(seed: int) -> int:
    """Return a version of the rules; its draw is its own, so that it shifts no others."""
    return Random(derive_seed(seed, "soak", "rules")).choice([1, 2])  # noqa: S311 - a simulation's own draws


def _draw_adversaries(seed: int) -> list[dict[str, Any]]:
    """Return a population of adversaries, or none; its draws are its own, so that they shift no others."""
    rng = Random(derive_seed(seed, "soak", "adversary"))  # noqa: S311 - a simulation's own draws
    if rng.random() >= ADVERSARY_SHARE:
        return []
    behaviours = _leave_out_doubles(rng.sample(list_drawn(), rng.randint(1, 3)))
    item = {"name": "adversary", "role": "adversary", "count": rng.randint(1, 2), "stake": rng.choice([1.0, 10.0])}
    poison = {"poison": {"kind": "label_noise"}} if rng.random() < 0.15 else {}
    return [{**item, **poison, "behaviours": behaviours}]


def _leave_out_doubles(behaviours: list[Any]) -> list[Any]:
    """Return those that one node can have together: of two that are drawn in different ways, the last."""
    return list({BehaviourSection.model_validate(raw).identity: raw for raw in behaviours}.values())


def _draw_strategists(seed: int) -> list[dict[str, Any]]:
    """Return a coalition with a behaviour that chooses, or none; its draws are its own as well."""
    rng = Random(derive_seed(seed, "soak", "strategist"))  # noqa: S311 - a simulation's own draws
    if rng.random() >= STRATEGIC_SHARE:
        return []
    behaviour = rng.choice(list_drawn(is_strategic=True))
    item = {"name": "strategist", "role": "adversary", "count": rng.randint(1, 3), "stake": rng.choice([1.0, 10.0])}
    return [{**item, "behaviours": [behaviour]}]


def list_drawn(*, is_strategic: bool = False) -> list[Any]:
    """Return what drawn adversaries do, as a scenario says it; roles are drawn by themselves.

    Args:
        is_strategic: Whether only those count that use what the rules leave to choose.
    """
    kinds = {kind: cls for kind, cls in load_catalogue().items() if cls.traits.is_strategic or not is_strategic}
    drawn = [(kind, item) for kind, cls in kinds.items() if kind not in ROLES for item in cls.drawn]
    return [{"kind": kind, **given} if (given := asdict(item)) else kind for kind, item in drawn]


def _join(network: dict[str, Any], populations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a network in which members of a coalition that talk to each other are linked."""
    behaviours = [BehaviourSection.model_validate(raw) for item in populations for raw in item.get("behaviours", ())]
    is_linked = any(item.behaviour.traits.needs_links for item in behaviours)
    return {**network, "topology": "full_mesh"} if is_linked else network


def _draw_network(rng: Random, nodes: int, honest: int) -> dict[str, Any]:
    network: dict[str, Any] = {"topology": rng.choice(["full_mesh", "full_mesh", "ring", "small_world"]), "degree": 2}
    if nodes <= 3:
        network["topology"] = "full_mesh"
    network["latency"] = rng.choice(
        [
            {"kind": "constant", "ms": rng.choice([0.0, 50.0])},
            {"kind": "uniform", "ms": 10.0, "max_ms": 200.0},
            {"kind": "lognormal", "ms": 50.0, "sigma": 0.8},
        ]
    )
    for key, values in (("loss", [0.0, 0.0, 0.05, 0.2]), ("duplication", [0.0, 0.2]), ("reordering", [0.0, 0.3])):
        network[key] = rng.choice(values)
    if rng.random() < 0.3:
        cut = rng.randint(1, honest - 1)
        groups = [[f"honest-{index}" for index in range(cut)], [f"honest-{index}" for index in range(cut, honest)]]
        start = rng.uniform(0, 10)
        network["partitions"] = [{"start_s": start, "heal_s": rng.uniform(start + 1, FAULTS_END_S), "groups": groups}]
    if rng.random() < 0.2:
        start = rng.uniform(0, 10)
        eclipse = {"victims": ["honest-0"], "by": [f"honest-{rng.randint(1, honest - 1)}"]}
        network["eclipses"] = [{"start_s": start, "heal_s": rng.uniform(start + 1, FAULTS_END_S), **eclipse}]
    if rng.random() < 0.2:
        network["bandwidth_mbps"] = rng.choice([1.0, 10.0])
    if rng.random() < 0.3:
        down = rng.choice([0.0, rng.uniform(0.1, 10)])
        disk = rng.choice(["kept", "lost"])
        node = f"honest-{rng.randrange(honest)}"
        up = rng.uniform(down + 1, FAULTS_END_S)
        network["outages"] = [{"node": node, "down_s": down, "up_s": up, "disk": disk}]
    return network


def run_raw(raw: dict[str, Any]) -> SoakResult:
    """Run a raw scenario in memory and judge it."""
    scenario = Scenario.model_validate(raw)
    run = MemoryRun(scenario)
    try:
        result = run.run()
    except PartyError as error:
        return SoakResult(scenario.seed, str(error), "failed", error.events)
    return SoakResult(scenario.seed, run.find_fault(result), result.reason, result.events)


def shrink(raw: dict[str, Any], is_broken: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a simpler scenario that is still broken: parts are left out one after the other while it stays so."""
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _simplify(raw):
            if is_broken(candidate):
                raw, is_smaller = candidate, True
                break
    return raw


def _simplify(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index in range(len(raw["populations"]) - 1, 0, -1):
        yield {**raw, "populations": raw["populations"][:index] + raw["populations"][index + 1 :]}
    network = raw["network"]
    for key in ("partitions", "eclipses", "outages", "bandwidth_mbps", "loss", "duplication", "reordering"):
        if network.get(key):
            yield {**raw, "network": {name: value for name, value in network.items() if name != key}}
    if network["topology"] != "full_mesh":
        yield {**raw, "network": {**network, "topology": "full_mesh"}}
    if raw["users"]["transactions"]:
        yield {**raw, "users": {**raw["users"], "transactions": 0}}
    if raw["job"]["stages"] > 1:
        yield {**raw, "job": {**raw["job"], "stages": raw["job"]["stages"] - 1}}


def is_broken(raw: dict[str, Any]) -> bool:
    """Return whether a raw scenario can be run and breaks something."""
    try:
        return run_raw(raw).fault is not None
    except ValueError:
        return False  # what was left out made it impossible


def run_seed(seed: int) -> SoakResult:
    """Run the scenario of a seed."""
    return run_raw(draw_scenario(seed))


def run_seeds(first: int, count: int, jobs: int) -> Iterator[SoakResult]:
    """Run the scenarios of consecutive seeds, in several processes; yield results as they come."""
    return run_shares(run_seed, range(first, first + count), jobs, most_at_once=MOST_AT_ONCE)


def describe_failure(result: SoakResult) -> str:
    """Return what a seed broke, how to see it again, and the simplest scenario that still breaks."""
    simplest = shrink(draw_scenario(result.seed), is_broken)
    return (
        f"seed {result.seed}: {result.fault}\n"
        f"again: python main.py soak --first {result.seed} --count 1 --jobs 1\n"
        f"simplest: {json.dumps(simplest)}"
    )

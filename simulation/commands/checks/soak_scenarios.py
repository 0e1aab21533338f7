"""Random scenarios: populations, stakes, rules, links and faults, all drawn from a seed."""

from random import Random
from typing import Any, Final

from msgspec.structs import asdict

from simulation.analysis import estimate_patience_s, find_promises, must_progress
from simulation.attacks import load_catalogue
from simulation.commands.checks.mechanism_choice import draw_mechanism
from simulation.commands.checks.soak_draws import SoakDraws, find_draws
from simulation.foundation import derive_random
from simulation.scenario import ROLES, BehaviourSection, Scenario

FAULTS_END_S: Final = 40.0
"""Simulated seconds after which a drawn scenario has no more faults."""

LINGER_S: Final = 300.0
"""Simulated seconds that honest nodes get to agree: over lossy links catching up takes several announcements."""

BLOCKED_JOBS: Final = 4
"""For how many times the length of its job a scenario runs that may rightly stand still for ever."""

UNPROMISED_S: Final = 300.0
"""For how many simulated seconds a scenario runs whose mechanism promises no time."""

ADVERSARY_SHARE: Final = 0.5
"""Share of drawn scenarios in which adversaries take part, besides those of roles."""

STRATEGIC_SHARE: Final = 0.5
"""Share of drawn scenarios with a coalition besides that uses what the rules leave to its choice."""


def draw_scenario(seed: int, mechanism: str | None = None) -> dict[str, Any]:
    """Return the raw scenario of a seed: populations, stakes, rules, links and faults.

    Args:
        seed: What everything is drawn from.
        mechanism: How blocks are agreed on; None to draw that too.
    """
    mechanism = mechanism or draw_mechanism(seed, "soak")
    draws = find_draws(mechanism, seed)
    rng = derive_random(seed, "soak")
    honest = rng.randint(3, 7)
    populations: list[dict[str, Any]] = [
        {"name": "honest", "role": "honest", "count": honest, "stake": rng.choice([1.0, 10.0, 1000.0])}
    ]
    for role in draws.roles:
        if rng.random() < 0.4:
            item = {"name": role, "role": role, "count": rng.randint(1, 3), "stake": rng.choice([0.0, 1.0, 10.0])}
            populations.append(item if role != "data_injection" else {**item, "colluding": rng.random() < 0.5})
    populations += [*_draw_adversaries(draws), *_draw_strategists(draws)]
    populations = [draws.draw_population(rng, item) for item in populations]
    raw = {
        "name": "soak",
        "description": f"drawn from seed {seed}",
        "seed": seed,
        "engine": "virtual",
        **draws.draw_sections(rng, populations),
        "populations": populations,
        "ledger": {"stamp_bits": _draw_stamps(seed)},
        "users": {"count": 3, "transactions": rng.choice([0, 5]), "per_second": 5.0},
        "network": _join(_draw_network(rng, sum(item["count"] for item in populations), honest), populations),
        "virtual": {"trainer": "fake"},
        "run": {"linger_s": LINGER_S},
        "output": {"pictures": False},
    }
    return {**raw, "run": {"linger_s": LINGER_S, "time_limit_s": FAULTS_END_S + _measure_time(raw) + 1}}


def _draw_stamps(seed: int) -> int:
    """Return how many bits the stamp of a transfer shows; its draw is its own, so that it shifts no others."""
    return derive_random(seed, "soak", "stamps").choice([0, 0, 0, 4])


def _measure_time(raw: dict[str, Any]) -> float:
    """Return the seconds that a scenario is given once all its faults have healed."""
    scenario = Scenario.model_validate(raw)
    chain_s = find_promises(scenario).estimate_chain_s(scenario)
    if chain_s is None:
        return UNPROMISED_S
    return estimate_patience_s(scenario) if must_progress(scenario) else BLOCKED_JOBS * chain_s


def _draw_adversaries(draws: SoakDraws) -> list[dict[str, Any]]:
    """Return a population of adversaries, or none; its draws are its own, so that they shift no others."""
    rng = derive_random(draws.seed, "soak", "adversary")
    if rng.random() >= ADVERSARY_SHARE:
        return []
    behaviours = _leave_out_doubles(rng.sample(list_drawn(draws.mechanism), rng.randint(1, 3)))
    item = {"name": "adversary", "role": "adversary", "count": rng.randint(1, 2), "stake": rng.choice([1.0, 10.0])}
    poison = {"poison": {"kind": "label_noise"}} if rng.random() < 0.15 and draws.takes_poison else {}
    return [{**item, **poison, "behaviours": behaviours}]


def _leave_out_doubles(behaviours: list[Any]) -> list[Any]:
    """Return those that one node can have together: of two that are drawn in different ways, the last."""
    return list({BehaviourSection.model_validate(raw).identity: raw for raw in behaviours}.values())


def _draw_strategists(draws: SoakDraws) -> list[dict[str, Any]]:
    """Return a coalition with a behaviour that chooses, or none; its draws are its own as well."""
    rng = derive_random(draws.seed, "soak", "strategist")
    if rng.random() >= STRATEGIC_SHARE:
        return []
    behaviour = rng.choice(list_drawn(draws.mechanism, is_strategic=True))
    item = {"name": "strategist", "role": "adversary", "count": rng.randint(1, 3), "stake": rng.choice([1.0, 10.0])}
    return [{**item, "behaviours": [behaviour]}]


def list_drawn(mechanism: str, *, is_strategic: bool = False) -> list[Any]:
    """Return what drawn adversaries do, as a scenario says it; roles are drawn by themselves.

    Args:
        mechanism: How blocks are agreed on: what makes no sense then is left out.
        is_strategic: Whether only those count that use what the rules leave to choose.
    """
    kinds = {kind: cls for kind, cls in load_catalogue().items() if cls.mechanism in (None, mechanism)}
    chosen = {kind: cls for kind, cls in kinds.items() if cls.traits.is_strategic or not is_strategic}
    drawn = [(kind, item) for kind, cls in chosen.items() if kind not in ROLES for item in cls.drawn]
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

"""Random scenarios in virtual time: drawn from seeds, run with made-up training, judged by the invariants.

A seed that breaks something breaks it again: `python main.py soak --first SEED --count 1 --mechanism NAME`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from simulation.commands.checks.seed_pool import run_shares
from simulation.commands.checks.soak_draws import find_draws
from simulation.commands.checks.soak_scenarios import draw_scenario
from simulation.engines import PartyError
from simulation.runs import MemoryRun
from simulation.scenario import Scenario

MOST_AT_ONCE: Final = 50
"""Seeds that a process is handed at once."""


@dataclass(frozen=True, slots=True)
class SoakResult:
    """What one seed came to."""

    seed: int
    mechanism: str
    fault: str | None
    """The broken invariant or the failure, in words."""
    reason: str
    """How the run ended."""
    events: int


def run_raw(raw: dict[str, Any]) -> SoakResult:
    """Run a raw scenario in memory and judge it."""
    scenario = Scenario.model_validate(raw)
    name = scenario.mechanism.name
    run = MemoryRun(scenario)
    try:
        result = run.run()
    except PartyError as error:
        return SoakResult(scenario.seed, name, str(error), "failed", error.events)
    return SoakResult(scenario.seed, name, run.find_fault(result), result.reason, result.events)


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
    if raw["ledger"]["stamp_bits"]:
        yield {**raw, "ledger": {"stamp_bits": 0}}
    shorter = find_draws(Scenario.model_validate(raw).mechanism.name, raw["seed"]).shorten(raw)
    if shorter is not None:
        yield shorter


def is_broken(raw: dict[str, Any]) -> bool:
    """Return whether a raw scenario can be run and breaks something."""
    try:
        return run_raw(raw).fault is not None
    except ValueError:
        return False  # what was left out made it impossible


def run_seed(seed: int, mechanism: str | None = None) -> SoakResult:
    """Run the scenario of a seed, under a mechanism or under the one that is drawn."""
    return run_raw(draw_scenario(seed, mechanism))


def run_seeds(first: int, count: int, jobs: int, mechanism: str | None = None) -> Iterator[SoakResult]:
    """Run the scenarios of consecutive seeds, in several processes; yield results as they come."""
    run = partial(run_seed, mechanism=mechanism)
    return run_shares(run, range(first, first + count), jobs, most_at_once=MOST_AT_ONCE)


def describe_failure(result: SoakResult) -> str:
    """Return what a seed broke, how to see it again, and the simplest scenario that still breaks."""
    simplest = shrink(draw_scenario(result.seed, result.mechanism), is_broken)
    return (
        f"seed {result.seed}: {result.fault}\n"
        f"again: python main.py soak --first {result.seed} --count 1 --jobs 1 --mechanism {result.mechanism}\n"
        f"simplest: {json.dumps(simplest)}"
    )

"""Turns nodes of populations into attackers, as a scenario's `corruptions` say."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from simulation.foundation import derive_generator
from simulation.scenario.error_messages import Step, explain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from simulation.scenario.populations import Corruption, Population
from simulation.scenario.scenario import Scenario

_SHARE_ERROR: Final = 1e-9


class _Owner(NamedTuple):
    """One owner of a population that may turn."""

    population: str
    number: int
    stake: float


def resolve_corruptions(scenario: Scenario) -> Scenario:
    """Return the same scenario with a population for each group of turned nodes, and those left of the others.

    Nodes of a population are alike, so which of them turn matters only through how many of each population do.

    Raises:
        ScenarioError: There are fewer nodes than should turn, or nobody honest is left.
    """
    if not scenario.corruptions:
        return scenario
    counts = {population.name: population.count for population in scenario.populations}
    added: list[dict[str, Any]] = []
    for index, corruption in enumerate(scenario.corruptions):
        chosen = _choose(scenario, corruption, counts, f"corruptions.{index}")
        sources = {name: sum(owner.population == name for owner in chosen) for name in corruption.of}
        taken = {name: number for name, number in sources.items() if number}
        for name, number in taken.items():
            counts[name] -= number
            source = next(item for item in scenario.populations if item.name == name)
            label = corruption.name if len(taken) == 1 else f"{corruption.name}_{name}"
            added.append(_build_population(corruption, source, label, number))
    kept = [
        {**population.model_dump(mode="json"), "count": counts[population.name]}
        for population in scenario.populations
        if counts[population.name]
    ]
    raw = {**scenario.model_dump(mode="json"), "populations": [*kept, *added], "corruptions": []}
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        told = explain(error, [Step("corruptions: once these nodes have turned", raw, ())], Scenario)
        raise ScenarioError(told) from None


def load_resolved(
    path: Path, settings: Sequence[str] = (), *, seed: int | None = None, plugins: Sequence[Path] = ()
) -> Scenario:
    """Return a scenario file with its corruptions resolved; see `simulation.scenario.loading.load_scenario`.

    Raises:
        ScenarioError: The file cannot be read, is not a valid scenario, or its corruptions cannot be resolved.
    """
    scenario = load_scenario(path, settings, seed=seed, plugins=plugins)
    try:
        return resolve_corruptions(scenario)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _choose(scenario: Scenario, corruption: Corruption, counts: dict[str, int], where: str) -> list[_Owner]:
    """Return the owners that turn, in order."""
    stakes = {population.name: population.stake for population in scenario.populations}
    unknown = next((name for name in corruption.of if name not in stakes), None)
    if unknown is not None:
        raise ScenarioError(f"{where}.of: no population is called {unknown!r}; write one of {', '.join(stakes)}")
    owners = [
        _Owner(name, number, stakes[name]) for name in dict.fromkeys(corruption.of) for number in range(counts[name])
    ]
    match corruption.order:
        case "random":
            order = derive_generator(scenario.seed, "corruption", corruption.name).permutation(len(owners))
            owners = [owners[index] for index in order]
        case "richest":
            owners.sort(key=lambda owner: -owner.stake)
        case "poorest":
            owners.sort(key=lambda owner: owner.stake)
    if corruption.stake_share is None:
        wanted = corruption.count or 0
    else:
        total = sum(population.count * population.stake for population in scenario.populations)
        bound = (corruption.stake_share - _SHARE_ERROR) * total
        held = accumulate(owner.stake for owner in owners)
        wanted = next((number for number, sum_ in enumerate(held, start=1) if sum_ >= bound), len(owners) + 1)
    if wanted > len(owners):
        raise ScenarioError(f"{where}: {len(owners)} nodes of {', '.join(corruption.of)} are not enough; write less")
    return owners[:wanted]


def _build_population(corruption: Corruption, source: Population, name: str, count: int) -> dict[str, Any]:
    """Return a raw population of turned nodes: what they do is the corruption's, what they own the source's."""
    conduct = corruption.model_dump(mode="json", exclude={"of", "count", "stake_share", "order"})
    coalition = corruption.coalition or corruption.name
    owned = source.model_dump(mode="json", include={"stake", "identities", "speed"})
    return {**conduct, **owned, "name": name, "count": count, "coalition": coalition}

"""From a sweep to its cells: every combination, every repeat, each with a seed and an identifier of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from simulation.analysis import predict
from simulation.commands.sweeps.axes import encode
from simulation.commands.sweeps.sweep_file import Sweep
from simulation.foundation import derive_seed
from simulation.scenario import (
    Override,
    Scenario,
    ScenarioError,
    anchor_override,
    build_scenario,
    resolve_corruptions,
    shorten,
)

ID_DIGITS: Final = 16
"""A million cells share one with a chance of 3 in 10^8."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep."""

    index: int
    """Its place in the table."""
    combination: int
    values: tuple[Any, ...]
    """A value for each key that varies."""
    repeat: int
    """Counted from 0."""
    seed: int
    id: str
    """Hex digits over the resolved scenario and the version of the code."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make the scenario of a cell from its values and its seed; small enough to send to each worker."""

    source: str
    """The sweep's file."""
    scenario_source: str
    scenario: dict[str, Any]
    """Raw."""
    settings: tuple[tuple[str, Any], ...]
    keys: tuple[str, ...]

    def build(self, values: tuple[Any, ...], seed: int) -> Scenario:
        """Return the scenario of a cell.

        Raises:
            ScenarioError: These values make none.
        """
        overrides = [self._override("set", *item) for item in self.settings]
        overrides += [self._override("vary", *item) for item in zip(self.keys, values, strict=True)]
        overrides.append(Override(f"{self.source}: seed", "seed", seed))
        return build_scenario(self.scenario_source, self.scenario, overrides)

    def _override(self, part: str, key: str, value: object) -> Override:
        source = f"{self.source}: {part}"
        if key != "plugins":  # their digests would stand before what is wrong
            source = f"{source}: {shorten(key)} = {shorten(encode(value))}"
        return anchor_override(Override(source, key, value), Path(self.source).parent)


def build_recipe(sweep: Sweep) -> Recipe:
    """Return how the cells of a sweep are made."""
    return Recipe(sweep.source, sweep.scenario_source, sweep.scenario, sweep.settings, sweep.keys)


@dataclass(frozen=True, slots=True)
class CellPlan:
    """All cells of a sweep, known to be valid."""

    cells: list[Cell]
    datasets: list[tuple[str, str | None, bool]]
    """Name, path and need of each data set that cells really train on; empty where all training is made up."""
    is_all_trained: bool
    """Whether every cell needs one of them."""
    closed_forms: list[dict[str, float]]
    """What formulas say of each combination, by figure; see `simulation.analysis.closed_forms`."""


def plan_cells(sweep: Sweep, code_version: str) -> CellPlan:
    """Return the cells of a sweep in the order of the table: the last key varies fastest, then the repeat.

    Raises:
        ScenarioError: A combination makes no valid scenario.
    """
    recipe, cells, closed_forms = build_recipe(sweep), list[Cell](), list[dict[str, float]]()
    datasets: dict[tuple[str, str | None, bool], None] = {}
    is_all_trained = True
    for number, values in enumerate(_combine(sweep)):
        seeds = [derive_cell_seed(sweep.seed, recipe.keys, values, repeat) for repeat in range(sweep.repeats)]
        scenario = _build_checked(recipe, values, seeds[0])
        closed_forms.append(predict(scenario))
        if scenario.is_training_made_up:
            is_all_trained = False
        else:
            datasets[scenario.dataset.name, scenario.dataset.path, scenario.dataset.required] = None
        for repeat, seed in enumerate(seeds):
            seeded = scenario.model_copy(update={"seed": seed})
            identifier = seeded.compute_fingerprint(code_version, ID_DIGITS)
            cells.append(Cell(len(cells), number, values, repeat, seed, identifier))
    return CellPlan(cells, list(datasets), is_all_trained, closed_forms)


def derive_cell_seed(sweep_seed: int, keys: tuple[str, ...], values: tuple[Any, ...], repeat: int) -> int:
    """Return the seed of a cell, which depends on its own values and on no other cell."""
    return derive_seed(sweep_seed, "sweep", encode(dict(zip(keys, values, strict=True))), repeat)


def _combine(sweep: Sweep) -> Iterator[tuple[Any, ...]]:
    for rows in product(*(axis.rows for axis in sweep.axes)):
        yield tuple(value for row in rows for value in row)


def _build_checked(recipe: Recipe, values: tuple[Any, ...], seed: int) -> Scenario:
    try:
        scenario = recipe.build(values, seed)
        resolve_corruptions(scenario)
    except ScenarioError as error:
        pairs = ", ".join(f"{key}={encode(value)}" for key, value in zip(recipe.keys, values, strict=True))
        if not pairs:
            raise
        raise ScenarioError(f"{error} (in the combination {shorten(pairs)})") from None
    return scenario

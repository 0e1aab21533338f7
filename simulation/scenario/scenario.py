"""Scenario files: strict reading, complete resolution, and a fingerprint.

A scenario is YAML. An unknown key, a wrong type or an impossible value is refused with the file, the path of the key
and what to write instead. What a file leaves out comes from `simulation.constants`.
"""

import copy
import difflib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from simulation.foundation.project import ROOT
from simulation.scenario.cross_checks import find_fault
from simulation.scenario.defaults import from_constant, left_out, load_constants
from simulation.scenario.engine_traits import ENGINE_TRAITS, EngineTraits
from simulation.scenario.error_messages import Step, explain
from simulation.scenario.errors import ScenarioError, shorten
from simulation.scenario.network import Network
from simulation.scenario.overrides import Override, apply_override, parse_override
from simulation.scenario.populations import Corruption, Population
from simulation.scenario.sections import (
    Dataset,
    Job,
    Name,
    OneLine,
    Output,
    Protocol,
    Run,
    Section,
    Users,
    Virtual,
)
from simulation.scenario.strict_yaml import read_file, write_text

__all__ = ["CONFIGS", "Scenario", "ScenarioError", "build_scenario", "find_scenario", "list_shipped", "load_scenario"]

CONFIGS: Final = ROOT / "configs"
"""Where the shipped scenarios are."""


if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(ENGINE_TRAITS)]  # refuses others by name, as a written-out list would


class Scenario(Section):
    """One run, completely."""

    name: Name
    description: OneLine
    seed: Annotated[int, Field(ge=0, lt=2**62)] = from_constant("SEED")
    engine: EngineName = from_constant("ENGINE")
    dataset: Dataset = left_out()
    job: Job = left_out()
    protocol: Protocol = left_out()
    populations: Annotated[list[Population], Field(min_length=1)]
    corruptions: list[Corruption] = Field(default_factory=list)
    """Nodes of populations that have turned; a resolved scenario has populations in their place."""
    users: Users = left_out()
    network: Network = left_out()
    run: Run = left_out()
    virtual: Virtual = left_out()
    output: Output = left_out()

    @property
    def traits(self) -> EngineTraits:
        """What its engine can do."""
        return ENGINE_TRAITS[self.engine]

    @property
    def is_training_made_up(self) -> bool:
        """Whether nothing is really trained, so that there are neither weights nor a model."""
        return self.traits.makes_training_up and self.virtual.trainer == "fake"

    @property
    def node_count(self) -> int:
        """Number of nodes of all populations."""
        return sum(population.node_count for population in self.populations)

    def list_labels(self) -> list[str]:
        """Return the labels of all nodes, in their order."""
        return [label for population in self.populations for label in population.list_labels()]

    def expand_names(self) -> dict[str, tuple[str, ...]]:
        """Return the parties that each name of a node, population or client stands for."""
        names = {label: (label,) for label in self.list_labels()}
        populations = {population.name: population.list_labels() for population in self.populations}
        return {**names, **populations, "employer": ("employer",), "users": ("users",)}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        fault = find_fault(self)
        if fault:
            raise fault.to_error()
        return self

    def to_yaml(self) -> str:
        """Return the resolved scenario, every key written out."""
        return write_text(self.model_dump(mode="json"))

    def compute_fingerprint(self, code_version: str, digits: int = 12) -> str:
        """Return hex digits over every key and the version of the code."""
        text = json.dumps([self.model_dump(mode="json"), code_version], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:digits]


def list_shipped() -> dict[str, Path]:
    """Return the files of the shipped scenarios by name: those for a start, then one for each attack."""
    files = [*sorted(CONFIGS.glob("*.yaml")), *sorted(CONFIGS.glob("attacks/*.yaml"))]
    return {file.stem: file for file in files}


def find_scenario(name: str) -> Path:
    """Return the file of a shipped scenario's name or of a path.

    Raises:
        ScenarioError: There is no such file.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if _is_file(path):
            return path
        raise ScenarioError(f"{shorten(name)}: no such file")
    shipped = list_shipped()
    if name in shipped:
        found = shipped[name]
        return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    if _is_file(path):
        return path
    close = difflib.get_close_matches(name, shipped, n=1)
    known = ", ".join(file.stem for file in shipped.values() if file.parent == CONFIGS)
    hint = f"did you mean {close[0]!r}?" if close else f"write a path ending in .yaml, one of {known}, or an attack"
    raise ScenarioError(f"{shorten(name) or 'an empty name'}: no such scenario; {hint}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is longer than any file's, or in a folder that may not be read
        return False


def load_scenario(path: Path, settings: Sequence[str] = (), *, seed: int | None = None) -> Scenario:
    """Return a scenario file, resolved.

    Args:
        path: The YAML file.
        settings: Overrides as ``dotted.key=value``; list items by number or population name.
        seed: Replaces the file's seed.

    Raises:
        ScenarioError: The file cannot be read or is not a valid scenario.
    """
    load_constants()
    overrides = [parse_override(setting) for setting in settings]
    if seed is not None:
        overrides.append(Override(f"--seed {seed}", "seed", seed))
    return build_scenario(str(path), read_file(path), overrides)


def build_scenario(source: str, raw: dict[str, Any], overrides: Sequence[Override] = ()) -> Scenario:
    """Return a raw scenario, resolved.

    Args:
        source: What to call the file that it was read from.
        raw: What stands there; it is not changed.
        overrides: What replaces some of it, in this order.

    Raises:
        ScenarioError: It is not a valid scenario.
    """
    steps = [Step(source, raw, ())]
    for override in overrides:
        changed: dict[str, Any] = copy.deepcopy(steps[-1].raw)
        location = apply_override(changed, override)
        steps.append(Step(override.source, changed, location))
    try:
        return Scenario.model_validate(steps[-1].raw)
    except ValidationError as error:
        raise ScenarioError(explain(error, steps, Scenario)) from None

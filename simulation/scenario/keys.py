"""Every key of a scenario file, and the names that its populations give to nodes."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from simulation.scenario.defaults import from_constant, left_out
from simulation.scenario.engine_traits import ENGINE_TRAITS, EngineTraits
from simulation.scenario.fields import Name, OneLine, Section
from simulation.scenario.mechanism_keys import TRAINING, AnyMechanismKeys, ChainKeys
from simulation.scenario.network import Network
from simulation.scenario.plugin_keys import PluginKeys, use_named_plugins
from simulation.scenario.populations import Corruption, Population
from simulation.scenario.sections import ChainRules, Dataset, Ledger, Limits, Output, TrainingJobKeys, Users, Virtual

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(ENGINE_TRAITS)]  # refuses others by name, as a written-out list would


class ScenarioKeys(Section):
    """What a scenario file may say; each section is valid by itself."""

    name: Name
    description: OneLine
    seed: Annotated[int, Field(ge=0, lt=2**62)] = from_constant("SEED")
    engine: EngineName = from_constant("ENGINE")
    mechanism: AnyMechanismKeys = left_out()
    dataset: Dataset = left_out()
    job: TrainingJobKeys = left_out()
    protocol: ChainRules = left_out()
    populations: Annotated[list[Population], Field(min_length=1)]
    corruptions: list[Corruption] = Field(default_factory=list)
    """Nodes of populations that have turned; a resolved scenario has populations in their place."""
    ledger: Ledger = left_out()
    users: Users = left_out()
    network: Network = left_out()
    run: Limits = left_out()
    virtual: Virtual = left_out()
    output: Output = left_out()
    plugins: list[PluginKeys] = Field(default_factory=list)
    """Files of code from outside the package; what they offer may be named in all other keys."""

    _plugged_in = model_validator(mode="before")(use_named_plugins)

    @property
    def traits(self) -> EngineTraits:
        """What its engine can do."""
        return ENGINE_TRAITS[self.engine]

    @property
    def length(self) -> int:
        """Blocks of the whole chain."""
        return self.mechanism.length if isinstance(self.mechanism, ChainKeys) else self.job.stages

    @property
    def is_training(self) -> bool:
        """Whether blocks are agreed on by training."""
        return self.mechanism.name == TRAINING

    @property
    def is_training_made_up(self) -> bool:
        """Whether nothing is really trained, so that there are neither weights nor a model."""
        return self.traits.makes_training_up and (self.virtual.trainer == "fake" or not self.is_training)

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

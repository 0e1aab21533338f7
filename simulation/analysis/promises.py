"""What a mechanism promises of scenarios: its part `promises`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocol.messages import AnyBlock
from simulation.foundation import find_part
from simulation.records import Tally
from simulation.scenario import Population, Scenario
from simulation.scenario.world import World

SHARE_NEEDED: Final = 0.75
"""Share of the power that has to do its part, where a mechanism says nothing else."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a chain from growing."""

    text: str
    is_final: bool
    """Whether it never will grow, whatever happens."""


class Promises:
    """Says what may be expected; a mechanism that promises no time has these."""

    def estimate_chain_s(self, scenario: Scenario) -> float | None:
        """Return about how many simulated seconds a whole chain takes where all goes well; None for no promise."""
        return None

    def is_exact(self, scenario: Scenario) -> bool:
        """Return whether no result but the right one gets into an honest chain."""
        return True

    def measure_power(self, population: Population) -> float:
        """Return what a population has of that by which a majority is counted: its stake."""
        return population.count * population.stake

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether honest nodes that hear each other do not differ about a block with others above it."""
        return True

    def must_agree(self, scenario: Scenario) -> bool | None:
        """Return whether honest nodes agree whatever they hear; None where it depends on what they hear."""
        return None

    def find_share_needed(self, scenario: Scenario) -> float:
        """Return the share of the power that has to do its part, so that nothing may stand still."""
        return SHARE_NEEDED

    def find_obstacle(self, world: World, tally: Tally) -> Obstacle | None:
        """Return what keeps the chain of most honest nodes from growing; None where nothing is known to."""
        return None

    def explain_standstill(self, world: World, tally: Tally, blocks: Sequence[AnyBlock]) -> str | None:
        """Return in words why a run ended with an unfinished chain that is kept; None where nothing is known.

        Unlike `find_obstacle` it is asked only then, and sees the chain with its transfers, lowest block first.
        """
        obstacle = self.find_obstacle(world, tally)
        return obstacle.text if obstacle is not None else None


def find_promises(scenario: Scenario) -> Promises:
    """Return the promises of a scenario's mechanism."""
    kind: type[Promises] = find_part(scenario.mechanism.name, "promises") or Promises
    return kind()

"""Whoever runs a world counts its records, watches them, and judges the run when it has ended: all of that, once."""

from simulation.analysis import InvariantMonitor, find_broken, find_standstill, is_exact, must_agree
from simulation.engines import EngineResult
from simulation.records import Tally
from simulation.scenario.world import World


class RunObserver:
    """What the records of one run add up to, and what they break: each is added to `tally`, then to `monitor`."""

    def __init__(self, world: World) -> None:
        """Start with no record."""
        self.tally = Tally()
        self._world = world
        self.monitor = InvariantMonitor(
            world.get_honest(), self.tally, must_agree=must_agree(world.scenario), is_exact=is_exact(world.scenario)
        )

    def count_nodes(self) -> None:
        """Count the world's nodes before any of them has a record."""
        for node in self._world.nodes:
            party = self.tally.get_party(node.label)
            party.population, party.role = node.population, node.role

    def find_fault(self, result: EngineResult) -> str | None:
        """Return the first broken invariant in words, or None."""
        broken = find_broken(self._world, self.tally, result.chains, self.monitor)
        return broken or find_standstill(self._world.scenario, self.tally, result.reason)

"""Whoever runs a world counts its records, watches them, and judges the run when it has ended: all of that, once."""

from collections.abc import Sequence
from typing import Final

from protocol.rules import Rules
from simulation.analysis import (
    InvariantMonitor,
    find_broken,
    find_promises,
    find_settled_depth,
    find_standstill,
    is_exact,
    must_agree,
)
from simulation.engines import EngineResult
from simulation.records import Tally
from simulation.scenario.world import World

STOOD_STILL: Final = ("standstill", "time-limit")
"""Endings of runs whose chain may have stopped growing."""


class RunObserver:
    """What the records of one run add up to, and what they break: each is added to `tally`, then to `monitor`."""

    def __init__(self, world: World) -> None:
        """Start with no record."""
        self.tally = Tally()
        self._world = world
        self._promises = find_promises(world.scenario)
        self.monitor = InvariantMonitor(
            world.get_honest(),
            self.tally,
            must_agree=must_agree(world.scenario),
            is_exact=is_exact(world.scenario),
            depth=find_settled_depth(world.mechanism),
            detached=[reason.value for reason in world.mechanism.detached_reasons],
        )

    def count_nodes(self) -> None:
        """Count the world's nodes before any of them has a record."""
        for node in self._world.nodes:
            party = self.tally.get_party(node.label)
            party.population, party.role = node.population, node.role

    def is_stuck(self) -> bool:
        """Return whether it is certain that no chain will ever grow."""
        found = self._promises.find_obstacle(self._world, self.tally)
        return found is not None and found.is_final

    def find_obstacle(self, reason: str, chain: Sequence[bytes]) -> str | None:
        """Return what kept the chain from growing, in words; None where it ended for another reason.

        Args:
            reason: Why the run ended.
            chain: Canonical blocks of the chain that is kept, lowest first.
        """
        if reason not in STOOD_STILL:
            return None
        decode = Rules(self._world.mechanism).decode_block
        return self._promises.explain_standstill(self._world, self.tally, [decode(block) for block in chain])

    def find_fault(self, result: EngineResult) -> str | None:
        """Return the first broken invariant in words, or None."""
        broken = find_broken(self._world, self.tally, result.chains, self.monitor)
        return broken or find_standstill(self._world.scenario, self.tally, result.reason)

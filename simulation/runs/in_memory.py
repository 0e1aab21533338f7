"""Runs with made-up training that leave no file: one scenario in virtual time, counted, watched and judged."""

from pathlib import Path
from typing import Final

import numpy as np

from simulation.analysis.after_run import find_broken, find_standstill, is_exact, must_agree
from simulation.analysis.during_run import Watch
from simulation.engines.result import EngineResult
from simulation.engines.virtual.engine import VirtualEngine
from simulation.foundation.interruption import Interruption
from simulation.records.record import Record
from simulation.records.tally import Tally
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from simulation.training.datasets import ImageSet
from simulation.training.image_format import PIXELS
from simulation.training.weight_store import WeightStore

_EMPTY: Final = np.zeros((0, PIXELS), np.uint8)

NO_IMAGES: Final = ImageSet("made up", "made up", _EMPTY, _EMPTY[:, 0], _EMPTY, _EMPTY[:, 0])
"""The data set of training that is made up."""

NO_DIGEST: Final = bytes(32)
"""What the job says its digest is."""


class MemoryRun:
    """A scenario with `engine: virtual` and `virtual.trainer: fake`, ready to run."""

    def __init__(self, scenario: Scenario, interruption: Interruption | None = None) -> None:
        """Build its parties.

        Args:
            scenario: What to run.
            interruption: Tells when the user wants it to end.

        Raises:
            ScenarioError: Its corruptions cannot be resolved.
        """
        self.world = build_world(scenario, NO_IMAGES.name, NO_DIGEST)
        self.tally = Tally()
        for node in self.world.nodes:
            party = self.tally.get_party(node.label)
            party.population, party.role = node.population, node.role
        self._watch = Watch(
            self.world.get_honest(),
            self.tally,
            must_agree=must_agree(self.world.scenario),
            is_exact=is_exact(self.world.scenario),
        )
        self.engine = VirtualEngine(
            self.world,
            NO_IMAGES,
            WeightStore(Path()),
            Path(),
            interruption or Interruption(),
            sink=self._take,
            on_tick=lambda _: None,
        )

    def run(self) -> EngineResult:
        """Run to the end.

        Raises:
            PartyError: A party's own code failed.
        """
        return self.engine.run()

    def find_fault(self, result: EngineResult) -> str | None:
        """Return the first broken invariant in words, or None."""
        broken = find_broken(self.world, self.tally, result.chains, self._watch)
        return broken or find_standstill(self.world.scenario, self.tally, result.reason)

    def _take(self, record: Record) -> None:
        self.tally.add(record)
        self._watch.add(record)

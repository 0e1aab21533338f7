"""Runs with made-up training that leave no file: one scenario in simulated time, counted, watched and judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulation.engines import Engine, EngineResult, EngineSetup, find_engine
from simulation.foundation import Interruption
from simulation.records import MODEL_NAME, Record, Tally
from simulation.runs.observer import RunObserver
from simulation.scenario import Scenario
from simulation.scenario.world import build_world
from simulation.training import MADE_UP_DATA, ImageSet

NO_DIGEST: Final = bytes(32)
"""What the job says of the digest of made-up data."""


class MemoryRun:
    """A scenario whose engine needs neither processes nor files, ready to run."""

    def __init__(
        self,
        scenario: Scenario,
        interruption: Interruption | None = None,
        *,
        images: ImageSet = MADE_UP_DATA,
        folder: Path | None = None,
        keep: Callable[[Record], None] | None = None,
    ) -> None:
        """Build its parties.

        Args:
            scenario: What to run.
            interruption: Tells when the user wants it to end.
            images: The data set, where training is real.
            folder: Where weights and the model go, where training is real.
            keep: Takes each record before it is counted.

        Raises:
            ScenarioError: Its corruptions cannot be resolved.
        """
        self.world = build_world(scenario, MADE_UP_DATA.name, NO_DIGEST, images.form)
        self._observer = RunObserver(self.world)
        self._observer.count_nodes()
        place = folder or Path()
        count, watch = self._observer.tally.add, self._observer.monitor.add

        def sink(record: Record) -> None:
            if keep is not None:
                keep(record)
            count(record)
            watch(record)

        self.engine: Engine = find_engine(scenario.engine).build(
            EngineSetup(
                world=self.world,
                images=images,
                scratch=place,
                weights_folder=place,
                model_path=place / MODEL_NAME,
                journal_folder=None,
                interruption=interruption or Interruption(),
                started_at=0,
                tally=self.tally,
                sink=sink,
                on_tick=lambda phase: None,
                sample=lambda pids: None,
                is_stuck=self._observer.is_stuck,
            )
        )

    @property
    def tally(self) -> Tally:
        """What the records so far add up to."""
        return self._observer.tally

    def run(self) -> EngineResult:
        """Run to the end.

        Raises:
            PartyError: A party's own code failed.
        """
        return self.engine.run()

    def find_fault(self, result: EngineResult) -> str | None:
        """Return the first broken invariant in words, or None."""
        return self._observer.find_fault(result)

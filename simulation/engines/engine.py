"""What an engine is, what it is given for a run, and how one is built."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simulation.engines.holdings import Holdings
from simulation.engines.result import EngineResult
from simulation.foundation import Interruption
from simulation.records import Record, Tally
from simulation.scenario.world import World
from simulation.training import ImageSet


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetup:
    """What an engine is given for one run."""

    world: World
    images: ImageSet
    scratch: Path
    """A folder of this run alone, which is deleted after it."""
    weights_folder: Path
    """Where parties find each other's weights."""
    model_path: Path
    """Where the employer leaves its model."""
    journal_folder: Path | None
    """Where the parties' journals go; None for none."""
    interruption: Interruption
    """Tells when the user wants the run to end."""
    started_at: int
    """Monotonic nanoseconds at which records count from zero, where time is not simulated."""
    tally: Tally
    """What the records so far add up to; whoever takes the records keeps it."""
    sink: Callable[[Record], None]
    """Takes each record."""
    on_tick: Callable[[str], None]
    """Called now and then with the engine's phase in words."""
    sample: Callable[[Iterable[int]], None]
    """Called now and then with the processes whose memory counts besides the caller's own."""
    is_stuck: Callable[[], bool]
    """Tells, now and then, whether it is certain that no chain will ever grow."""
    on_holdings: Callable[[Holdings], None] | None = None
    """Takes what accounts have each time that the employer's head has changed; None where nobody wants to know."""


class Engine(Protocol):
    """One run of a world."""

    def run(self) -> EngineResult:
        """Run until the job is done, the time is over or the user has had enough.

        Raises:
            PartyError: A party's own code failed, and the engine cannot go on without it.
        """

    def now(self) -> float:
        """Return the seconds that a record of the run as a whole carries."""


class EngineFactory(Protocol):
    """Builds the engines of one name."""

    def prepare(self, mechanism: str) -> int | None:
        """Start what takes its time before the world is known; return the process that parties are forked from.

        Args:
            mechanism: The name of the run's mechanism: what its parties need is loaded, and nothing else.

        Raises:
            EngineStartError: A setting of this machine does not let it start.
        """

    def abandon(self) -> None:
        """End what `prepare` has started, where there will be no run after all."""

    def descriptors_needed(self, world: World) -> int:
        """Return the file descriptors that running a world may take at once; 0 where that is never many."""

    def build(self, setup: EngineSetup) -> Engine:
        """Return an engine that has yet to run; nothing slow has happened."""

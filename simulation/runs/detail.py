"""Which records of a run are shown where no live view is: all that anybody could see, or how it comes on."""

from collections.abc import Callable
from enum import Enum
from typing import Final

from simulation.records import Appended, Evaluated, PartyEnded, Record
from simulation.scenario.world import EMPLOYER


class Detail(Enum):
    """How much of a run is shown."""

    QUIET = "quiet"
    """Its folder and nothing else."""
    PROGRESS = "progress"
    """How it comes on: a live view or, where there is no terminal, the run's own records and the employer's blocks."""
    VERBOSE = "verbose"
    """Every line of the log but a party's own business, also on a terminal."""


def shows_progress(record: Record) -> bool:
    """Return whether a record tells how a run comes on."""
    is_news = record.who == EMPLOYER and isinstance(record.fact, Appended | Evaluated | PartyEnded)
    return record.level == "WARNING" or (record.who == "run" and record.event != "counted") or is_news


def shows_info(record: Record) -> bool:
    """Return whether any participant could see what a record tells."""
    return record.level != "DEBUG"


SHOWN: Final[dict[Detail, Callable[[Record], bool] | None]] = {
    Detail.QUIET: None,
    Detail.PROGRESS: shows_progress,
    Detail.VERBOSE: shows_info,
}
"""Which records are shown where there is no live view."""

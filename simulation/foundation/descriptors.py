"""File descriptors: how many a run needs at once, and getting them."""

import resource
from typing import Final

from simulation.foundation.errors import SimulationError

RESERVE: Final = 64
"""Descriptors for logs, libraries and the interpreter itself."""

PER_PARTY: Final = 4
"""Descriptors the starting process keeps for each party: control pipe, sentinel and what starting takes."""


class TooFewDescriptorsError(SimulationError):
    """The system does not allow enough open files; the text gives the number."""


def compute_needed(link_count: int, party_count: int) -> int:
    """Return the descriptors the starting process may hold at once: both ends of every link, and the parties'."""
    return 2 * link_count + PER_PARTY * party_count + RESERVE


def ensure_available(needed: int) -> None:
    """Raise the soft limit if that is needed.

    Raises:
        TooFewDescriptorsError: The hard limit is below the need.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFewDescriptorsError(
            f"this topology needs {needed} open files and the system allows {hard}; raise it with "
            f"`ulimit -Hn {needed}`, or choose a topology with fewer links"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

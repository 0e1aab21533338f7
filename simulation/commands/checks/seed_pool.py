"""Sharing the seeds of a check among processes."""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

ShareT = TypeVar("ShareT")
ResultT = TypeVar("ResultT")


def run_shares(
    run: Callable[[ShareT], ResultT], shares: Sequence[ShareT], jobs: int, *, most_at_once: int = 1
) -> Iterator[ResultT]:
    """Yield what comes of each share, in any order; in order where there is one job.

    Args:
        run: Runs one share; a function of a module, for it is sent to processes.
        shares: Seeds, or whatever stands for them.
        jobs: Processes; no more than there are shares are started.
        most_at_once: Shares that a process is handed at once, at most.
    """
    jobs = min(jobs, len(shares))
    if jobs == 1:
        yield from map(run, shares)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run, shares, chunksize=max(1, min(most_at_once, len(shares) // (4 * jobs))))

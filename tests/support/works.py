"""Work that tests send to a clean process."""

from collections.abc import Callable

from simulation import SimulationError


def count_to(number: int, tell: Callable[[object], None], wants_end: Callable[[], bool]) -> int:
    """Tell every number up to one; return that, or the number at which an end was wanted."""
    if number < 0:
        raise SimulationError(f"{number}: write a number")
    for told in range(number):
        tell(told)
        if wants_end():
            return told
    return number

"""Under which mechanism a seed runs, where nobody says so."""

import difflib

from protocol.mechanisms import MechanismError, list_mechanisms
from simulation.foundation import SHIPPED, derive_seed


def draw_mechanism(seed: int, purpose: str) -> str:
    """Return the mechanism of a seed, one of the package; its draw is its own, so that it shifts no others.

    Each mechanism draws a number, and the highest wins: with one mechanism more, a seed either keeps its own or has
    the new one.
    """
    return max(SHIPPED, key=lambda name: derive_seed(seed, purpose, "mechanism", name))


def check_mechanism(name: str | None) -> None:
    """Look whether there is a mechanism of a name that a user has written.

    Raises:
        MechanismError: There is none; the text names what there is.
    """
    known = list_mechanisms()
    if name is None or name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"write {' or '.join(known)}"
    raise MechanismError(f"no mechanism is called {name!r}; {hint}")

"""Which weights lie within the tolerance of a node's own. Bounded, and no part of its judged state.

Weights that are not there may come yet: whoever trains faster can name them first and hand them out late. So that is no
answer, and they are looked up again, after 1, 2, 4, ... slots, as long as a message waits for them.
"""

from dataclasses import dataclass
from typing import Final

from protocol.mechanisms.proof_of_training.job import Billionths
from protocol.mechanisms.proof_of_training.work import CompareWeights

MAX_COMPARED: Final = 4_096
"""Pairs that are near, and others, remembered at most; an older one is compared again if it is asked for again."""


@dataclass(slots=True)
class Lookup:
    """A question without an answer."""

    next_slot: int
    """Slot from which it may be asked again, once it is known that the weights are not there."""
    gap: int = 1
    """Slots between the last two times it was asked."""
    is_under_way: bool = True
    """Whether the answer is still to come."""


class Comparisons:
    """What has been asked for and what came out.

    Near weights are remembered apart from all others, so that nobody makes a node forget them by naming weights that
    are far away or nowhere.
    """

    def __init__(self, tolerance: Billionths) -> None:
        """Start with nothing compared."""
        self._tolerance = tolerance
        self._near: dict[CompareWeights, None] = {}
        self._others: dict[CompareWeights, Lookup | None] = {}
        """None for those that are not near."""

    def __len__(self) -> int:
        """Return the number of pairs remembered."""
        return len(self._near) + len(self._others)

    def get(self, pair: CompareWeights) -> bool | None:
        """Return whether the other weights are near; None where that is not known."""
        if pair in self._near:
            return True
        return False if self._others.get(pair, _UNKNOWN) is None else None

    def ask(self, pair: CompareWeights, slot: int) -> bool:
        """Note a question; return whether it has to be asked now."""
        if self.get(pair) is not None:
            return False
        lookup = self._others.get(pair)
        if lookup is None:
            self._remember(pair, Lookup(slot + 1))
            return True
        if lookup.is_under_way or slot < lookup.next_slot:
            return False
        lookup.gap *= 2
        lookup.next_slot = slot + lookup.gap
        lookup.is_under_way = True
        return True

    def settle(self, pair: CompareWeights, distance: int | None) -> None:
        """Note an answer; None where the other weights are not there."""
        lookup = self._others.get(pair)
        if distance is None:
            if lookup is not None:
                lookup.is_under_way = False
            return
        self._others.pop(pair, None)
        if distance > self._tolerance:
            self._remember(pair, None)
            return
        self._near[pair] = None
        if len(self._near) > MAX_COMPARED:
            del self._near[next(iter(self._near))]

    def _remember(self, pair: CompareWeights, lookup: Lookup | None) -> None:
        self._others[pair] = lookup
        if len(self._others) > MAX_COMPARED:
            del self._others[next(iter(self._others))]


_UNKNOWN: Final = Lookup(0)
"""In place of what nobody has asked for."""

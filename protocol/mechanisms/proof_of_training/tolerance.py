"""Which weights lie within the tolerance of a node's own. Bounded, and no part of its judged state."""

from typing import Final

from protocol.mechanisms.proof_of_training.job import Billionths
from protocol.mechanisms.proof_of_training.work import CompareWeights

MAX_COMPARED: Final = 4_096
"""Pairs remembered at most; an older one is compared again if it is asked for again."""


class Comparisons:
    """What has been asked for and what came out, each pair once."""

    def __init__(self, tolerance: Billionths) -> None:
        """Start with nothing compared."""
        self._tolerance = tolerance
        self._outcomes: dict[CompareWeights, bool | None] = {}
        """None while the answer is under way."""

    def __len__(self) -> int:
        """Return the number of pairs remembered."""
        return len(self._outcomes)

    def get(self, pair: CompareWeights) -> bool | None:
        """Return whether the other weights are near; None where that is not known."""
        return self._outcomes.get(pair)

    def ask(self, pair: CompareWeights) -> bool:
        """Note a question; return whether it is a new one."""
        if pair in self._outcomes:
            return False
        self._remember(pair, None)
        return True

    def settle(self, pair: CompareWeights, distance: int | None) -> None:
        """Note an answer: weights without a distance are not near."""
        self._outcomes.pop(pair, None)
        self._remember(pair, distance is not None and distance <= self._tolerance)

    def _remember(self, pair: CompareWeights, outcome: bool | None) -> None:
        self._outcomes[pair] = outcome
        if len(self._outcomes) > MAX_COMPARED:
            del self._outcomes[next(iter(self._outcomes))]

"""Who has bonded how much."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from protocol.types import AccountId


class StakeTable:
    """Bonded coins laid end to end, by ascending owner, so that a coin's number tells its owner."""

    __slots__ = ("_ends", "_stakes", "owners", "total")

    def __init__(self, stakes: Mapping[AccountId, int]) -> None:
        """Take the bonds of all owners; those without a bond are left out."""
        self.owners = tuple(sorted(owner for owner, stake in stakes.items() if stake > 0))
        self._stakes = {owner: stakes[owner] for owner in self.owners}
        self._ends = tuple(accumulate(self._stakes.values()))
        self.total: int = self._ends[-1] if self._ends else 0

    def __eq__(self, other: object) -> bool:
        """Return whether the same owners have bonded the same coins."""
        return isinstance(other, StakeTable) and self._stakes == other._stakes

    def __hash__(self) -> int:
        """Return a hash that equal tables share."""
        return self.total

    def replace(self, stakes: Mapping[AccountId, int]) -> "StakeTable":
        """Return the table in which some owners have other bonds."""
        return StakeTable({**self._stakes, **stakes})

    def get_stake(self, owner: AccountId) -> int:
        """Return the owner's bonded micro-coins, 0 for a stranger."""
        return self._stakes.get(owner, 0)

    def get_owner(self, coin: int) -> AccountId:
        """Return who bonded coin number ``coin``, counted from 0.

        Raises:
            IndexError: There is no such coin.
        """
        return self.owners[bisect_right(self._ends, coin)]

"""Who has to make a block of a template: owners of coins that its hash draws, one of whom, or the miner, closes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from protocol.types import AccountId


@dataclass(frozen=True)
class Group:
    """What a template's hash has drawn."""

    places: tuple[AccountId, ...]
    """Owners of the coins, in the order of the draw; an owner may have several places."""
    closer: AccountId
    """Who adds the transfers."""
    is_last: bool
    """Whether that is the owner of the last place, who signs by closing; else it is the miner."""

    @cached_property
    def signers(self) -> tuple[AccountId, ...]:
        """Owners whose signatures a block carries, each once, in the order of the draw."""
        return tuple(owner for owner in dict.fromkeys(self.places) if not (self.is_last and owner == self.closer))

    def list_present(self, authors: Iterable[AccountId]) -> tuple[AccountId, ...]:
        """Return the owner of each place that has signed a block, where these have signed its template."""
        present = {*authors, self.closer} if self.is_last else set(authors)
        return tuple(owner for owner in self.places if owner in present)


def form_group(places: tuple[AccountId, ...], miner: AccountId, *, are_all_needed: bool) -> Group:
    """Return the group of drawn places.

    Where all have to sign, the owner of the last place closes the block. Where some may be missing nobody drawn can be
    counted on to close, and several who may would make rival blocks of one template: so the miner does.
    """
    return Group(places, places[-1] if are_all_needed else miner, are_all_needed)

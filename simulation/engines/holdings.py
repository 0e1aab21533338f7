"""What accounts have by the employer's chain, for who follows a run from inside; no record says so before the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol.ledger import LedgerState
from simulation.scenario.world import EMPLOYER, USERS, World

MOST_NAMED: Final = 12
"""Owners that are named, those who have most; users count as one owner."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Who has how many coins after a block."""

    height: int
    supply: int
    """Micro-coins in existence."""
    named: dict[str, int]
    """Micro-coins of those who have most, at stake or not, the richest first; all users together are `users`."""
    others: int
    """How many other owners there are."""
    of_others: int
    """Micro-coins that those have together."""


def name_owners(world: World, labels: Mapping[bytes, str]) -> dict[bytes, str]:
    """Return who owns each account: labels of nodes and of the employer, and `users` for every user.

    Args:
        world: Who takes part.
        labels: The label of every public key, which takes long to make for many users.
    """
    users = {user.label for user in world.users}
    return {key: USERS if label in users else label for key, label in labels.items()}


def list_holdings(height: int, state: LedgerState, owners: Mapping[bytes, str]) -> Holdings:
    """Return what owners have; accounts that are nobody's in the scenario count one by one, and are not named."""
    sums: Counter[str] = Counter()
    strangers = of_strangers = 0
    for key, account in state.accounts.items():
        owner = owners.get(key)
        if owner is not None:
            sums[owner] += account.total
        elif account.total:
            strangers, of_strangers = strangers + 1, of_strangers + account.total
    sums = Counter({owner: coins for owner, coins in sums.items() if coins or owner != EMPLOYER})
    ordered = sums.most_common()
    kept = [*ordered[:MOST_NAMED], *((owner, coins) for owner, coins in ordered[MOST_NAMED:] if owner == USERS)]
    rest = len(ordered) - len(kept)
    of_rest = sums.total() - sum(coins for _, coins in kept)
    return Holdings(height, state.supply, dict(kept), rest + strangers, of_rest + of_strangers)

"""What each key of a chain comes to, and whether all of them together come to what the ledger says."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.ledger import LedgerError
from protocol.types import AccountId
from simulation.commands.provenance.events import (
    BEGAN,
    BONDED,
    CHANGED,
    EARNED,
    OPENED,
    PAID,
    RECEIVED,
    RELEASED,
    ChainEvent,
)
from simulation.commands.provenance.opened_chain import OpenedChain

_MONEY = frozenset({BEGAN, BONDED, CHANGED, EARNED, OPENED, PAID, RECEIVED, RELEASED})


@dataclass(slots=True)
class KeyAccount:
    """All events of one key, added up. Amounts are micro-coins."""

    account: AccountId
    began: int = 0
    earned: int = 0
    """What blocks paid, fees among it."""
    fees_earned: int = 0
    received: int = 0
    transferred: int = 0
    """What went to others, without fees."""
    fees_paid: int = 0
    changed: int = 0
    """What the mechanism's own rules added, or took away where it is below 0."""
    balance: int = 0
    bonded: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    """How often it did what for a block."""

    def add(self, event: ChainEvent) -> None:
        """Count an event of this key."""
        amount = event.amount or 0
        self.balance, self.bonded = event.balance, self.bonded if event.bonded is None else event.bonded
        if event.did not in _MONEY:
            self.deeds[event.did] += 1
        elif event.did == BEGAN:
            self.began += amount
        elif event.did == EARNED:
            self.earned, self.fees_earned = self.earned + amount, self.fees_earned + event.fee
        elif event.did == RECEIVED:
            self.received += amount
        elif event.did == PAID:
            self.transferred, self.fees_paid = self.transferred - amount - event.fee, self.fees_paid + event.fee
        elif event.did == CHANGED:
            self.changed += amount

    @property
    def comes_to(self) -> int:
        """What the balance must be by all that was added up."""
        gained = self.began + self.earned + self.received + self.changed
        return gained - self.transferred - self.fees_paid


def add_up(chain: OpenedChain, events: Iterable[ChainEvent]) -> dict[AccountId, KeyAccount]:
    """Return what each key comes to, in the order of their first events.

    Args:
        chain: The chain.
        events: All of its events.

    Raises:
        LedgerError: They do not come to what its ledger says: a bug.
    """
    found: dict[AccountId, KeyAccount] = {}
    for event in events:
        found.setdefault(event.account, KeyAccount(event.account)).add(event)
    state = chain.head.state
    for account, total in found.items():
        told = (state.get_account(account).balance, state.stakes.get_stake(account))
        if (total.balance, total.bonded) != told or total.comes_to != total.balance:
            raise LedgerError(f"events of {account.hex()} come to {total}, but the ledger says {told}")
    if sum(total.balance + total.bonded for total in found.values()) != state.supply:
        raise LedgerError(f"the events of all keys do not come to the supply of {state.supply} micro-coins")
    return found

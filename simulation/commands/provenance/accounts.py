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
    SLASHED,
    STAKED,
    UNBONDED,
    ChainEvent,
)
from simulation.commands.provenance.opened_chain import OpenedChain

_MONEY = frozenset({BEGAN, BONDED, CHANGED, EARNED, OPENED, PAID, RECEIVED, RELEASED, SLASHED, STAKED, UNBONDED})


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
    deposited: int = 0
    """What it bonded after the genesis."""
    released: int = 0
    """What has unbonded and come back."""
    changed: int = 0
    """What the mechanism's own rules added, or took away where it is below 0."""
    balance: int = 0
    bonded: int = 0
    """At stake."""
    unbonding: int = 0
    """On its way back, and not liquid yet."""
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
        elif event.did in {PAID, BONDED, UNBONDED}:
            self.fees_paid += event.fee
            if event.did == PAID:
                self.transferred -= amount + event.fee
            else:
                self.deposited -= amount + event.fee
        elif event.did == RELEASED:
            self.released += amount
        elif event.did == CHANGED:
            self.changed += amount

    @property
    def comes_to(self) -> int:
        """What the balance must be by all that was added up."""
        gained = self.began + self.earned + self.received + self.released + self.changed
        return gained - self.transferred - self.deposited - self.fees_paid


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
        total.unbonding = state.get_account(account).bond.leaving
        told = (state.get_account(account).balance, state.stakes.get_stake(account))
        if (total.balance, total.bonded) != told or total.comes_to != total.balance:
            raise LedgerError(f"events of {account.hex()} come to {total}, but the ledger says {told}")
    if sum(total.balance + total.bonded + total.unbonding for total in found.values()) != state.supply:
        raise LedgerError(f"the events of all keys do not come to the supply of {state.supply} micro-coins")
    return found

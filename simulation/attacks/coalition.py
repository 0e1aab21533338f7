"""What colluders share: who they are, and their keys."""

from dataclasses import dataclass, field
from functools import cached_property

from protocol.crypto import KeyPair
from protocol.types import AccountId, PeerId


@dataclass(frozen=True)
class Coalition:
    """Parties that attack together. All of them have an equal one; nobody else has any."""

    name: str
    members: tuple[tuple[PeerId, AccountId], ...]
    """Link name and public key of each member."""
    key_seeds: tuple[bytes, ...] = field(default=(), repr=False)
    """What each member's keys are made from, in the same order: colluders may sign for one another."""

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        """The members' public keys, in ascending order."""
        return tuple(sorted(account for _, account in self.members))

    @cached_property
    def keys(self) -> dict[AccountId, KeyPair]:
        """The members' key pairs, by public key."""
        pairs = (KeyPair(seed) for seed in self.key_seeds)
        return {pair.public: pair for pair in pairs}

    def leads(self, account: AccountId) -> bool:
        """Return whether an account is that of the member who acts for all: the first."""
        return self.members[0][1] == account

    def list_others(self, account: AccountId) -> tuple[PeerId, ...]:
        """Return the link names of all members but one."""
        return tuple(label for label, member in self.members if member != account)

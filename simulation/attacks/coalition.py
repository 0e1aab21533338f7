"""What colluders share: who they are."""

from dataclasses import dataclass

from protocol.types import AccountId, PeerId


@dataclass(frozen=True, slots=True)
class Coalition:
    """Parties that attack together. All of them have an equal one; nobody else has any."""

    name: str
    members: tuple[tuple[PeerId, AccountId], ...]
    """Link name and public key of each member."""

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        """The members' public keys, in ascending order."""
        return tuple(sorted(account for _, account in self.members))

    def list_others(self, account: AccountId) -> tuple[PeerId, ...]:
        """Return the link names of all members but one."""
        return tuple(label for label, member in self.members if member != account)

"""What all parties agreed on before the first block, as far as the core reads it."""

from typing import Final, Protocol

import msgspec

from protocol.crypto import Domain, compute_hash
from protocol.types import AccountId, Hash32, MicroCoins

GENESIS: Final = Domain(b"pot/genesis/1")
STAMPED_GENESIS: Final = Domain(b"pot/stamped-genesis/1")


class Agreed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A record whose canonical bytes go into the chain id."""


class ChainRules(Agreed, frozen=True, kw_only=True):
    """The rules that every chain has, whatever its mechanism."""

    slot_ns: int
    """Length of a slot, in nanoseconds."""
    max_transactions: int
    """Transactions a block may hold."""
    length: int
    """Height of the last block; there is none after it."""
    settled_after_slots: int | None = None
    """Slots after which a party keeps the last block against another one of its height; None: never."""
    opening_deposit: int = 0
    """Micro-coins that the first transfer to a new account must move, and that stay there; 0: an account is free."""


class GenesisAccount(Agreed, frozen=True, kw_only=True):
    """An account that exists from the start."""

    account: AccountId
    """Its public key."""
    balance: MicroCoins
    """Liquid coins."""
    stake: MicroCoins
    """Bonded coins; they cannot be spent."""


class Genesis(Protocol):
    """Everything the chain id stands for; a mechanism's own has its parameters besides."""

    @property
    def chain(self) -> ChainRules:
        """The rules that every chain has."""

    @property
    def accounts(self) -> tuple[GenesisAccount, ...]:
        """By ascending account, each once."""

    @property
    def seed(self) -> int:
        """Makes two runs of the same rules two different chains."""


def compute_chain_id(agreed: bytes, stamp_bits: int = 0) -> Hash32:
    """Return the hash that names the chain with these canonical bytes; it is the hash of the genesis block as well.

    Args:
        agreed: Canonical bytes of the genesis.
        stamp_bits: What the stamp of each transfer must show; a chain that asks for none has the name it would have
            if there were no such thing.
    """
    if stamp_bits:
        return compute_hash(STAMPED_GENESIS, stamp_bits.to_bytes(4, "big"), agreed)
    return compute_hash(GENESIS, agreed)

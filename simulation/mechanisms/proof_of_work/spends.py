"""What a double spender notes about itself."""

from typing import Literal

import msgspec

from protocol.types import AccountId, Hash32, MicroCoins

Stage = Literal["paid", "delivered", "undone", "given_up"]
"""How far a double spend has come."""


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a double spend, as the double spender sees it."""

    stage: Stage
    payment: Hash32
    """Hash of the payment."""
    merchant: AccountId
    amount: MicroCoins
    confirmations: int
    """Blocks that confirm the payment in the others' chain, that which holds it among them."""
    height: int
    """Height of the others' chain."""
    branch: int
    """Height of the branch on which the payment was not made."""

"""What version 2 of the rules repairs of version 1: each repair by a name that a genesis may hold.

A chain of version 1 has none of them. A chain of version 2 has all of them, unless a study takes one away to see what
it is worth.
"""

from enum import Enum
from typing import Final

from protocol.types import MICRO_COINS_PER_COIN


class Repair(Enum):
    """One difference between the two versions."""

    SEEDED_DRAWS = "seeded_draws"
    """Lotteries and stakeholders are drawn by the chain id, the slot and the author, so nobody chooses the draw."""
    SINGLE_RIGHTS = "single_rights"
    """A right to propose is good for one header, in a slot after its parent's; of two blocks made with one right
    neither counts before another is built on it."""
    RANKED_TIES = "ranked_ties"
    """Of two branches of one length that with the earlier slot wins, and a whole chain that has stood for a while
    stays."""
    OPEN_ROUNDS = "open_rounds"
    """Declarations inside a valid header are known to all, and declaring goes on until there is a block."""
    OWN_SECRETS = "own_secrets"
    """A training secret belongs to one author, and who signs or wraps shows one as well."""
    PAY_BY_STAKE = "pay_by_stake"
    """A declarer is paid by its share of all stake, whoever else is among the declarers; the proposer by theirs."""
    FUNDED_ACCOUNTS = "funded_accounts"
    """Opening an account takes a deposit that stays on it, so that nobody makes accounts out of nothing."""


VERSION_2: Final = tuple(Repair)
"""All repairs, in the order in which a genesis holds them."""

SETTLED_AFTER_SLOTS: Final = 2_000
"""Slots after which a party no longer changes the last block of a whole chain for another one: long enough for a block
to reach everybody wherever a round can be finished at all, so that honest parties do not settle on different ones."""

OPENING_DEPOSIT: Final = MICRO_COINS_PER_COIN
"""Micro-coins that opening an account takes."""

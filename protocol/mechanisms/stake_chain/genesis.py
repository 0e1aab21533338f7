"""What all parties of a chain by stake agree on before the first block."""

from typing import Annotated, Literal

from msgspec import Meta

from protocol.bonding import BondRules
from protocol.genesis import Agreed, ChainRules, GenesisAccount
from protocol.subsidy import Reward
from protocol.types import PARTS_PER_MILLION

Seed = Literal["reveals", "parent_hash"]
"""What leaders are drawn by: secrets that authors open, each committed to long before; or, which is unsafe and here to
show why, the hash of the block below, which its author chooses."""


class StakeGenesis(Agreed, frozen=True, kw_only=True):
    """Everything that the chain id of a chain by stake stands for."""

    chain: ChainRules
    accounts: tuple[GenesisAccount, ...]
    seed: int
    bonding: BondRules
    drawn_by: Seed
    epoch_slots: Annotated[int, Meta(ge=1, lt=2**31)]
    """Slots of an epoch, whose leaders are all drawn from one table by one seed."""
    slashed: Annotated[int, Meta(ge=0, le=PARTS_PER_MILLION)]
    """Millionths of its locked coins that an author loses for two blocks in one slot; 0: no evidence is taken."""
    reward: Reward
    final_depth: Annotated[int, Meta(ge=1, lt=2**31)] | None = None
    """Blocks on top of a block after which no node leaves it any more; None: any block may be left."""

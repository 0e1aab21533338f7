"""What all parties of a chain by work agree on before the first block."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from protocol.genesis import Agreed, ChainRules, GenesisAccount

MAX_TARGET: Final = 2**62
"""The easiest target there is: one hash in four is below it."""

Target = Annotated[int, Meta(ge=1, le=MAX_TARGET)]
"""A guess, a number of 64 bits, must be below it."""

HashName = Literal["sha256", "sha512"]
"""Which hash is computed twice to get a guess."""

Reward = Literal["issuance", "fees", "both"]
"""What a miner is paid."""

Ties = Literal["first_seen", "lowest_hash"]
"""Which of two branches of one weight a node works on: that which it had first, or that whose last hash is lower."""

Proof = Literal["hashes", "stand_in"]
"""What a nonce must show: work, or only that the simulator has drawn how long the work would have taken."""


class Difficulty(Agreed, frozen=True, kw_only=True):
    """How the target follows the blocks."""

    first_target: Target
    """Target of the first block."""
    is_in_bits: bool
    """Whether a target is always a power of two, so that it counts leading zero bits."""
    interval_ns: Annotated[int, Meta(ge=1)]
    """Time that a block should take."""
    window: Annotated[int, Meta(ge=0)]
    """Blocks after which the target is set anew; 0: never."""
    clamp: Annotated[int, Meta(ge=2)]
    """How many times as easy or as hard it may become at once."""


class WorkGenesis(Agreed, frozen=True, kw_only=True):
    """Everything that the chain id of a chain by work stands for."""

    chain: ChainRules
    accounts: tuple[GenesisAccount, ...]
    seed: int
    hash_name: HashName
    difficulty: Difficulty
    reward: Reward
    proof: Proof
    ties: Ties = "lowest_hash"
    """Its bytes are left out where it is this one, as they were before there was another."""

    @property
    def agreed(self) -> "WorkGenesis | tuple[object, ...]":
        """What its canonical bytes are made of."""
        fields: tuple[object, ...] = msgspec.structs.astuple(self)
        return fields[:-1] if self.ties == "lowest_hash" else self

"""What all parties of a chain by votes agree on before the first block."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from protocol.genesis import Agreed, ChainRules, GenesisAccount

MAX_WAIT: Final = 2**40
"""Slots that a pause or a time-out may take at most."""

Slots = Annotated[int, Meta(ge=0, le=MAX_WAIT)]
Timeout = Annotated[int, Meta(ge=1, le=MAX_WAIT)]

Reward = Literal["proposer", "stake"]
"""Who is paid the subsidy: who built the block, or all owners by their stake; fees are always the builder's."""

GROWING_ROUNDS: Final = 1_000
"""Rounds after which time-outs grow no more."""


class Pace(Agreed, frozen=True, kw_only=True):
    """How long nodes wait, in slots."""

    pause: Slots
    """Between the slot of a block and the first that the next block may have."""
    propose: Timeout
    """For the proposal of a first round."""
    vote: Timeout
    """For more votes of a first round, once two thirds have voted without agreeing."""
    growth: Slots
    """What each further round adds to both."""

    def find_timeout(self, first: int, round_: int) -> int:
        """Return a time-out of a round; what it is in the first one is given."""
        return first + self.growth * min(round_, GROWING_ROUNDS)


class BftGenesis(Agreed, frozen=True, kw_only=True):
    """Everything that the chain id of a chain by votes stands for."""

    chain: ChainRules
    accounts: tuple[GenesisAccount, ...]
    seed: int
    pace: Pace
    reward: Reward

"""The race of two chains as a binomial sum: what the closed forms must agree with where they are simple."""

from functools import cache
from math import comb


def win_race(blocks: int, share: float) -> float:
    """Return the probability of being the first to append some blocks, where each next block is one's own by a share.

    Of the next ``2 * blocks - 1`` blocks of either side at least ``blocks`` must be one's own:
    P[Bin(2B - 1, r) >= B]. It holds where both sides' blocks come as Poisson processes.
    """
    rounds = 2 * blocks - 1
    return sum(comb(rounds, own) * share**own * (1 - share) ** (rounds - own) for own in range(blocks, rounds + 1))


def win_from_any_block(blocks: int, share: float) -> float:
    """Return the probability of ending a job of some blocks first, where one may begin at any block of the other side.

    Each next right is one's own by a share. The other side needs as many as there are blocks; oneself as many as are
    still missing at a block of theirs, since that block.
    """

    @cache
    def win(since: tuple[int, ...]) -> float:
        """Take how many rights of one's own there have been since each block of theirs, the genesis first."""
        if any(count >= blocks - height for height, count in enumerate(since[:blocks])):
            return 1.0
        if len(since) > blocks:
            return 0.0
        return share * win(tuple(count + 1 for count in since)) + (1 - share) * win((*since, 0))

    return win((0,))

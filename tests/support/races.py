"""The race of two chains as a binomial sum: what the closed forms must agree with where they are simple."""

from math import comb


def win_race(blocks: int, share: float) -> float:
    """Return the probability of being the first to append some blocks, where each next block is one's own by a share.

    Of the next ``2 * blocks - 1`` blocks of either side at least ``blocks`` must be one's own:
    P[Bin(2B - 1, r) >= B]. It holds where both sides' blocks come as Poisson processes.
    """
    rounds = 2 * blocks - 1
    return sum(comb(rounds, own) * share**own * (1 - share) ** (rounds - own) for own in range(blocks, rounds + 1))
